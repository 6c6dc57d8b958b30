"""The temperature of the competition, epoch by epoch."""

from typing import Any

import torch
from skorch.callbacks import Callback

_JITTER = 1e-3


class AnnealTemperature(Callback):
    """Lower the temperature relative to the critical one, and break ties meanwhile.

    The critical temperature depends on the tokens, so it is estimated anew after every
    epoch. Two prototypes at the same place stay together at any temperature; a jitter
    far below their spread lets them part when it falls.
    """

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Set the temperature of the coming epoch and jitter the prototypes."""
        plan, bank, epoch = net.plan, net.module_.bank, len(net.measurements)
        if plan.temperature is not None:
            bank.temperature.fill_(plan.temperature)
        else:
            # The widest spread so far counts. Following tokens that draw together
            # would harden the assignments just when they should be free to part.
            now = net.bank_state.top_eigenvalue
            widest = torch.maximum(now, getattr(net, "widest_eigenvalue", now))
            net.widest_eigenvalue = widest
            critical = 2 * widest
            # All tokens equal: any temperature will do until they part.
            critical = torch.where(critical > 0, critical, torch.ones_like(critical))
            bank.temperature.copy_(plan.temperature_ratio(epoch) * critical)
        if plan.is_annealing(epoch):
            self._jitter(net)

    def _jitter(self, net: Any) -> None:
        prototypes = net.module_.bank.prototypes
        noise = torch.empty(prototypes.shape, dtype=prototypes.dtype)
        noise.normal_(generator=net.placer)
        scale = _JITTER * net.bank_state.top_eigenvalue.sqrt()
        with torch.no_grad():
            prototypes += scale * noise.to(prototypes.device)
