"""Decides when a layer gets a head, and when it loses one."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.functional.growth import head_bound, stationary_count
from sklearn_ddcl.layers.growing_attention import GrowingAttention
from sklearn_ddcl.networks.growth_rule import GrowthRule
from sklearn_ddcl.training.growth.layer_growth import LayerGrowth
from sklearn_ddcl.training.messages import GrowthWarning
from sklearn_ddcl.training.schedule import WARM_UP_STEPS

# Before them everything is missing, and afterwards nothing new could be learned.
_FIRST_SHARE, _LAST_SHARE = 0.15, 0.6
_STEPS_BETWEEN_LOOKS = 20
# Measuring takes about as long as a step, so that not every one is.
_STRIDE, _STRIDE_LATE = 2, 8
_SETTLING_LOOKS = 2
# Energy that falls by itself needs no head.
_STANDING = 0.7


class GrowthController:
    """Watch the layers of a network that can grow, and change them now and then.

    After every step call :meth:`measure`, after every epoch :meth:`end_epoch`, at the
    end :meth:`finish`.

    Parameters
    ----------
    module : Module
        Contains layers of the kind
        :class:`~sklearn_ddcl.layers.GrowingAttention`.
    rule : GrowthRule
        When to grow.
    generator : torch.Generator
        Source of all that is random about growth.
    """

    def __init__(
        self, module: nn.Module, rule: GrowthRule, generator: torch.Generator
    ) -> None:
        self.module = module
        self.rule = rule
        self.layers = [
            LayerGrowth(layer, rule.max_heads, generator)
            for layer in module.modules()
            if isinstance(layer, GrowingAttention)
        ]
        self.first_loss: float | None = None
        self.relative_loss = 1.0
        self.n_steps = self.steps_at_look = 0
        self.grown_at: int | None = None
        self.settling = 0
        self.swept = False

    @property
    def predicted(self) -> list[tuple[float, int] | None]:
        """The bound and the stationary count of every layer, None before it is seen."""
        return [layer.predicted for layer in self.layers]

    def watch(self) -> None:
        """Begin to watch the training steps of the layers."""
        for layer in self.layers:
            layer.layer.watcher = layer

    def measure(self, weights: Tensor, learns: Tensor) -> None:
        """Take the last training step in.

        Parameters
        ----------
        weights : Tensor of shape (B,)
            Importance of the rows, positive.
        learns : Tensor of shape (B,), dtype bool
            Rows that look for directions; the others measure what these explain.
        """
        self.n_steps += 1
        measures = self.n_steps % (_STRIDE_LATE if self.swept else _STRIDE) == 0
        for layer in self.layers:
            if measures:
                layer.measure(weights, learns)
            layer.forget_step()

    def end_epoch(
        self,
        step: int,
        progress: float,
        loss: float,
        judge: Callable[[], float],
        optimizer: torch.optim.Optimizer,
    ) -> list[str]:
        """Look whether heads are missing, or too many.

        Parameters
        ----------
        step : int
            Training steps so far.
        progress : float
            Share of the training that is over.
        loss : float
            Mean training loss of the epoch.
        judge : callable
            Returns the loss of some rows, without gradients.
        optimizer : Optimizer
            Holds the parameters of the layers.

        Returns
        -------
        actions : list of {"none", "grow", "turn", "prune"}
            What happened to every layer: heads were added, one that was worth less than
            what is missing was turned to it, or some were removed.
        """
        self.follow_loss(loss)
        for number, layer in enumerate(self.layers):
            layer.largest = max(layer.largest, self.leading_energy(number))
        nothing = ["none"] * len(self.layers)
        if progress >= _LAST_SHARE and not self.swept:
            self.swept = True
            return self._sweep(judge, optimizer)
        rested = step - self.steps_at_look >= _STEPS_BETWEEN_LOOKS
        if progress < _FIRST_SHARE or not rested:
            return nothing
        self.steps_at_look = step
        wanting = self._wanting(judge)
        if progress >= _LAST_SHARE:
            return nothing
        self.settling -= 1
        if self.settling > 0:
            return nothing
        actions = self._change(wanting, judge, optimizer)
        if "grow" in actions or "turn" in actions:
            self.grown_at = step
        return actions

    def follow_loss(self, loss: float) -> None:
        """Note a loss, in units of the first one."""
        if self.first_loss is None:
            self.first_loss = max(abs(loss), 1e-12)
        self.relative_loss = loss / self.first_loss

    def annealed(self, step: int, n_steps: int) -> int:
        """Return how far a schedule is that begins again with every growth.

        What has come late would otherwise learn at rates that have fallen. The training
        takes no longer for it.

        Parameters
        ----------
        step, n_steps : int
            Training steps so far, and in all.

        Returns
        -------
        step : int
            The same as long as nothing has grown; afterwards from the end of the
            warm-up, so that rates need not rise first, to `n_steps` again.
        """
        grown_at = self.grown_at
        if grown_at is None or grown_at >= n_steps:
            return step
        again = (step - grown_at) * n_steps // (n_steps - grown_at)
        return max(again, min(step, WARM_UP_STEPS))

    def threshold(self, number: int) -> float:
        """Return the energy above which a layer gets another head."""
        largest = self.layers[number].largest
        return max(self.rule.floor, self.rule.threshold * largest)

    def least_cost(self, number: int) -> float:
        """Return what a head of a layer must be worth to stay."""
        return self.rule.hysteresis * self.threshold(number)

    def energies(self, number: int) -> Tensor:
        """Return what heads along some directions would take off the loss, (n,).

        Relative to the loss of the first epoch, and zero where chance explains it.
        """
        directions = self.layers[number].directions
        found = directions.shares * directions.significant
        return found.clamp_min(0) * self.relative_loss

    def leading_energy(self, number: int) -> float:
        """Return what the best new head of a layer would take off the loss."""
        return float(self.energies(number).max())

    def removal_costs(self, number: int, judge: Callable[[], float]) -> list[float]:
        """Return by how much the loss would rise without each head of a layer.

        Relative to the loss of the first epoch; negative if it would fall.
        """
        layer = self.layers[number].layer
        costs = []
        with torch.no_grad():
            before = judge()
            for head in range(layer.n_heads):
                kept, bias = layer.output[head].clone(), layer.bias.clone()
                layer.bias.add_(layer.constant(head))
                layer.output[head] = 0
                costs.append((judge() - before) / (self.first_loss or 1.0))
                layer.output[head] = kept
                layer.bias.copy_(bias)
        return costs

    def rows(
        self, epoch: int, actions: list[str], **more: float
    ) -> list[dict[str, Any]]:
        """Return how every layer stands, as rows of a history.

        Parameters
        ----------
        epoch : int
            Counted from 1.
        actions : list of str
            As :meth:`end_epoch` returned them.
        **more : float
            Goes into every row.

        Returns
        -------
        rows : list of dict
            ``epoch``, ``layer``, ``energy`` (NaN as long as nothing was measured after
            a change), ``threshold``, ``action`` and ``n_heads``.
        """
        return [
            {
                "epoch": epoch,
                "layer": number,
                "energy": (
                    self.leading_energy(number)
                    if watched.directions.n_measured
                    else math.nan
                ),
                "threshold": self.threshold(number),
                "action": actions[number],
                "n_heads": watched.layer.n_heads,
                **more,
            }
            for number, watched in enumerate(self.layers)
        ]

    def finish(self) -> None:
        """Stop to watch."""
        for layer in self.layers:
            layer.layer.watcher = None

    def warn_if_insufficient(self) -> None:
        """Warn if there is a layer that another head would serve."""
        for number, watched in enumerate(self.layers):
            if watched.high < self.rule.patience or watched.closed:
                continue
            energy = self.leading_energy(number)
            room = watched.layer.n_heads < self.rule.max_heads
            warnings.warn(
                f"Layer {number} still misses attention: another head would take "
                f"{energy:.2%} off the loss, more than the threshold of "
                f"{self.threshold(number):.2%}. To go on growing, "
                f"{'train longer' if room else 'raise max_heads'}.",
                GrowthWarning,
                stacklevel=3,
            )

    def warn_if_redundant(self, judge: Callable[[], float]) -> None:
        """Warn if there is a layer with a head that it could do without."""
        for number, watched in enumerate(self.layers):
            if watched.layer.n_heads < 2:
                continue
            head, cost = self._cheapest(number, judge)
            least = self.least_cost(number)
            if cost < least:
                warnings.warn(
                    f"Head {head} of layer {number} could go: the loss would rise by "
                    f"{cost:.2%} of the first one, less than {least:.2%}. Train "
                    "longer, or lower max_heads.",
                    GrowthWarning,
                    stacklevel=3,
                )

    def n_missing(self, number: int) -> int:
        """Take a look at a layer, and say how many heads it has missed for some time.

        Parameters
        ----------
        number : int
            Which layer.

        Returns
        -------
        n_heads : int
        """
        watched, patience = self.layers[number], self.rule.patience
        energy = self.leading_energy(number)
        past = watched.energies[-patience:]
        watched.energies.append(energy)
        standing = bool(past) and energy > _STANDING * max(past)
        above = energy > self.threshold(number) and standing
        watched.high = watched.high + 1 if above else 0
        if watched.high < patience:
            return 0
        return max(1, stationary_count(self.energies(number), self.threshold(number)))

    def _wanting(self, judge: Callable[[], float]) -> dict[int, int]:
        """Take a look at all layers, and return how many heads some of them miss."""
        wanting = {}
        for number, watched in enumerate(self.layers):
            if watched.predicted is None:
                watched.predicted = self._predict(number, judge)
            missing = self.n_missing(number)
            if not missing or watched.closed:
                continue
            costs = self.removal_costs(number, judge)
            for head, cost in zip(watched.heads, costs, strict=True):
                head.look(cost)
            # Heads that learn are about to take as many directions.
            missing -= sum(head.learns for head in watched.heads)
            if missing > 0:
                wanting[number] = missing
        return wanting

    def _change(self, wanting: dict[int, int], judge: Any, optimizer: Any) -> list[str]:
        """Let one layer grow, or else remove a head that is redundant."""
        actions = ["none"] * len(self.layers)
        for number in sorted(wanting, key=self.leading_energy, reverse=True):
            actions[number] = self._serve(number, wanting[number], optimizer)
            if actions[number] != "none":
                self.settling = _SETTLING_LOOKS
                return actions
        for number, watched in enumerate(self.layers):
            energy, head = watched.redundancy.trailing
            if watched.layer.n_heads < 2 or energy >= self.least_cost(number):
                continue
            if self.removal_costs(number, judge)[head] < self.least_cost(number):
                watched.prune(head, optimizer)
                actions[number] = "prune"
                self.settling = _SETTLING_LOOKS
                return actions
        return actions

    def _serve(
        self, number: int, missing: int, optimizer: torch.optim.Optimizer
    ) -> str:
        """Turn a head that is worth less than what is missing, or else add some."""
        watched, energy = self.layers[number], self.leading_energy(number)
        idle = [
            (head.cost, place)
            for place, head in enumerate(watched.heads)
            if not head.learns and head.cost < energy
        ]
        if idle and watched.n_turns < self.rule.max_heads:
            watched.n_turns += 1
            watched.turn(min(idle)[1], optimizer)
            return "turn"
        if idle or watched.layer.n_heads >= self.rule.max_heads:
            return "none"
        watched.grow(optimizer, missing)
        return "grow"

    def _sweep(self, judge: Any, optimizer: Any) -> list[str]:
        """Remove heads that are not worth their place, the cheapest first."""
        actions = []
        for number, watched in enumerate(self.layers):
            action = "none"
            while watched.layer.n_heads > 1:
                head, cost = self._cheapest(number, judge)
                if cost >= self.least_cost(number):
                    break
                watched.prune(head, optimizer)
                action = "prune"
            actions.append(action)
        return actions

    def _cheapest(self, number: int, judge: Callable[[], float]) -> tuple[int, float]:
        """Return the head of a layer that is worth least, and what it is worth."""
        costs = self.removal_costs(number, judge)
        cheapest = costs.index(min(costs))
        return cheapest, costs[cheapest]

    def _predict(self, number: int, judge: Callable[[], float]) -> tuple[float, int]:
        """Return the bound on the heads of a layer, and how many its spectrum wants."""
        watched = self.layers[number]
        found, threshold = self.energies(number), self.threshold(number)
        # A head that has learned little yet is to take one of the directions.
        little = max(self.least_cost(number), float(found.max()))
        costs = self.removal_costs(number, judge)
        missing = watched.missing_terms(stationary_count(found, threshold))
        at_work = {head for head, cost in enumerate(costs) if cost > little}
        at_work -= set(watched.mixed_heads(len(missing)))
        bound = len(at_work) + head_bound(found, threshold)
        return max(1.0, bound), max(1, len(at_work) + len(missing))
