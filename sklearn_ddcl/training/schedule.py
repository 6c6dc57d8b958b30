"""How long to train, in which batches, at which rates and temperatures."""

import math
from dataclasses import dataclass

WARM_UP_STEPS = 30
_ANNEALED_SHARE = 0.7


@dataclass(frozen=True)
class TrainingPlan:
    """Everything about training that was decided before it began.

    Parameters
    ----------
    max_epochs : int
        Length of a whole training, by which rate and temperature are scheduled.
    batch_size : int
        Rows per step, about.
    lr : float
        Learning rate of the encoder at its peak.
    prototype_lr_ratio : float
        How many times faster prototypes and their votes learn.
    weight_decay : float
        Decoupled decay of the encoder's matrices, times the learning rate per step.
    distortion_weight : float
        Weight of the competition loss per dimension.
    temperature : float or None
        A fixed temperature; None anneals.
    streaming : bool
        Whether there is no known end; rates then stay at half their peak.
    start, end : float
        Annealing goes geometrically from `start` to `end` times the critical
        temperature over the first 70 % of the epochs.
    """

    max_epochs: int
    batch_size: int
    lr: float
    prototype_lr_ratio: float
    weight_decay: float
    distortion_weight: float
    temperature: float | None = None
    streaming: bool = False
    start: float = 0.5
    end: float = 0.1

    def temperature_ratio(self, epoch: int) -> float:
        """Return the temperature of an epoch, in units of the critical one."""
        progress = min(1.0, epoch / max(1.0, _ANNEALED_SHARE * self.max_epochs))
        return self.start * (self.end / self.start) ** progress

    def is_annealing(self, epoch: int) -> bool:
        """Return whether the bank may still be rearranged in an epoch."""
        return epoch < _ANNEALED_SHARE * self.max_epochs

    def lr_factor(self, step: int, n_steps: int) -> float:
        """Return the factor on all rates at a step: short warm-up, then a cosine."""
        progress = 0.5 if self.streaming else min(1.0, step / max(1, n_steps))
        return warm_up(step, n_steps) * 0.5 * (1 + math.cos(math.pi * progress))


def warm_up(step: int, n_steps: int) -> float:
    """Return the factor by which rates rise linearly to their peak, over 30 steps.

    Parameters
    ----------
    step, n_steps : int
        The step and how many there will be.

    Returns
    -------
    factor : float
        In (0, 1].
    """
    return min(1.0, (step + 1) / min(WARM_UP_STEPS, max(1, n_steps)))
