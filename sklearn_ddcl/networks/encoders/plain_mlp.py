"""A row through one perceptron, its numbers as they are."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.dense_rows import DenseRows
from sklearn_ddcl.layers.even_linear import EvenLinear
from sklearn_ddcl.networks.parameters import Parameters
from sklearn_ddcl.networks.table import TableSpec


@dataclass
class PlainMLPEncoder(Parameters):
    """Parameters of ``encoder="mlp"`` of a transformer: the whole row is one token.

    Parameters
    ----------
    n_layers : int, default=2
        Number of hidden layers.
    d_hidden : int, default=256
        Width of the hidden layers.

    Examples
    --------
    >>> PlainMLPEncoder(d_hidden=64).get_params()
    {'n_layers': 2, 'd_hidden': 64}
    """

    n_layers: int = 2
    d_hidden: int = 256

    needs_knots = False

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        self.check_at_least(n_layers=1, d_hidden=1)

    def build(
        self, spec: TableSpec, *, cls_token: bool, generator: torch.Generator | None
    ) -> nn.Module:
        """Return the encoder of a table."""
        return _PlainMLP(self, spec, generator)


class _PlainMLP(nn.Module):
    n_views = 1

    def __init__(
        self,
        params: PlainMLPEncoder,
        spec: TableSpec,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        self.dense = DenseRows(spec.n_numbers, spec.cardinalities, spec.flagged)
        widths = [self.dense.width, *[params.d_hidden] * params.n_layers]
        layers: list[nn.Module] = []
        for d_in, d_out in pairwise(widths):
            layers += [EvenLinear(d_in, d_out, generator=generator), nn.SiLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        return self.layers(self.dense(numbers, codes))[:, None]
