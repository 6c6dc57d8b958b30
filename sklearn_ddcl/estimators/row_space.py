"""Tables as points between which distances mean something, and back."""

from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from sklearn.utils.validation import validate_data

from sklearn_ddcl.estimators.columns import (
    CATEGORY,
    as_table,
    read_columns,
    with_names,
    without_mask,
)
from sklearn_ddcl.estimators.table_encoder import EncodedTable, TableEncoder

_NAN_HINT = "Set allow_nan=True to compare rows by what they have, or impute."


class RowSpace:
    """Learn how the rows of a table become points.

    A table of numbers is taken as it is, in its own units. In a table that also holds
    text, categories or booleans no unit fits all columns: numbers are then divided by
    their standard deviation, and every category has a coordinate that is one for the
    rows that have it. Two rows of different categories are as far apart as two rows are
    on the average in one of the numbers.

    Parameters
    ----------
    allow_nan : bool, default=False
        Whether numbers may be missing.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        As for :class:`TableEncoder`.

    Attributes
    ----------
    table : TableEncoder or None
        Encoder of a table with categories.
    means, stds : ndarray of shape (F,)
        Of its encoded numbers.
    """

    def __init__(
        self, allow_nan: bool = False, categorical_features: Any = "from_dtype"
    ) -> None:
        self.allow_nan = allow_nan
        self.categorical_features = categorical_features
        self.table: TableEncoder | None = None

    def fit(self, estimator: Any, X: Any, weights: np.ndarray) -> Any:
        """Learn from a table and return its rows as points.

        Parameters
        ----------
        estimator : estimator
            Learns the names and the number of the columns.
        X : ndarray or frame of shape (n_samples, n_features)
            Table, as let through by :func:`as_table`.
        weights : ndarray of shape (n_samples,)
            Importance of the rows.

        Returns
        -------
        points : ndarray of shape (n_samples, n_dimensions)
            Of the type of `X` if that is a floating one.
        """
        if not self._is_mixed(X):
            points = self._numbers(estimator, X, reset=True)
            return self._of_numbers(points, weights)
        X = self._named(estimator, X, reset=True)
        self.table = TableEncoder(self.categorical_features)
        encoded = self.table.fit(X, weights)
        self.means, variances = column_moments(encoded.numbers, weights)
        self.stds = np.sqrt(variances)
        self.stds[self.stds == 0] = 1.0
        return self._of_table(encoded)

    def transform(self, estimator: Any, X: Any) -> Any:
        """Return the rows of a table as points.

        Parameters
        ----------
        estimator : estimator
            Knows the names and the number of the columns.
        X : array-like or frame of shape (n_samples, n_features)
            Table with the same columns.

        Returns
        -------
        points : ndarray of shape (n_samples, n_dimensions)
            NaN where a number is missing.
        """
        X = without_mask(X)
        if self.table is None:
            return self._of_numbers(self._numbers(estimator, X, reset=False))
        return self._of_table(
            self.table.transform(self._named(estimator, X, reset=False))
        )

    def inverse(self, points: Any) -> Any:
        """Return the rows that points stand for.

        Parameters
        ----------
        points : ndarray of shape (n, n_dimensions)
            Points, of no row in particular.

        Returns
        -------
        rows : ndarray or DataFrame of shape (n, n_features)
            A frame if the table had categories: of each column the one whose
            coordinate is largest.
        """
        if self.table is None:
            return points
        n_numbers = len(self.means)
        codes, start = [], n_numbers
        for known in self.table.categories:
            width = len(known) + 1
            codes.append(points[:, start : start + width].argmax(1))
            start += width
        return self._frame(points[:, :n_numbers], codes)

    def _frame(self, numbers: np.ndarray, codes: list[np.ndarray]) -> pd.DataFrame:
        """Return standardized numbers and category codes as they came."""
        assert self.table is not None
        numbers = numbers * self.stds + self.means
        numbers = numbers * self.table.scales + self.table.centers
        columns, f, g = {}, 0, 0
        for name, kind in zip(self.table.names, self.table.kinds, strict=True):
            if kind == CATEGORY:
                known = np.array([None, *self.table.categories[g]], dtype=object)
                columns[name] = known[codes[g]]
                g += 1
            else:
                columns[name] = numbers[:, f]
                f += 1
        return pd.DataFrame(columns)

    def _of_numbers(self, points: np.ndarray, weights: np.ndarray | None = None) -> Any:
        """Return a table of numbers as it is used; weights are those of a fit."""
        return points

    def _of_table(self, encoded: EncodedTable) -> Any:
        """Return an encoded table as it is used."""
        assert self.table is not None
        points = [self._standardized(encoded.numbers)]
        for g, known in enumerate(self.table.categories):
            points.append(np.eye(len(known) + 1)[encoded.codes[:, g]])
        return np.hstack(points)

    def _standardized(self, numbers: np.ndarray) -> np.ndarray:
        numbers = (numbers - self.means) / self.stds
        missing = np.isnan(numbers)
        if missing.any() and not self.allow_nan:
            column = int(missing.any(0).argmax())
            raise ValueError(
                f"Input X contains NaN, first in numerical column {column}. {_NAN_HINT}"
            )
        return numbers

    def _is_mixed(self, X: Any) -> bool:
        marked = self.categorical_features
        if not (isinstance(marked, str) and marked == "from_dtype"):
            return True
        if isinstance(X, np.ndarray) and X.dtype.kind in "iuf":
            return False
        if isinstance(X, pd.DataFrame) and all(map(_is_number, X.dtypes)):
            return False
        X = as_table(X)
        if isinstance(X, np.ndarray) and X.dtype.kind in "biuf":
            return False
        return any(column.kind == CATEGORY for column in read_columns(X))

    def _numbers(self, estimator: Any, X: Any, *, reset: bool) -> np.ndarray:
        try:
            points = validate_data(
                estimator,
                X,
                reset=reset,
                dtype=[np.float64, np.float32],
                ensure_all_finite="allow-nan" if self.allow_nan else True,
            )
        except ValueError as error:
            if str(error).startswith("Input X contains NaN"):
                raise ValueError(f"Input X contains NaN. {_NAN_HINT}") from error
            raise
        if reset:
            # Variances are sums over all rows.
            check_squares(points, points.size, torch.float64)
        return points

    def _named(self, estimator: Any, X: Any, *, reset: bool) -> Any:
        X = as_table(X)
        validate_data(estimator, with_names(X), reset=reset, skip_check_array=True)
        return X

    def get_state(self) -> dict[str, Any]:
        """Return what was learned as plain values."""
        state: dict[str, Any] = {"allow_nan": self.allow_nan, "table": None}
        if self.table is not None:
            state["table"] = self.table.get_state()
            state["means"] = self.means.tolist()
            state["stds"] = self.stds.tolist()
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return a space that has learned `state`."""
        space = cls(state["allow_nan"])
        if state["table"] is not None:
            space.table = TableEncoder.from_state(state["table"])
            space.means = np.array(state["means"], dtype=np.float64)
            space.stds = np.array(state["stds"], dtype=np.float64)
        return space


def _is_number(dtype: Any) -> bool:
    numeric = pd.api.types.is_numeric_dtype(dtype)
    return numeric and not pd.api.types.is_bool_dtype(dtype)


def check_squares(
    points: np.ndarray, n_summed: int, dtype: torch.dtype, center: Any = None
) -> None:
    """Raise unless sums of squared differences of points can be told in a type.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Points, NaN where a number is missing.
    n_summed : int
        How many squares are summed at most.
    dtype : torch.dtype
        The type.
    center : ndarray of shape (d,), optional
        From where they differ; by default from each other.

    Raises
    ------
    ValueError
        If points are so far away that the sums may overflow.
    """
    # Two of them may be twice as far apart.
    limit = np.sqrt(torch.finfo(dtype).max / max(1, n_summed)) / 2
    flat, near = points.ravel(order="K"), (limit / 4) ** 2
    if np.vdot(flat, flat) < near and (center is None or center @ center < near):
        # Nearly always, and at a fraction of the cost of what follows.
        return
    low, high = np.fmin.reduce(points), np.fmax.reduce(points)
    if center is None:
        center = low / 2 + high / 2
    distance = np.fmax.reduce(np.fmax(high - center, center - low))
    if distance > limit:
        single = dtype != torch.float64
        precise = ', or set precision="float64"' if single else ""
        raise ValueError(
            f"Numbers of X are up to {distance:.1e} away from their middle, expected "
            f"at most {limit:.1e}: squares would overflow {torch.finfo(dtype).dtype}. "
            "Scale the columns, for example with sklearn.preprocessing.StandardScaler"
            f"{precise}."
        )


def column_moments(
    numbers: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted means and variances of the present entries of columns.

    To the last bit the same for a row of weight two as for two rows, in any order.
    """
    means, variances = np.zeros((2, numbers.shape[1]))
    for column, entries in enumerate(numbers.T):
        present = ~np.isnan(entries) & (weights > 0)
        values, places = np.unique(entries[present], return_inverse=True)
        mass = np.bincount(places, weights[present])
        if len(values):
            means[column] = mass @ values / mass.sum()
            variances[column] = mass @ (values - means[column]) ** 2 / mass.sum()
    return means, variances
