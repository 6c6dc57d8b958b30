"""The columns of a row as tokens that attend to each other."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import AttentionBlock
from sklearn_ddcl.networks.parameters import Parameters
from sklearn_ddcl.networks.table import TableSpec, make_tokenizer


@dataclass
class TransformerEncoder(Parameters):
    """Parameters of ``encoder="transformer"``: each token of the readout is a column.

    Parameters
    ----------
    n_layers : int, default=2
        Number of attention blocks.
    d_token : int, default=32
        Width of the tokens and of the prototypes.
    n_heads : int, default=4
        Attention heads; must divide `d_token`.
    expansion : float, default=2.0
        Width inside the feed-forward part, in units of `d_token`.
    dropout : float, default=0.1
        Probability that a unit of a branch is silenced for a training step.
    numerical : {"piecewise_linear", "periodic", "linear"}, default="piecewise_linear"
        How numbers become tokens.
    n_bins : int, default=48
        Intervals of the piecewise linear curves, at most.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev, V. Khrulkov and A. Babenko, "Revisiting Deep
       Learning Models for Tabular Data", NeurIPS 2021.

    Examples
    --------
    >>> TransformerEncoder(n_heads=8).get_params()["n_heads"]
    8
    """

    n_layers: int = 2
    d_token: int = 32
    n_heads: int = 4
    expansion: float = 2.0
    dropout: float = 0.1
    numerical: str = "piecewise_linear"
    n_bins: int = 48

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        self.check_at_least(n_layers=0, d_token=2, n_heads=1, expansion=0.1, n_bins=1)
        self.check_probability("dropout")

    def build(
        self, spec: TableSpec, *, cls_token: bool, generator: torch.Generator | None
    ) -> nn.Module:
        """Return the encoder of a table, with a class token in front if wanted."""
        return _Transformer(self, spec, cls_token, generator)


class _Transformer(nn.Module):
    n_views = 1

    def __init__(
        self,
        params: TransformerEncoder,
        spec: TableSpec,
        cls_token: bool,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        d = params.d_token
        self.tokenizer = make_tokenizer(spec, params.numerical, d, generator)
        # Which column a token is from, else equal embeddings could not be told apart.
        column = torch.empty(spec.n_columns, d).normal_(std=0.3, generator=generator)
        self.column = nn.Parameter(column)
        self.cls = None
        if cls_token:
            cls = torch.empty(1, 1, d).normal_(std=0.3, generator=generator)
            self.cls = nn.Parameter(cls)
        self.blocks = nn.ModuleList(
            AttentionBlock(
                d,
                n_heads=params.n_heads,
                d_hidden=max(1, round(params.expansion * d)),
                dropout=params.dropout,
                generator=generator,
            )
            for _ in range(params.n_layers)
        )

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        x = self.tokenizer(numbers, codes) + self.column
        if self.cls is not None:
            x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1)
        for block in self.blocks:
            x = block(x)
        return x
