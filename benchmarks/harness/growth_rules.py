"""When to add a head: by missing directions, by the loss, at random, or not at all."""

from collections.abc import Callable

import torch
from torch import nn

from sklearn_ddcl.networks import GrowthRule
from sklearn_ddcl.training.growth import GrowthController

_STALLED = 0.01


class ByLoss(GrowthController):
    """Add a head whenever the loss has stopped to fall, until one did not help.

    The rule that one would use without any theory: as early stopping, turned round.
    """

    def n_missing(self, number: int) -> int:
        """Say whether the loss has stalled over some looks; how many are missing."""
        past = self.__dict__.setdefault("past_", [])
        past.append(self.relative_loss)
        n = 2 * self.rule.patience
        if len(past) < 2 * n:
            return 0
        recent, earlier = sum(past[-n:]) / n, sum(past[-2 * n : -n]) / n
        if recent < (1 - _STALLED) * earlier:
            return 0
        if recent > (1 - _STALLED) * self.__dict__.get("loss_before_", float("inf")):
            # The last head has not helped.
            return 0
        self.loss_before_ = recent
        past.clear()
        # One more than those that are about to find their work.
        return 1 + sum(head.learns for head in self.layers[number].heads)

    def leading_energy(self, number: int) -> float:
        """Return nothing: this rule does not look at directions."""
        return 0.0


class AtRandom(GrowthController):
    """Add heads at random times, as many as are wanted.

    Parameters
    ----------
    module, rule, generator
        As for :class:`GrowthController`.
    looks : set of int
        At which looks a head is added, counted from 1.
    """

    def __init__(
        self,
        module: nn.Module,
        rule: GrowthRule,
        generator: torch.Generator,
        looks: set[int],
    ) -> None:
        super().__init__(module, rule, generator)
        self.looks_ = looks
        self.n_looks_ = 0

    def end_epoch(
        self,
        step: int,
        progress: float,
        loss: float,
        judge: Callable[[], float],
        optimizer: torch.optim.Optimizer,
    ) -> list[str]:
        """Add a head if it is time."""
        self.follow_loss(loss)
        self.n_looks_ += 1
        if self.n_looks_ not in self.looks_:
            return ["none"] * len(self.layers)
        self.layers[0].grow(optimizer)
        return ["grow"]
