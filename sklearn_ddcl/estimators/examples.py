"""Training rows that stand for prototypes."""

from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from sklearn_ddcl.estimators.fitted_network import FittedNetwork
from sklearn_ddcl.estimators.table_encoder import EncodedTable

_MAX_ROWS = 20_000


def typical_rows(
    fitted: FittedNetwork, encoded: EncodedTable, weights: np.ndarray
) -> np.ndarray:
    """Return, for every prototype, the row that it answers for most.

    The nearest row would not do: when its tokens are near several prototypes, it may
    be of another class than the prototype votes for.

    Parameters
    ----------
    fitted : FittedNetwork
        Trained network.
    encoded : EncodedTable
        Rows to choose from; of a long table, a regular sample of 20,000.
    weights : ndarray of shape (n,)
        Rows of weight zero are not chosen.

    Returns
    -------
    rows : ndarray of shape (n_prototypes,)
        Positions in `encoded`; one row may stand for two prototypes.
    """
    candidates = np.flatnonzero(weights)
    candidates = candidates[:: max(1, -(-len(candidates) // _MAX_ROWS))]
    chosen = EncodedTable(*(part[candidates] for part in encoded))
    return candidates[fitted.assign(chosen).argmax(0)]


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """Return some rows of an array or frame, as the same kind of table.

    Parameters
    ----------
    X : ndarray or frame of shape (n_samples, n_features)
        Table.
    rows : ndarray of shape (n_rows,)
        Positions.

    Returns
    -------
    rows : ndarray or frame of shape (n_rows, n_features)
        A copy.
    """
    taken = _safe_indexing(X, rows)
    return taken.copy() if isinstance(taken, np.ndarray) else taken
