"""How long an autoencoder trains, and in which phases."""

import math
from dataclasses import dataclass
from typing import ClassVar

from sklearn_ddcl.training.schedule import warm_up

PHASES = ("free", "soft", "hard")
_FREE_SHARE, _HARD_SHARE = 0.1, 0.15


@dataclass(frozen=True)
class AutoencoderPlan:
    """Everything about the training of an autoencoder that was decided before.

    A training goes through three phases. While it is "free", latents pass without
    codebooks. While it is "soft", they are blurred by the soft quantization error, and
    the temperature falls. While it is "hard", the encoder rests and the decoder and
    the prototypes adapt to hard codes.

    Parameters
    ----------
    max_epochs : int
        Length of the training.
    batch_size : int
        Rows per step, about.
    lr : float
        Learning rate at its peak.
    prototype_lr_ratio : float, default=5.0
        How many times faster prototypes learn while codes are hard; before, they
        follow their latents in closed form.
    temperature : float or None, default=None
        A fixed temperature; None anneals.
    commitment : float, default=0.15
        Weight of the pull of latents towards their prototypes while codes are soft.
    start, end : float
        The temperature falls geometrically from `start` to `end` times the one at
        which a typical cell of the codebook would split.
    """

    max_epochs: int
    batch_size: int
    lr: float
    prototype_lr_ratio: float = 5.0
    temperature: float | None = None
    commitment: float = 0.15
    start: float = 2.0
    end: float = 0.1
    streaming: ClassVar[bool] = False

    @property
    def n_free(self) -> int:
        """Epochs before the codebooks are placed."""
        return round(_FREE_SHARE * self.max_epochs)

    @property
    def n_soft(self) -> int:
        """Epochs while the temperature falls; at least one."""
        n_hard = math.ceil(_HARD_SHARE * self.max_epochs)
        return max(1, self.max_epochs - self.n_free - n_hard)

    def phase(self, epoch: int) -> str:
        """Return the phase of an epoch, counted from zero."""
        if epoch < self.n_free:
            return "free"
        return "soft" if epoch < self.n_free + self.n_soft else "hard"

    def temperature_ratio(self, epoch: int) -> float:
        """Return the temperature of an epoch, in units of the splitting one."""
        progress = (epoch - self.n_free) / max(1, self.n_soft - 1)
        return self.start * (self.end / self.start) ** min(1.0, max(0.0, progress))

    def lr_factor(self, step: int, n_steps: int) -> float:
        """Return the factor on all rates at a step: short warm-up, then a cosine."""
        progress = min(1.0, step / max(1, n_steps))
        return warm_up(step, n_steps) * 0.5 * (1 + math.cos(math.pi * progress))
