"""Warnings about the bank that a training leaves behind."""

import warnings
from typing import Any

import torch
from skorch.callbacks import Callback

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.callbacks.monitor import measure_bank
from sklearn_ddcl.training.messages import CollapseWarning, TimeScaleWarning
from sklearn_ddcl.training.probe import BankState

_MIN_TOKEN_VARIANCE = 0.05
_MIN_TOLD_APART = 1.01
_MAX_TRACKING = 0.5
_SETTLING_STEPS = 300


class WarnOfCollapse(Callback):
    """Say when prototypes or tokens of the kept weights collapsed, or parted."""

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Warn when what training left behind cannot be trusted."""
        if not net.measurements:
            return
        kept = measure_bank(net)
        if kept["token_variance"] < _MIN_TOKEN_VARIANCE:
            warnings.warn(
                _TOKENS_COLLAPSED.format(**kept), CollapseWarning, stacklevel=2
            )
        elif (
            len(net.module_.bank.prototypes) > 1
            and told_apart(net.bank_state) < _MIN_TOLD_APART
        ):
            warnings.warn(_BANK_COLLAPSED.format(**kept), CollapseWarning, stacklevel=2)
        # A short training has not had the time to settle, whatever its rates.
        settled = net.bank_state.step >= _SETTLING_STEPS
        if settled and kept["tracking"] > _MAX_TRACKING:
            message = _OFF_TOKENS.format(ratio=net.plan.prototype_lr_ratio, **kept)
            warnings.warn(message, TimeScaleWarning, stacklevel=2)


def told_apart(state: BankState) -> float:
    """Return how many groups of tokens the assignments tell apart, effectively.

    The exponential of the information that a token's assignment carries. One means
    that all tokens are assigned alike: to one prototype, or to all of them equally, as
    above the critical temperature. Perplexity sees only the former.

    Parameters
    ----------
    state : BankState
        How the bank answers for a sample.

    Returns
    -------
    n_groups : float
        Between 1 and the number of prototypes.
    """
    q, weights = state.assignments, state.weights
    own = (weights * torch.special.entr(q).sum(-1)).sum() / weights.sum()
    return float(F.perplexity(q, weights) / own.exp())


_TOKENS_COLLAPSED = (
    "The tokens collapsed: their variance fell to {token_variance:.1%} of that at the "
    "start, so prototypes can no longer tell rows apart. Check that the target depends "
    "on the columns; otherwise lower lr."
)
_BANK_COLLAPSED = (
    "The prototypes collapsed: they answer alike for all rows, at temperature "
    '{temperature:.3g}. Set temperature="auto" or well below the critical temperature, '
    "{critical_temperature:.3g}, or lower n_prototypes."
)
_OFF_TOKENS = (
    "The prototypes are off the tokens that they answer for, by {tracking:.0%} of the "
    "tokens' spread. Decisions add up all the same, but rows are less like their "
    "prototypes. In a short training these may lag behind: train longer, or raise "
    "prototype_lr_ratio (now {ratio:g}). In a long one the task may drive them out: "
    "lower it, at some cost in accuracy."
)
