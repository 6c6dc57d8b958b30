"""Dead and duplicate prototypes find a new place."""

from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.probe import BankState

_DEAD_SHARE = 0.01
_DUPLICATE_SHARE = 1e-2
_AT_ONCE = 0.25


class RevivePrototypes(Callback):
    """Place prototypes anew that answer for nothing or that double another one.

    While the temperature is annealed, a prototype is dead when its mass is below a
    hundredth of an equal share, and a duplicate when another, heavier one is nearer
    than a tenth of the typical distance of a token to its prototype. Each moves to the
    token that is farthest from all prototypes and takes up its class.
    """

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Revive what needs it, and count."""
        epoch = len(net.measurements)
        n_revived = 0
        # Right after the start the bank has not had time to settle.
        if epoch >= 2 and net.plan.is_annealing(epoch + 2):
            n_revived = self._revive(net)
        net.history.record("n_revived", n_revived)

    def _revive(self, net: Any) -> int:
        bank, state = net.module_.bank, net.bank_state
        with torch.no_grad():
            idle = find_idle(bank.prototypes, state)
            idle = idle[: max(1, int(_AT_ONCE * len(bank.prototypes)))]
            for k in idle.tolist():
                row, token = farthest_token(bank.prototypes, state)
                bank.prototypes[k] = state.tokens[row, token]
                votes = net.module_.readout.votes.logits
                votes[k] = 0
                votes[k, state.classes[row]] = votes.amax().clamp_min(1)
                for values in (bank.prototypes, votes):
                    _forget(net.optimizer_, values, k)
        return len(idle)


def find_idle(prototypes: Tensor, state: BankState) -> Tensor:
    """Return the indices of dead and duplicate prototypes, the least useful first.

    Parameters
    ----------
    prototypes : Tensor of shape (K, d)
        Prototypes.
    state : BankState
        How they answer for a sample.

    Returns
    -------
    idle : Tensor of shape (n_idle,), dtype int64
        Never all of them.
    """
    _, mass = F.centroids(state.tokens, state.assignments, state.weights)
    within = F.distortion(state.tokens, prototypes, state.assignments, state.weights)
    order = mass.argsort(descending=True, stable=True)
    gaps = F.squared_distances(prototypes[order], prototypes[order], direct=True)
    heavier = torch.ones_like(gaps).tril(-1).bool()
    near = (gaps < _DUPLICATE_SHARE * within) & heavier
    idle = near.any(1) | (mass[order] < _DEAD_SHARE / len(prototypes))
    idle[0] = False
    return order[idle].flip(0)


def farthest_token(prototypes: Tensor, state: BankState) -> tuple[int, int]:
    """Return row and position of the token farthest from every prototype.

    Parameters
    ----------
    prototypes : Tensor of shape (K, d)
        Prototypes.
    state : BankState
        Tokens to choose from.

    Returns
    -------
    row, token : int
        Where it stands in ``state.tokens``.
    """
    distances = F.squared_distances(state.tokens, prototypes).amin(-1)
    return divmod(int(distances.argmax()), distances.shape[1])


def _forget(optimizer: torch.optim.Optimizer, values: Tensor, k: int) -> None:
    """Clear what the optimizer remembers of one prototype's former place."""
    for name, moment in optimizer.state.get(values, {}).items():
        if name != "step":
            moment[k] = 0
