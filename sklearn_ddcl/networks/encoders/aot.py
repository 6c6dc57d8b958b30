"""The columns of a row as tokens that are denoised by attention alone."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from sklearn_ddcl.layers import SubspaceAttention
from sklearn_ddcl.layers.subspace_attention import OUTPUTS, PROJECTIONS
from sklearn_ddcl.networks.encoders.column_tokens import CONTEXT_POOLS, ColumnTokens
from sklearn_ddcl.networks.parameters import Parameters
from sklearn_ddcl.networks.table import TableSpec


@dataclass
class AoTEncoder(Parameters):
    """Parameters of ``encoder="aot"``: attention and skip connections, nothing else.

    Parameters
    ----------
    n_layers : int, default=2
        Number of blocks; each has half the weights of a block of a transformer.
    d_token : int, default=32
        Width of the tokens and of the prototypes.
    n_heads : int, default=4
        Subspaces; must divide `d_token`.
    projection : {"shared", "separate"}, default="separate"
        Whether queries, keys and values are one projection or three. One is the
        theory of subspace denoising, and cheaper; three learn tables better.
    output : {"linear", "tied"}, default="linear"
        Whether the way back has a matrix of its own or that of the projection.
    step_size : float or None, default=1.0
        First step size of every block; None takes one over `n_layers`, with which a
        deep untrained stack keeps tokens apart.
    dropout : float, default=0.1
        Probability that a unit of a step is silenced for a training step.
    numerical : {"mixed", "piecewise_linear", "periodic", "linear"}, default="mixed"
        How numbers become tokens: through piecewise linear curves, which follow
        thresholds, through waves, which are smooth, or along a line. "mixed" is all
        three: half of a token is a curve, half is waves, and the number itself is added
        along a direction of its column. There is no feed-forward part that could bend a
        single number, so this matters.
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
    .. [1] P. Wang, Y. Lu, Y. Yu, D. Pai, Q. Qu and Y. Ma, "Attention-Only Transformers
       via Unrolled Subspace Denoising", ICML 2025.

    Examples
    --------
    >>> AoTEncoder(n_layers=6).get_params()["n_layers"]
    6
    """

    n_layers: int = 2
    d_token: int = 32
    n_heads: int = 4
    projection: str = "separate"
    output: str = "linear"
    step_size: float | None = 1.0
    dropout: float = 0.1
    numerical: str = "mixed"
    n_bins: int = 16
    context_pool: str | None = None

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        self.check_at_least(n_layers=0, d_token=2, n_heads=1, n_bins=1)
        self.check_probability("dropout")
        self.check_choices(context_pool=CONTEXT_POOLS)
        self.check_choices(projection=PROJECTIONS, output=OUTPUTS)
        if self.step_size is not None:
            self.check_at_least(step_size=0.0)

    def build(
        self, spec: TableSpec, *, cls_token: bool, generator: torch.Generator | None
    ) -> nn.Module:
        """Return the encoder of a table, with a class token in front if wanted."""
        return ColumnTokens(self, spec, cls_token=cls_token, generator=generator)

    def block_maker(self, generator: torch.Generator | None) -> Callable[[], nn.Module]:
        """Return what makes the blocks, from the first to the last."""
        step_size = self.step_size
        if step_size is None:
            step_size = 1 / max(1, self.n_layers)
        return partial(
            SubspaceAttention,
            self.d_token,
            n_heads=self.n_heads,
            projection=self.projection,
            output=self.output,
            step_size=step_size,
            dropout=self.dropout,
            generator=generator,
        )
