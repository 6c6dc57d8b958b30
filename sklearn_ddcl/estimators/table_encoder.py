"""From a table of anything to standardized numbers and category codes."""

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from sklearn_ddcl.estimators.columns import CATEGORY, NUMBER, Column, read_columns

_MIN_ROWS_TO_POOL = 50
_LIMIT = 1e6


class EncodedTable(NamedTuple):
    """A table as the network sees it."""

    numbers: np.ndarray
    """(n, F), standardized, NaN where missing."""
    codes: np.ndarray
    """(n, G), int64; 0 is an unknown category."""


class TableEncoder:
    """Learn the kinds, scales and categories of the columns of a table.

    Numbers are centered on their weighted median and divided by their interquartile
    range. Categories are numbered; those seen once in a table of at least 50 rows are
    pooled with the unknown ones, and a missing category is one of its own.

    Parameters
    ----------
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        With "from_dtype" strings, categories and booleans are categorical. Otherwise
        the names, indices or a boolean mask of further columns to treat so.

    dtype : dtype, default=float64
        Type of the encoded numbers.

    Attributes
    ----------
    names : list of str
        Names of the columns.
    kinds : list of {"number", "category"}
        Kinds of the columns.
    centers, scales : ndarray of shape (F,)
        Of the numerical columns.
    exact : list of int
        Positions, among all columns, of the numerical ones that are encoded as
        categories as well.
    categories : list of list
        Known categories of every categorical column, then of those in `exact`,
        canonical strings or None for missing; the first has code 1.
    """

    def __init__(
        self, categorical_features: Any = "from_dtype", *, dtype: Any = np.float64
    ) -> None:
        self.categorical_features = categorical_features
        self.dtype = np.dtype(dtype)

    def fit(self, X: Any, weights: np.ndarray) -> EncodedTable:
        """Learn from a table and return it encoded.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Table.
        weights : ndarray of shape (n_samples,)
            Importance of the rows; those of weight zero are ignored.

        Returns
        -------
        encoded : EncodedTable
            Of all rows, the ignored ones included.
        """
        columns = read_columns(X)
        self.names = [column.name for column in columns]
        self.kinds = [column.kind for column in columns]
        for i in self._marked(columns):
            self.kinds[i] = CATEGORY
        used = weights > 0
        scaling, self.categories = [], []
        for column, kind in zip(columns, self.kinds, strict=True):
            if kind == NUMBER:
                scaling.append(_scaling(column.values[used], weights[used]))
            else:
                self.categories.append(_categories(column.values[used]))
        self.centers, self.scales = np.array(scaling).reshape(-1, 2).T
        self.exact: list[int] = []
        return self._encode(columns)

    def learn_exact(
        self, X: Any, weights: np.ndarray, numerical: list[int]
    ) -> EncodedTable:
        """Encode columns of numbers as categories as well, beside what was learned.

        Parameters
        ----------
        X, weights : array-like or frame, and ndarray
            As they were learned from.
        numerical : list of int
            Which of the numerical columns.

        Returns
        -------
        encoded : EncodedTable
            Of all rows, with further columns of codes.
        """
        columns = read_columns(X)
        places = [i for i, kind in enumerate(self.kinds) if kind == NUMBER]
        self.exact = [places[j] for j in numerical]
        for i in self.exact:
            values = _as_numbers(columns[i])[weights > 0]
            self.categories.append(_categories(values))
        return self._encode(columns)

    def transform(self, X: Any) -> EncodedTable:
        """Return a table encoded as the one that was learned from.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Table with the same columns.

        Returns
        -------
        encoded : EncodedTable
            A row for every row of `X`.

        Raises
        ------
        ValueError
            If a column of numbers now holds text.
        """
        return self._encode(read_columns(X))

    def _marked(self, columns: list[Column]) -> list[int]:
        marked = self.categorical_features
        if isinstance(marked, str) and marked == "from_dtype":
            return []
        marked = np.atleast_1d(np.asarray(marked))
        if marked.dtype.kind == "b":
            if len(marked) != len(columns):
                raise ValueError(
                    f"categorical_features has {len(marked)} entries as a mask, but X "
                    f"has {len(columns)} columns."
                )
            return np.flatnonzero(marked).tolist()
        known: dict = {column.name: i for i, column in enumerate(columns)}
        if marked.dtype.kind in "iu":
            known = {i: i % len(columns) for i in range(-len(columns), len(columns))}
        unknown = [value for value in marked.tolist() if value not in known]
        if unknown:
            raise ValueError(
                f"categorical_features names columns that X does not have: {unknown}."
            )
        return [known[value] for value in marked.tolist()]

    def _encode(self, columns: list[Column]) -> EncodedTable:
        n_rows = len(columns[0].values)
        numbers = np.empty((n_rows, len(self.centers)))
        codes = np.empty((n_rows, len(self.categories)), dtype=np.int64)
        f = g = 0
        for column, kind in zip(columns, self.kinds, strict=True):
            if kind == NUMBER:
                numbers[:, f] = _as_numbers(column)
                f += 1
            else:
                codes[:, g] = _as_codes(column.values, self.categories[g])
                g += 1
        for i in self.exact:
            codes[:, g] = _as_codes(_as_numbers(columns[i]), self.categories[g])
            g += 1
        # In place: a table may be large.
        numbers -= self.centers
        numbers /= self.scales
        numbers.clip(-_LIMIT, _LIMIT, out=numbers)
        return EncodedTable(numbers.astype(self.dtype, copy=False), codes)

    def get_state(self) -> dict[str, Any]:
        """Return what was learned as plain lists and strings."""
        return {
            "names": self.names,
            "kinds": self.kinds,
            "dtype": self.dtype.name,
            "centers": self.centers.tolist(),
            "scales": self.scales.tolist(),
            "exact": self.exact,
            "categories": self.categories,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return an encoder that has learned `state`."""
        encoder = cls(dtype=state["dtype"])
        encoder.names, encoder.kinds = state["names"], state["kinds"]
        encoder.centers = np.array(state["centers"], dtype=np.float64)
        encoder.scales = np.array(state["scales"], dtype=np.float64)
        # Files written before numbers could be categories as well have none.
        encoder.exact = state.get("exact", [])
        encoder.categories = state["categories"]
        return encoder


def _scaling(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return weighted median and interquartile range, or a stand-in for zero."""
    present = ~np.isnan(values)
    values, weights = values[present], weights[present]
    if len(values) == 0:
        return 0.0, 1.0
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weights[order])
    # Values that occur: a row of weight two gives exactly what two rows give.
    levels = np.array([0.25, 0.5, 0.75]) * mass[-1] * (1 - 1e-12)
    low, center, high = values[order][np.searchsorted(mass, levels)]
    scale = high - low
    if scale == 0:
        # Half the rows share one value: fall back on the range.
        scale = values.max() - values.min()
    return float(center), float(scale) if 0 < scale < np.inf else 1.0


def _categories(values: Any) -> list:
    codes, uniques = _numbered(values)
    counts = np.bincount(codes, minlength=len(uniques))
    tally: dict = {}
    for value, count in zip(uniques, counts, strict=True):
        key = canonical(value)
        tally[key] = tally.get(key, 0) + count
    often = 2 if len(values) >= _MIN_ROWS_TO_POOL else 1
    kept = [key for key, count in tally.items() if count >= often]
    return sorted(kept, key=lambda key: (key is None, key or ""))


def _numbered(values: Any) -> tuple[np.ndarray, Any]:
    """Return the number of every value among those that occur, and these."""
    if not isinstance(values, pd.Categorical):
        return pd.factorize(values, use_na_sentinel=False)
    # One place more, in front, for those that are missing.
    codes, known = values.codes.astype(np.intp) + 1, values.categories
    present = np.flatnonzero(np.bincount(codes, minlength=len(known) + 1))
    numbers = np.zeros(len(known) + 1, dtype=np.intp)
    numbers[present] = np.arange(len(present))
    seen = present[present > 0]
    missing = [None] * (len(present) - len(seen))
    return numbers[codes], missing + list(known[seen - 1])


def canonical(value: Any) -> str | None:
    """Return the string that names a category, None for a missing one.

    Numbers that are equal get the same name: 1, 1.0 and True are one category.
    """
    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return value.decode() if isinstance(value, bytes) else str(value)


def _as_codes(values: Any, categories: list) -> np.ndarray:
    known = {category: code for code, category in enumerate(categories, start=1)}
    codes, uniques = _numbered(values)
    table = np.array([known.get(canonical(value), 0) for value in uniques], dtype=int)
    return table[codes]


def _as_numbers(column: Column) -> np.ndarray:
    if column.kind == NUMBER:
        return column.values
    values = np.asarray(column.values, dtype=object)
    present = [value for value in values if canonical(value) is not None]
    if present and not all(isinstance(v, bool | np.bool_) for v in present):
        raise ValueError(
            f"Column {column.name!r} was numerical in fit but now holds "
            f"{present[0]!r}. Convert it to numbers, or fit on text as well."
        )
    # Booleans count as 0 and 1; a column without any value is all missing.
    return np.array(
        [np.nan if canonical(value) is None else float(value) for value in values]
    )
