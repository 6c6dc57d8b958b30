"""Which numbers say more by what they are than by where they stand."""

import numpy as np
from scipy.stats import binom

from sklearn_ddcl.estimators.distinct_rows import distinct_rows
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.networks.table import MOST_BINS

_ROWS = 100_000
# A value of so few rows says nothing by itself.
_FEWEST_ROWS = 10
# A heavier value has an interval of the finest curves to itself.
_MOST_SHARE = 1 / MOST_BINS
_FEWEST_NEIGHBORS = 20
# Rows that the expectation counts for.
_PRIOR = 2.0
# In nats per row: one and a quarter times as probable.
_LEAST_GAIN = 0.2
# That values which tell nothing name any column of a table.
_MOST_CHANCE = 0.01


def telling_columns(
    encoded: EncodedTable, classes: np.ndarray, weights: np.ndarray
) -> list[int]:
    """Return the columns of numbers whose exact values tell the class.

    Codes that look like numbers, amounts fixed by law and prices of a list are such
    columns: neighboring values have nothing in common, so that no curve that is finite
    in detail follows them. A column is named if its values make the class of other rows
    with the same value at least one and a quarter times as probable as the values
    around them do, and if so many of them do so as a fair coin would not say in one of
    a hundred tables.

    Parameters
    ----------
    encoded : EncodedTable
        Rows; of more than 100,000 a regular subset is looked at.
    classes : ndarray of shape (n,)
        Class indices.
    weights : ndarray of shape (n,)
        Importance of the rows; only whether it is positive matters, and equal rows
        count once, so that a row of weight two counts like two rows.

    Returns
    -------
    columns : list of int
        Positions among the columns of numbers.
    """
    stride = max(1, len(classes) // _ROWS)
    numbers, codes = (part[::stride] for part in encoded)
    classes, weights = classes[::stride], weights[::stride]
    candidates = [j for j, x in enumerate(numbers.T) if _repeats(x)]
    if not candidates:
        return []
    labeled = EncodedTable(numbers, np.column_stack([codes, classes]))
    distinct = distinct_rows(labeled, weights).encoded
    own_classes = distinct.codes[:, -1]
    told = [exact_gain(distinct.numbers[:, j], own_classes) for j in candidates]
    return [
        j
        for j, (gain, chance) in zip(candidates, told, strict=True)
        if gain >= _LEAST_GAIN and chance * len(candidates) <= _MOST_CHANCE
    ]


def exact_gain(values: np.ndarray, classes: np.ndarray) -> tuple[float, float]:
    r"""Return how much more a value tells of a row's class than its neighbors do.

    Of a row with value :math:`v` the neighbors of the value, as many rows below it as
    above it, expect the class distribution :math:`s_v`. The other rows with the same
    value correct that to :math:`(n_{vc} - 1 + 2 s_{vc}) / (n_v + 1)`. The gain is the
    mean of the logarithm of their ratio at the row's own class :math:`c`. Values of
    fewer than ten rows are left out, and those that are heavy enough for an interval of
    a curve to themselves.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Numbers, NaN where missing.
    classes : ndarray of shape (n,)
        Class indices.

    Returns
    -------
    gain : float
        In nats per row with such a value; negative where exact values are noise.
    chance : float
        Probability that as many values gain if each did so by the toss of a fair coin.
    """
    present = np.isfinite(values)
    values, classes = values[present], classes[present]
    counts = _count(values, classes)
    counts = counts[counts.sum(1) <= _MOST_SHARE * len(values)]
    rows = counts.sum(1)
    often = rows >= _FEWEST_ROWS
    if often.sum() < 2:
        return 0.0, 1.0
    counts = counts[:, counts.any(0)]
    n_rows = rows.sum()
    expected = _neighbors(counts, max(_FEWEST_NEIGHBORS, _MOST_SHARE * n_rows))
    expected += _PRIOR * counts.sum(0) / n_rows
    expected /= expected.sum(1, keepdims=True)
    counts, rows, expected = counts[often], rows[often], expected[often]
    corrected = (counts - 1 + _PRIOR * expected) / (rows[:, None] - 1 + _PRIOR)
    # No row asks about a class that its value does not have.
    ratio = np.where(counts > 0, corrected / expected, 1.0)
    gains = (counts * np.log(ratio)).sum(1)
    chance = binom.sf((gains > 0).sum() - 1, len(gains), 0.5)
    return float(gains.sum() / rows.sum()), float(chance)


def _repeats(values: np.ndarray) -> bool:
    """Return whether two values of a column may be frequent enough to tell anything."""
    _, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    return bool((counts >= _FEWEST_ROWS).sum() >= 2)


def _count(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the rows of every value and class, values in increasing order."""
    distinct, which = np.unique(values, return_inverse=True)
    n_classes = int(classes.max(initial=0)) + 1
    cells = which.ravel() * n_classes + classes
    counts = np.bincount(cells, minlength=len(distinct) * n_classes)
    return counts.reshape(-1, n_classes).astype(np.float64)


def _neighbors(counts: np.ndarray, n: float) -> np.ndarray:
    """Return the classes of the `n` rows below and the `n` rows above every value.

    Of a value that is reached in part the rows count in part.
    """
    ends = counts.sum(1).cumsum()
    starts = ends - counts.sum(1)
    before = np.vstack([np.zeros(counts.shape[1]), counts.cumsum(0)])

    def first(n_rows: np.ndarray) -> np.ndarray:
        n_rows = n_rows.clip(0, ends[-1])
        which = np.searchsorted(ends, n_rows).clip(0, len(ends) - 1)
        part = (n_rows - starts[which]) / (ends - starts)[which]
        return before[which] + part[:, None] * counts[which]

    below = first(starts) - first(starts - n)
    return below + first(ends + n) - first(ends)
