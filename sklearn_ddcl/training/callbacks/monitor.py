"""One line of measurements per epoch."""

import math
import time
from typing import Any

import torch
from skorch.callbacks import Callback

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.history import COLUMNS

# Of the sample, the tokens whose loss is taken apart; in float64 that costs most.
_MOST_TOKENS = 2048


class Monitor(Callback):
    """Fill ``net.measurements``."""

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
    some = slice(None, None, math.ceil(state.weights.numel() / _MOST_TOKENS))
    parts = F.decompose(
        state.tokens[some], prototypes, state.assignments[some], reduction="none"
    )
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
