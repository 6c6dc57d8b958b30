"""How long a denoiser trains, and against what."""

import math
from dataclasses import dataclass

from sklearn_ddcl.training.schedule import warm_up


@dataclass(frozen=True)
class DenoisingPlan:
    """Everything about the training of a denoiser that was decided before.

    Parameters
    ----------
    max_epochs : int
        Length of the training.
    batch_size : int
        Rows per step, about.
    lr : float
        Learning rate at its peak.
    corruption : float, default=0.1
        Share of the cells that are swapped with those of other rows.
    distortion_weight : float, default=0.0
        Weight of the competition loss that reaches the encoder.
    streaming : bool, default=False
        Whether there is no known end; rates then stay at half their peak.
    """

    max_epochs: int
    batch_size: int
    lr: float
    corruption: float = 0.1
    distortion_weight: float = 0.0
    streaming: bool = False

    def lr_factor(self, step: int, n_steps: int) -> float:
        """Return the factor on all rates at a step: short warm-up, then a cosine."""
        progress = 0.5 if self.streaming else min(1.0, step / max(1, n_steps))
        return warm_up(step, n_steps) * 0.5 * (1 + math.cos(math.pi * progress))
