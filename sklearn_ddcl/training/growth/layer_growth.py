"""What training knows of one layer that grows."""

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

_SPARE = 2
_YOUNG_LOOKS, _GROWN_UP_LOOKS = 3, 12
_RISING = 1.1


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
        output = self.layer.output.detach()
        self.redundancy.update(mixed.to(output.dtype), output, mask, weights)

    def forget_step(self) -> None:
        """Forget the last training step; in the next one gradients may not come."""
        self._seen = self._residual = None

    def grow(self, optimizer: torch.optim.Optimizer) -> None:
        """Add a head along the direction in which attention is missing most."""
        demand, context = self.directions.leading()
        self._change(
            optimizer,
            lambda: self.layer.grow(demand, context, self.generator),
            _with_zeros,
        )
        self.heads.append(Head())

    def turn(self, head: int, optimizer: torch.optim.Optimizer) -> float:
        """Let a head start anew where attention is missing most.

        Returns the most that can have changed.
        """
        bound = self._remove(head, optimizer)
        self.grow(optimizer)
        return bound

    def prune(self, head: int, optimizer: torch.optim.Optimizer) -> float:
        """Remove a head for good, and return the most that can have changed."""
        # What went must not come again.
        self.closed = True
        return self._remove(head, optimizer)

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
