"""Which rows each view leaves out, so that every row is judged by someone impartial."""

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.training.data import Inputs, Targets

N_FOLDS = 4
_MIN_ROWS = 10 * N_FOLDS


def assign_folds(classes: np.ndarray, seed: int) -> np.ndarray | None:
    """Deal rows to folds of equal size, class by class.

    Rows are dealt one by one, also equal ones: where rows recur in a table they will
    recur among those to be predicted, and an honest judge has seen some of them.

    Parameters
    ----------
    classes : ndarray of shape (n,)
        Class indices.
    seed : int
        Seed of the draw.

    Returns
    -------
    folds : ndarray of shape (n,), or None
        From 0 to ``N_FOLDS - 1``; None for fewer than 40 rows, of which none can be
        spared.
    """
    n = len(classes)
    if n < _MIN_ROWS:
        return None
    shuffled = np.random.default_rng(seed).permutation(n)
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    folds = np.empty(n, dtype=np.int64)
    folds[by_class] = np.arange(n) % N_FOLDS
    return folds


def is_left_out(folds: Tensor, n_views: int) -> Tensor:
    """Return which views leave out which rows.

    Parameters
    ----------
    folds : Tensor of shape (B,) or (R, n_views)
        Folds of the rows, or of every view's own rows; -1 if no view leaves them out.
    n_views : int
        Number of views.

    Returns
    -------
    left_out : Tensor of shape (B or R, n_views), dtype bool
        View v leaves out fold ``v % N_FOLDS``.
    """
    views = torch.arange(n_views, device=folds.device) % N_FOLDS
    return (folds if folds.ndim == 2 else folds[:, None]) == views


def spare_left_out(
    inputs: Inputs, targets: Targets, n_views: int
) -> tuple[Inputs, Targets]:
    """Return a batch in which no view encodes rows that it leaves out.

    Parameters
    ----------
    inputs, targets : Inputs and Targets
        A batch.
    n_views : int
        Number of views that decide by themselves.

    Returns
    -------
    inputs, targets : Inputs and Targets
        With the rows of every view, or as they were: where nothing is left out, and
        away from the CPU, where counting rows would wait for the device and a quarter
        of the work is cheap.
    """
    folds = targets.folds
    if n_views < N_FOLDS or folds.device.type != "cpu" or folds[0] < 0:
        return inputs, targets
    rows = learned_rows(folds, n_views)
    own = Targets(*(values[rows] for values in targets))
    return inputs._replace(rows=rows), own


def learned_rows(folds: Tensor, n_views: int) -> Tensor:
    """Return for every view the rows of a batch that it learns from.

    Parameters
    ----------
    folds : Tensor of shape (B,)
        Folds of the rows.
    n_views : int
        Number of views.

    Returns
    -------
    rows : Tensor of shape (R, n_views), dtype int64
        Positions in the batch. Views with fewer rows than others are filled up with
        some that they leave out.
    """
    rows = _gather_rows(~is_left_out(folds, N_FOLDS))
    return rows[:, torch.arange(n_views, device=folds.device) % N_FOLDS]


def judged_rows(folds: Tensor, n_views: int) -> tuple[Tensor, Tensor]:
    """Return for every view the rows of a batch that it leaves out and so may judge.

    Parameters
    ----------
    folds : Tensor of shape (B,)
        Folds of the rows.
    n_views : int
        Number of views, at least ``N_FOLDS``.

    Returns
    -------
    rows : Tensor of shape (R, n_views), dtype int64
        Positions in the batch. Views of the same fold have the same rows in the same
        places.
    by_fold : Tensor of shape (R, N_FOLDS), dtype int64
        The same rows by fold; -1 where others fill up a fold that has fewer.
    """
    left_out = is_left_out(folds, N_FOLDS)
    by_fold = _gather_rows(left_out)
    rows = by_fold[:, torch.arange(n_views, device=folds.device) % N_FOLDS]
    return rows, by_fold.where(left_out.gather(0, by_fold), -1)


def _gather_rows(chosen: Tensor) -> Tensor:
    """Return the rows chosen in each column, then others, up to the longest list."""
    most = int(chosen.sum(0).max())
    return (~chosen).byte().argsort(dim=0, stable=True)[:most]
