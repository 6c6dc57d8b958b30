"""One line of measurements per epoch, and warnings at the end."""

import math
import time
import warnings
from typing import Any

import torch
from skorch.callbacks import Callback

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.history import COLUMNS
from sklearn_ddcl.training.messages import CollapseWarning, TimeScaleWarning
from sklearn_ddcl.training.probe import BankState

_MIN_TOKEN_VARIANCE = 0.05
_MIN_TOLD_APART = 1.01
_MAX_TRACKING = 0.5
_SETTLING_STEPS = 300


class Monitor(Callback):
    """Fill ``net.measurements`` and say when prototypes or tokens have collapsed."""

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Start the clock and note how far tokens spread at first."""
        self.began_ = time.perf_counter()
        if net.module_.bank is not None and not hasattr(net, "first_variance"):
            net.first_variance = float(net.bank_state.token_variance)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Measure the epoch that ends."""
        row = net.history[-1]
        measured = {name: math.nan for name in COLUMNS}
        measured |= {
            "epoch": len(net.measurements) + 1,
            "loss": row["train_loss"],
            "task_loss": row["train_task_loss"],
            "valid_loss": row.get("valid_loss", math.nan),
            "valid_score": row.get("valid_score", math.nan),
            "n_revived": row.get("n_revived", 0),
            "lr": net.optimizer_.param_groups[-1]["lr"],
            "seconds": time.perf_counter() - self.began_,
        }
        if net.module_.bank is not None:
            measured |= measure_bank(net)
        net.measurements.append(measured)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Warn when what training left behind cannot be trusted."""
        if net.module_.bank is None or not net.measurements:
            return
        last = net.measurements[-1]
        if last["token_variance"] < _MIN_TOKEN_VARIANCE:
            warnings.warn(
                _TOKENS_COLLAPSED.format(**last), CollapseWarning, stacklevel=2
            )
        elif (
            len(net.module_.bank.prototypes) > 1
            and told_apart(net.bank_state) < _MIN_TOLD_APART
        ):
            warnings.warn(_BANK_COLLAPSED.format(**last), CollapseWarning, stacklevel=2)
        # A short training has not had the time to settle, whatever its rates.
        if last["tracking"] > _MAX_TRACKING and net.step >= _SETTLING_STEPS:
            message = _LAGGING.format(ratio=net.plan.prototype_lr_ratio, **last)
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


def measure_bank(net: Any) -> dict[str, float]:
    """Return the state of the bank as numbers for the history.

    Parameters
    ----------
    net : DDCLNet
        With an up-to-date ``bank_state``.

    Returns
    -------
    measured : dict
        Name to value.
    """
    state, bank = net.bank_state, net.module_.bank
    prototypes = bank.prototypes.detach().to(state.tokens.dtype)
    parts = F.decompose(state.tokens, prototypes, state.assignments, reduction="none")
    values = {
        "reconstruction": parts.reconstruction.mean(),
        "diversity": parts.diversity.mean(),
        "identity_residual": F.Decomposition(*(p.mean() for p in parts)).residual,
        "perplexity": F.perplexity(state.assignments, state.weights),
        "min_prototype_distance": F.min_prototype_distance(prototypes),
        "token_variance": state.token_variance / max(net.first_variance, 1e-30),
        "temperature": bank.temperature,
        "critical_temperature": 2 * state.top_eigenvalue,
        "tracking": F.tracking_error(
            state.tokens, prototypes, state.assignments, state.weights
        ),
    }
    numbers = torch.stack([value.detach().double().cpu() for value in values.values()])
    return dict(zip(values, numbers.tolist(), strict=True))


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
_LAGGING = (
    "The prototypes do not keep up with the encoder: they lag behind their tokens by "
    "{tracking:.0%} of the tokens' spread. Raise prototype_lr_ratio (now {ratio:g}; 10 "
    "is a good start), lower lr, or train longer."
)
