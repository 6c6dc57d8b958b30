"""The columns of a row as tokens, through blocks that grow their own heads."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.growing_attention import GrowingAttention
from sklearn_ddcl.layers.linear import Linear
from sklearn_ddcl.layers.prototype_feed_forward import PrototypeFeedForward
from sklearn_ddcl.layers.step_dropout import StepDropout
from sklearn_ddcl.networks.encoders.column_tokens import CONTEXT_POOLS, ColumnTokens
from sklearn_ddcl.networks.growth_rule import GrowthRule
from sklearn_ddcl.networks.parameters import Parameters
from sklearn_ddcl.networks.table import TableSpec

FEED_FORWARDS = ("prototypes", "mlp", "none")


@dataclass
class INCRTEncoder(Parameters):
    """Parameters of ``encoder="incrt"``: a transformer that grows its own heads.

    Every block starts with `n_heads` heads and gets others when the loss asks for
    something that depends on other columns and that no head supplies; heads that turn
    out not to matter go again. A dictionary of prototypes stands in the place of the
    feed-forward part.

    Parameters
    ----------
    n_layers : int, default=2
        Number of blocks.
    d_token : int, default=32
        Width of the tokens and of the prototypes.
    n_heads : int or tuple of int, default=1
        Heads of every block at the start; a tuple gives one number per block.
    grow : bool, default=True
        Whether heads come and go in training; otherwise `n_heads` stays.
    max_heads : int, default=8
        Heads of a block, at most.
    d_head : int, default=8
        Width of a head.
    threshold : float, default=0.1
        A block gets other heads for what is missing above this share of the most that
        it has ever missed.
    feed_forward : {"prototypes", "mlp", "none"}, default="prototypes"
        What follows attention in a block: the dictionary, an ordinary feed-forward
        part twice as wide as a token, or nothing.
    n_prototypes : int, default=16
        Prototypes in the dictionary of a block.
    prototype_values : bool, default=True
        Whether prototypes of a dictionary have values of their own. Otherwise a block
        draws tokens towards the prototypes themselves, with half the weights.
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
    context_pool : str or None, default=None
        As for :class:`~sklearn_ddcl.networks.TransformerEncoder`.

    References
    ----------
    .. [1] G. Cirrincione, "INCRT: An Incremental Transformer That Determines Its Own
       Architecture", arXiv:2604.10703, 2026.
    .. [2] G. Cirrincione, "DDCL-INCRT: A Self-Organising Transformer with Hierarchical
       Prototype Structure: Theoretical Foundations", arXiv:2604.01880, 2026.

    Examples
    --------
    >>> INCRTEncoder(max_heads=4).get_params()["max_heads"]
    4
    """

    n_layers: int = 2
    d_token: int = 32
    n_heads: int | tuple[int, ...] = 1
    grow: bool = True
    max_heads: int = 8
    d_head: int = 8
    threshold: float = 0.1
    feed_forward: str = "prototypes"
    n_prototypes: int = 16
    prototype_values: bool = True
    dropout: float = 0.1
    numerical: str = "mixed"
    n_bins: int = 16
    context_pool: str | None = None

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        self.check_at_least(n_layers=0, d_token=2, max_heads=1, d_head=1, n_bins=1)
        self.check_at_least(threshold=1e-12, n_prototypes=1)
        self.check_probability("dropout")
        self.check_choices(feed_forward=FEED_FORWARDS, context_pool=CONTEXT_POOLS)
        heads = self._heads()
        if len(heads) != self.n_layers or not all(
            isinstance(n, int) and 1 <= n <= self.max_heads for n in heads
        ):
            raise ValueError(
                "INCRTEncoder.n_heads must be a number from 1 to max_heads="
                f"{self.max_heads}, or {self.n_layers} of them, one per layer; got "
                f"{self.n_heads!r}."
            )

    def build(
        self, spec: TableSpec, *, cls_token: bool, generator: torch.Generator | None
    ) -> nn.Module:
        """Return the encoder of a table, with a class token in front if wanted."""
        encoder = ColumnTokens(self, spec, cls_token=cls_token, generator=generator)
        encoder.growth_rule = self.growth_rule
        return encoder

    def block_maker(self, generator: torch.Generator | None) -> Callable[[], nn.Module]:
        """Return what makes the blocks, from the first to the last."""
        heads = cycle(self._heads())
        return lambda: GrowingBlock(self, next(heads), generator)

    @property
    def growth_rule(self) -> GrowthRule | None:
        """When heads come and go; None if they do not."""
        return GrowthRule(self.max_heads, self.threshold) if self.grow else None

    def _heads(self) -> tuple[int, ...]:
        if isinstance(self.n_heads, int):
            return (self.n_heads,) * self.n_layers
        return tuple(self.n_heads)


class GrowingBlock(nn.Module):
    """Attention that grows, and what follows it."""

    def __init__(
        self, params: INCRTEncoder, n_heads: int, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        d_token = params.d_token
        shared: Any = {"dropout": params.dropout, "generator": generator}
        self.attention = GrowingAttention(
            d_token, n_heads=n_heads, d_head=params.d_head, **shared
        )
        self.feed_forward: nn.Module = nn.Identity()
        if params.feed_forward == "prototypes":
            self.feed_forward = PrototypeFeedForward(
                d_token,
                n_prototypes=params.n_prototypes,
                values=params.prototype_values,
                **shared,
            )
        elif params.feed_forward == "mlp":
            self.feed_forward = _FeedForward(d_token, **shared)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map tokens (B, T, d_token) to the same shape."""
        return self.feed_forward(self.attention(x, mask))


class _FeedForward(nn.Module):
    def __init__(
        self, d_token: int, *, dropout: float, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d_token)
        self.expand = Linear(d_token, 2 * d_token, generator=generator)
        self.contract = Linear(2 * d_token, d_token, generator=generator)
        self.dropout = StepDropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        hidden = nn.functional.gelu(self.expand(self.norm(x)))
        return x + self.dropout(self.contract(hidden))
