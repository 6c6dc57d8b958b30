"""The columns of a row as tokens that attend to each other."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from sklearn_ddcl.layers import AttentionBlock
from sklearn_ddcl.networks.encoders.column_tokens import CONTEXT_POOLS, ColumnTokens
from sklearn_ddcl.networks.parameters import Parameters
from sklearn_ddcl.networks.table import TableSpec


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
    numerical : {"mixed", "piecewise_linear", "periodic", "linear"}, default="mixed"
        How numbers become tokens: through piecewise linear curves, which follow
        thresholds, through waves, which are smooth, or along a line. "mixed" is all
        three: half of a token is a curve, half is waves, and the number itself is added
        along a direction of its column.
    n_bins : int, default=16
        Intervals of the piecewise linear curves, at most; with "mixed" there are half
        as many waves.
    context_pool : {"index", "seriation", "correlation", "learned"}, optional
        Whether every block sees columns pooled with their neighbors: in the order of
        the table, numerical columns first, in an order in which columns that say much
        of each other are near, by how much they say of each other, or on a map that
        starts from that and is learned.

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
    numerical: str = "mixed"
    n_bins: int = 16
    context_pool: str | None = None

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        self.check_at_least(n_layers=0, d_token=2, n_heads=1, expansion=0.1, n_bins=1)
        self.check_probability("dropout")
        self.check_choices(context_pool=CONTEXT_POOLS)

    def build(
        self, spec: TableSpec, *, cls_token: bool, generator: torch.Generator | None
    ) -> nn.Module:
        """Return the encoder of a table, with a class token in front if wanted."""
        return ColumnTokens(self, spec, cls_token=cls_token, generator=generator)

    def block_maker(self, generator: torch.Generator | None) -> Callable[[], nn.Module]:
        """Return what makes the blocks, from the first to the last."""
        return partial(
            AttentionBlock,
            self.d_token,
            n_heads=self.n_heads,
            d_hidden=max(1, round(self.expansion * self.d_token)),
            dropout=self.dropout,
            generator=generator,
        )
