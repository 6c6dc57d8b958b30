"""Equal rows as one row that weighs as much as all of them."""

from typing import NamedTuple

import numpy as np

from sklearn_ddcl.estimators.table_encoder import EncodedTable


class DistinctRows(NamedTuple):
    """The different rows of a table, in an order that depends on nothing else."""

    encoded: EncodedTable
    """m rows, each of them once."""
    weights: np.ndarray
    """(m,), summed over equal rows, positive."""
    first: np.ndarray
    """(m,), where each of them came first."""


def distinct_rows(encoded: EncodedTable, weights: np.ndarray) -> DistinctRows:
    """Merge equal rows and leave out those without weight.

    Whatever is then drawn for the rows, a row of weight two gets what two equal rows
    would have got, and no row depends on where it stood.

    Parameters
    ----------
    encoded : EncodedTable
        Rows.
    weights : ndarray of shape (n,)
        Their importance, non-negative.

    Returns
    -------
    distinct : DistinctRows
    """
    used = np.flatnonzero(weights)
    numbers, codes = (np.ascontiguousarray(part[used]) for part in encoded)
    cells = np.hstack([_bits(numbers), codes])
    if cells.shape[1] == 0:
        cells = np.zeros((len(cells), 1), dtype=np.int64)
    rows = cells.view(np.dtype((np.void, cells.itemsize * cells.shape[1]))).ravel()
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    summed = np.bincount(inverse.ravel(), weights[used], minlength=len(first))
    return DistinctRows(EncodedTable(numbers[first], codes[first]), summed, used[first])


def _bits(numbers: np.ndarray) -> np.ndarray:
    """Return whole numbers that are equal where numbers are; NaN equals NaN."""
    # Adding zero turns -0.0 into 0.0; a NaN has many bit patterns.
    values = numbers.astype(np.float64) + 0.0
    values[np.isnan(values)] = np.nan
    return values.view(np.int64)
