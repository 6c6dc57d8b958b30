"""What training knows of one layer that grows."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from sklearn_ddcl.layers.growing_attention import GrowingAttention
from sklearn_ddcl.training.growth.directions import Directions
from sklearn_ddcl.training.growth.optimizer_state import carry_over
from sklearn_ddcl.training.growth.redundancy import Redundancy
from sklearn_ddcl.training.growth.terms import Sample, Term, find_roles, ownership

_SPARE = 2
_YOUNG_LOOKS, _GROWN_UP_LOOKS = 3, 12
_RISING = 1.1
# Of the squared gain of the strongest term; what is left of terms that were estimated
# comes up to half of it.
_TOGETHER = 0.25
# Of a head, along a single direction.
_OWNED = 0.5
_SAMPLES, _TOKENS_OF_SAMPLE = 8, 4096


@dataclass
class Head:
    """What is known of a head."""

    age: int = 0
    """Looks since it came."""
    cost: float = 0.0
    """What it was worth at the last of them."""
    rising: bool = False
    """Whether it was worth more than at the look before."""

    def look(self, cost: float) -> None:
        """Note what the head is worth now."""
        self.rising = cost > _RISING * self.cost
        self.cost, self.age = cost, self.age + 1

    @property
    def learns(self) -> bool:
        """Whether it is still about to find its work."""
        return self.age < _YOUNG_LOOKS or (self.rising and self.age < _GROWN_UP_LOOKS)


class LayerGrowth:
    """Watch a layer, and change the number of its heads.

    Parameters
    ----------
    layer : GrowingAttention
        The layer.
    max_heads : int
        Heads at most; some more directions are followed.
    generator : torch.Generator
        Source of all that is random about growth.
    """

    def __init__(
        self, layer: GrowingAttention, max_heads: int, generator: torch.Generator
    ) -> None:
        self.layer = layer
        self.max_heads = max_heads
        self.generator = generator
        d_token = layer.bases.shape[-1]
        n_directions = min(max_heads + _SPARE, d_token)
        self.directions = Directions(d_token, n_directions, generator)
        self.redundancy = Redundancy()
        self.closed, self.n_turns = False, 0
        # The first ones have had the time before the first look.
        self.heads = [Head(_GROWN_UP_LOOKS) for _ in range(layer.n_heads)]
        self.high = 0
        self.largest = 0.0
        self.energies: list[float] = []
        self.predicted: tuple[float, int] | None = None
        self.samples: deque[Sample] = deque(maxlen=_SAMPLES)
        self._seen: tuple[Tensor, Tensor, Tensor | None] | None = None
        self._residual: Tensor | None = None

    def see(
        self, step: Tensor, normed: Tensor, mixed: Tensor, mask: Tensor | None
    ) -> None:
        """Remember what the layer saw, and what the loss will ask of it."""
        self._seen = (normed.detach(), mixed.detach(), mask)
        step.register_hook(self._ask)

    def _ask(self, gradient: Tensor) -> None:
        self._residual = -gradient.detach()

    def measure(self, weights: Tensor, learns: Tensor) -> None:
        """Take the last training step in.

        Parameters
        ----------
        weights : Tensor of shape (B,)
            Importance of the rows, positive.
        learns : Tensor of shape (B,), dtype bool
            Rows that turn the directions; the others measure what these explain.
        """
        if self._seen is None or self._residual is None:
            return
        normed, mixed, mask = self._seen
        # The loss is a weighted mean over rows: back to what each row asks for.
        scales = weights.sum() / weights
        residual = self._residual.to(normed.dtype) * scales[:, None, None]
        self.directions.update(normed, residual, mask, weights, learns)
        self._keep_sample(normed, residual, mask, weights)
        output = self.layer.output.detach()
        self.redundancy.update(mixed.to(output.dtype), output, mask, weights)

    def forget_step(self) -> None:
        """Forget the last training step; in the next one gradients may not come."""
        self._seen = self._residual = None

    def missing_terms(self, n_terms: int) -> list[Term]:
        """Return what heads could supply, as far as it stands out alike."""
        return self.directions.terms(_TOGETHER, n_terms)

    def mixed_heads(self, n_missing: int) -> list[int]:
        """Return the heads that start anew together with some that are missing.

        Those that have had their time and own no direction: they do a little of what
        the others are to do. None if these are not several, and more than they.
        """
        owned = ownership(self.layer.bases, self.layer.output)
        mixed = [
            place
            for place, head in enumerate(self.heads)
            if not head.learns and owned[place] < _OWNED
        ]
        may_turn = self.n_turns + len(mixed) <= self.max_heads
        return mixed if may_turn and n_missing > max(1, len(mixed)) else []

    def grow(self, optimizer: torch.optim.Optimizer, n_heads: int = 1) -> None:
        """Add heads for what is missing most.

        What stands out alike gets its heads at once, so that none of them settles
        between the work of two. Heads that own no direction start anew with several
        others.

        Parameters
        ----------
        optimizer : Optimizer
            Holds the parameters of the layer.
        n_heads : int, default=1
            Heads at most; at least one comes.
        """
        terms = self.missing_terms(n_heads)
        rows = [find_roles(term, self.samples) for term in terms]
        mixed = self.mixed_heads(len(rows))
        self.n_turns += len(mixed)
        for head in reversed(mixed):
            self._remove(head, optimizer)
        room = max(1, self.max_heads - self.layer.n_heads)
        for directions in rows[:room]:
            self._add(directions, optimizer)
        if not rows:
            self._add(None, optimizer)

    def turn(self, head: int, optimizer: torch.optim.Optimizer) -> float:
        """Let a head start anew where attention is missing most.

        Returns the most that can have changed.
        """
        rows = [find_roles(term, self.samples) for term in self.missing_terms(1)]
        bound = self._remove(head, optimizer)
        self._add(rows[0] if rows else None, optimizer)
        return bound

    def prune(self, head: int, optimizer: torch.optim.Optimizer) -> float:
        """Remove a head for good, and return the most that can have changed."""
        # What went must not come again.
        self.closed = True
        return self._remove(head, optimizer)

    def _keep_sample(
        self, tokens: Tensor, residual: Tensor, mask: Tensor | None, weights: Tensor
    ) -> None:
        """Keep some rows, not many of those with many tokens."""
        few = slice(max(1, _TOKENS_OF_SAMPLE // max(1, tokens.shape[1])))
        tokens, residual = tokens[few].clone(), residual[few].clone()
        kept = None if mask is None else mask[few].clone()
        self.samples.append(Sample(tokens, residual, kept, weights[few].clone()))

    def _add(self, directions: Tensor | None, optimizer: torch.optim.Optimizer) -> None:
        self._change(
            optimizer,
            lambda: self.layer.grow(directions, self.generator),
            _with_zeros,
        )
        self.heads.append(Head())

    def _remove(self, head: int, optimizer: torch.optim.Optimizer) -> float:
        kept = [h for h in range(self.layer.n_heads) if h != head]
        bounds: list[float] = []
        self._change(
            optimizer,
            lambda: bounds.append(self.layer.prune(head)),
            lambda moment, dim: moment.index_select(
                dim, torch.tensor(kept, dtype=torch.int64, device=moment.device)
            ),
        )
        del self.heads[head]
        return bounds[0]

    def _change(
        self,
        optimizer: torch.optim.Optimizer,
        change: Callable[[], Any],
        reshape: Callable[..., Tensor],
    ) -> None:
        """Change the layer, and the moments of its parameters along their heads."""
        before = self.layer.bases, self.layer.output
        change()
        after = self.layer.bases, self.layer.output
        for old, new, dim in zip(before, after, (1, 0), strict=True):
            carry_over(optimizer, old, new, partial(reshape, dim=dim))
        self.directions.forget()
        self.redundancy.forget()
        self.samples.clear()
        self.energies.clear()
        self.high = 0


def row_halves(numbers: Tensor, codes: Tensor) -> Tensor:
    """Deal rows to two halves by their content, so that each row always falls alike.

    Parameters
    ----------
    numbers : Tensor of shape (B, F)
        Numbers, NaN where missing.
    codes : Tensor of shape (B, G)
        Category codes.

    Returns
    -------
    first : Tensor of shape (B,), dtype bool
    """
    digits = (numbers.nan_to_num(7.0).double() * 2.0**20).round().to(torch.int64)
    key = torch.zeros(len(numbers), dtype=torch.int64, device=numbers.device)
    for column in (*digits.T, *codes.T):
        # Wraps around, which is what a hash is for.
        key = (key ^ column) * 0x9E3779B1 + 0x7F4A7C15
    return (key >> 17) & 1 == 0


def _with_zeros(moment: Tensor, dim: int) -> Tensor:
    shape = [*moment.shape]
    shape[dim] = 1
    return torch.cat([moment, moment.new_zeros(shape)], dim)
