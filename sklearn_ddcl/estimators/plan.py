"""What "auto" means for a table of a given size."""

from typing import Any

from sklearn_ddcl.training import TrainingPlan
from sklearn_ddcl.training.data import n_batches

_MIN_BATCH, _MAX_BATCH = 128, 1024
_ROWS_PER_BATCH_DOUBLING = 30_000
_MIN_EPOCHS = 30
# Without anybody who says when to stop, more would only teach overconfidence.
_MAX_EPOCHS, _WANTED_STEPS = 60, 2000
_MAX_EPOCHS_JUDGED, _WANTED_STEPS_JUDGED = 70, 3000


def make_plan(
    estimator: Any, n_rows: int, *, judged: bool = False, streaming: bool = False
) -> TrainingPlan:
    """Return the training plan of an estimator for a number of rows.

    Parameters
    ----------
    estimator : DDCLClassifier
        Where the parameters come from.
    n_rows : int
        Rows to train on.
    judged : bool, default=False
        Whether held-out rows choose the best epoch.
    streaming : bool, default=False
        Whether rows will go on coming without a known end.

    Returns
    -------
    plan : TrainingPlan
        Without anything left open.
    """
    batch_size = estimator.batch_size
    if batch_size == "auto":
        batch_size = choose_batch_size(n_rows)
    max_epochs = estimator.max_epochs
    if max_epochs == "auto":
        max_epochs = choose_epochs(n_rows, batch_size, judged)
    temperature = None if estimator.temperature == "auto" else estimator.temperature
    return TrainingPlan(
        max_epochs=max_epochs,
        batch_size=batch_size,
        lr=estimator.lr,
        prototype_lr_ratio=estimator.prototype_lr_ratio,
        weight_decay=estimator.weight_decay,
        distortion_weight=estimator.distortion_weight,
        temperature=temperature,
        streaming=streaming,
    )


def choose_batch_size(n_rows: int) -> int:
    """Return rows per step: 256, more for large tables and less for small ones.

    Parameters
    ----------
    n_rows : int
        Rows to train on.

    Returns
    -------
    batch_size : int
        A power of two.
    """
    if n_rows < 4 * 256:
        return _MIN_BATCH
    size = 256
    while size < _MAX_BATCH and n_rows > _ROWS_PER_BATCH_DOUBLING * size / 256:
        size *= 2
    return size


def choose_epochs(n_rows: int, batch_size: int, judged: bool = False) -> int:
    """Return how many epochs give about 2,000 steps, or 3,000 if they are judged.

    Parameters
    ----------
    n_rows, batch_size : int
        Sizes.
    judged : bool, default=False
        Whether held-out rows choose the best epoch.

    Returns
    -------
    max_epochs : int
        Number of passes over the table: from 30 to 60, or to 70 if they are judged.
    """
    steps = _WANTED_STEPS_JUDGED if judged else _WANTED_STEPS
    most = _MAX_EPOCHS_JUDGED if judged else _MAX_EPOCHS
    epochs = round(steps / n_batches(n_rows, batch_size))
    return min(most, max(_MIN_EPOCHS, epochs))
