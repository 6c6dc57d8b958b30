"""Prototypes that follow the latents of recent batches in closed form."""

from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor

_DECAY = 0.9
_SMALLEST_LOG = -60


class TrackLatents(Callback):
    """Keep every prototype at the assigned mean of its recent latents.

    Running sums forget a tenth of the past with every step. The encoder feels nothing
    of this, so that no latent is drawn towards a prototype for the prototype's sake.
    """

    def on_batch_end(self, net: Any, batch: Any = None, **kwargs: Any) -> None:
        """Take in the batch and move the prototypes."""
        if net.phase != "soft":
            return
        _, targets = batch
        # Cut off far below rounding: subnormal numbers are slow.
        q = net.quantized_.log_assignments.clamp_min(_SMALLEST_LOG).exp()
        q = targets.weights[:, None, None] * q
        inputs = net.quantized_.inputs.to(q.dtype)
        self.mass.mul_(_DECAY).add_(q.sum(0), alpha=1 - _DECAY)
        sums = torch.einsum("bmk,bmd->mkd", q, inputs)
        self.sums.mul_(_DECAY).add_(sums, alpha=1 - _DECAY)
        # A prototype without any mass stays where it is.
        alive = self.mass > torch.finfo(q.dtype).eps * len(q)
        means = (
            self.sums / self.mass.where(alive, torch.ones_like(self.mass))[..., None]
        )
        with torch.no_grad():
            prototypes = net.module_.codebook.prototypes
            prototypes.copy_(torch.where(alive[..., None], means, prototypes))

    def restart(self, prototypes: Tensor, mass: Tensor) -> None:
        """Let the running sums be those of prototypes (M, K, d) of a mass (M, K)."""
        self.mass = mass.clone()
        self.sums = mass[..., None] * prototypes.detach()
