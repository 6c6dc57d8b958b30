"""Which rows each view leaves out, so that every row is judged by someone impartial."""

import numpy as np
import torch
from torch import Tensor

N_FOLDS = 4
_MIN_ROWS = 10 * N_FOLDS


def assign_folds(
    columns: list[np.ndarray], classes: np.ndarray, seed: int
) -> np.ndarray | None:
    """Deal the distinct rows of a table to folds of equal size, class by class.

    Equal rows share a fold, however often they occur: a twin in training would tell
    the answer. For the same reason a row of weight two counts like two rows.

    Parameters
    ----------
    columns : list of ndarray of shape (n,)
        Columns of the table.
    classes : ndarray of shape (n,)
        Class indices.
    seed : int
        Seed of the draw.

    Returns
    -------
    folds : ndarray of shape (n,), or None
        From 0 to ``N_FOLDS - 1``; None for fewer than 40 distinct rows, of which
        none can be spared.
    """
    identity, firsts = _number_distinct([*columns, classes])
    if len(firsts) < _MIN_ROWS:
        return None
    shuffled = np.random.default_rng(seed).permutation(len(firsts))
    by_class = shuffled[np.argsort(classes[firsts][shuffled], kind="stable")]
    folds = np.empty(len(firsts), dtype=np.int64)
    folds[by_class] = np.arange(len(firsts)) % N_FOLDS
    return folds[identity]


def _number_distinct(columns: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of every row among the distinct ones, and one row of each.

    Numbered by their order, not by their place: the last digit of a standardized value
    may depend on how weights were given, its rank does not.
    """
    order = np.lexsort(columns)
    new = np.zeros(len(order), dtype=bool)
    new[0] = True
    for column in columns:
        ordered = column[order]
        same = ordered[1:] == ordered[:-1]
        if ordered.dtype.kind == "f":
            same |= np.isnan(ordered[1:]) & np.isnan(ordered[:-1])
        new[1:] |= ~same
    identity = np.empty(len(order), dtype=np.int64)
    identity[order] = np.cumsum(new) - 1
    return identity, order[new]


def is_left_out(folds: Tensor, n_views: int) -> Tensor:
    """Return which views leave out which rows.

    Parameters
    ----------
    folds : Tensor of shape (B,)
        Folds of the rows; -1 for rows that no view leaves out.
    n_views : int
        Number of views.

    Returns
    -------
    left_out : Tensor of shape (B, n_views), dtype bool
        View v leaves out fold ``v % N_FOLDS``.
    """
    views = torch.arange(n_views, device=folds.device) % N_FOLDS
    return folds[:, None] == views
