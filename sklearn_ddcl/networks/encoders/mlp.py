"""A row through a multi-layer perceptron, in several views."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import Views
from sklearn_ddcl.networks.parameters import Parameters
from sklearn_ddcl.networks.table import TableSpec, make_tokenizer


@dataclass
class MLPEncoder(Parameters):
    """Parameters of ``encoder="mlp"``: each token of the readout is a view of the row.

    Parameters
    ----------
    n_layers : int, default=2
        Number of hidden layers.
    d_hidden : int, default=128
        Width of the hidden layers.
    n_views : int, default=8
        Number of views of a row, each with hidden layers of its own. Every view decides
        by itself and their probabilities are averaged.
    d_token : int, default=32
        Width of a view and of the prototypes.
    dropout : float, default=0.25
        Probability that a hidden unit is silenced for a training step.
    numerical : {"mixed", "piecewise_linear", "periodic", "linear"}, default="mixed"
        How numbers enter. With "mixed" they enter half of the views through piecewise
        linear curves, which follow thresholds as trees do, and the other half through
        periodic features, which are smooth; a single view gets the curves.
    n_bins : int, default=48
        Intervals of the piecewise linear curves, at most.
    d_column : int, default=8
        Width in which each column enters.

    Examples
    --------
    >>> MLPEncoder(n_layers=3).get_params()["n_layers"]
    3
    """

    n_layers: int = 2
    d_hidden: int = 128
    n_views: int = 8
    d_token: int = 32
    dropout: float = 0.25
    numerical: str = "mixed"
    n_bins: int = 48
    d_column: int = 8

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        self.check_at_least(n_layers=0, d_hidden=1, n_views=1, d_token=2)
        self.check_at_least(n_bins=1, d_column=1)
        self.check_probability("dropout")

    def build(
        self, spec: TableSpec, *, cls_token: bool, generator: torch.Generator | None
    ) -> nn.Module:
        """Return the encoder of a table; its first view serves as class token."""
        return _MLP(self, spec, generator)


class _MLP(nn.Module):
    def __init__(
        self,
        params: MLPEncoder,
        spec: TableSpec,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        kinds: tuple[str, ...] = (params.numerical,)
        if params.numerical == "mixed":
            kinds = ("piecewise_linear", "periodic")[: params.n_views]
        self.n_views = params.n_views
        self.tokenizers = nn.ModuleList(
            make_tokenizer(spec, kind, params.d_column, generator) for kind in kinds
        )
        self.views = Views(
            [spec.n_columns * params.d_column] * len(kinds),
            d_hidden=params.d_hidden,
            n_layers=params.n_layers,
            n_views=params.n_views,
            d_token=params.d_token,
            dropout=params.dropout,
            generator=generator,
        )

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        forms = [tokenize(numbers, codes).flatten(1) for tokenize in self.tokenizers]
        return self.views(*forms)
