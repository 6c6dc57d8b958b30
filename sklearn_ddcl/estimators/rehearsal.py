"""A training on most of the rows shows how long, and how soft, one on all should be."""

import copy
from typing import Any, NamedTuple

import numpy as np

from sklearn_ddcl.estimators.fitted_network import FittedNetwork
from sklearn_ddcl.estimators.fitting import (
    JUDGING_EPOCHS,
    JUDGING_ROWS,
    LabeledRows,
    prepare_net,
    to_rows,
)
from sklearn_ddcl.training import DDCLNet, assign_folds, one_thread
from sklearn_ddcl.training.callbacks.validate import Validate
from sklearn_ddcl.training.schedule import WARM_UP_STEPS

_JUDGMENTS = ("valid_loss", "valid_score", "valid_ratio")


class Rehearsal(NamedTuple):
    """A training on most of the rows."""

    fitted: FittedNetwork
    """The network that took part in it."""
    net: DDCLNet
    """What has trained it."""

    @property
    def judgments(self) -> list[dict[str, float]] | None:
        """What the other rows say of every epoch up to the best, if there is one."""
        best_epoch = getattr(self.net, "best_epoch", None)
        if best_epoch is None:
            return None
        return [
            {name: row[name] for name in _JUDGMENTS if name in row}
            for row in self.net.history[:best_epoch]
        ]


def rehearse(
    estimator: Any, fitted: FittedNetwork, training: LabeledRows, seed: int
) -> Rehearsal | None:
    """Train a copy of a network on three quarters of the rows, judged by the others.

    Parameters
    ----------
    estimator : DDCLClassifier
        Where the parameters come from.
    fitted : FittedNetwork
        Untrained, and stays so.
    training : LabeledRows
        Training rows. Of many, 4,096 to 8,192 judge.
    seed : int
        Seed of the training to come, and of the split.

    Returns
    -------
    rehearsal : Rehearsal or None
        None if there are too few rows.
    """
    judges = _choose_judges(training.classes, seed)
    if judges is None:
        return None
    own = FittedNetwork(
        fitted.table,
        fitted.architecture,
        copy.deepcopy(fitted.network),
        fitted.mixed_precision,
    )
    rows = to_rows(own, training.take(np.flatnonzero(~judges)))
    held_out = to_rows(own, training.take(np.flatnonzero(judges)))
    net = prepare_net(
        estimator,
        own,
        rows,
        seed=seed,
        # After a few steps chance decides, and will decide otherwise next time.
        judge=Validate(held_out, JUDGING_EPOCHS, n_steps=WARM_UP_STEPS),
        rehearsing=len(training.classes),
    )
    if estimator.verbose:
        print(f"rehearsal on {len(rows)} rows, judged by {judges.sum()}", flush=True)
    with one_thread():
        net.partial_fit(rows)
    if estimator.verbose and not net.interrupted:
        print(f"training on all {len(judges)} rows", flush=True)
    return Rehearsal(own, net)


def _choose_judges(classes: np.ndarray, seed: int) -> np.ndarray | None:
    """Return which rows judge (n,); no class is left to them alone."""
    folds = assign_folds(classes, seed)
    if folds is None:
        return None
    spared = np.flatnonzero((folds == 0) & (np.bincount(classes)[classes] > 1))
    if not len(spared):
        return None
    judges = np.zeros(len(classes), dtype=bool)
    judges[spared[:: max(1, len(spared) // JUDGING_ROWS)]] = True
    return judges
