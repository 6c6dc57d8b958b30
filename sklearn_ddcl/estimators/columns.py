"""Columns of any table that a user may hand over."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array

NUMBER, CATEGORY = "number", "category"


class Column(NamedTuple):
    """One column."""

    name: str
    kind: str
    values: Any
    """Float64, or objects; or a pandas Categorical, whose categories are numbered."""


def is_frame(X: Any) -> bool:
    """Return whether a table has named columns, as pandas and polars frames do."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def without_mask(X: Any) -> Any:
    """Return a masked array with its masked entries missing, anything else as it is.

    scikit-learn would read what is under the mask.

    Parameters
    ----------
    X : array-like or frame
        What the user gave.

    Returns
    -------
    X : array-like or frame
        Masked numbers have become NaN, other values None.
    """
    if not isinstance(X, np.ma.MaskedArray):
        return X
    if X.dtype.kind in "iu":
        X = X.astype(np.float64)
    if X.dtype.kind == "f":
        return X.filled(np.nan)
    values = X.data.astype(object)
    values[np.ma.getmaskarray(X)] = None
    return values


def as_table(X: Any) -> Any:
    """Return a frame as it is and anything else as a two-dimensional array.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        What the user gave.

    Returns
    -------
    X : frame or ndarray
        Not empty.

    Raises
    ------
    ValueError
        If it is empty, complex or not two-dimensional.
    TypeError
        If it is sparse.
    """
    if not is_frame(X):
        X = without_mask(X)
        if isinstance(X, list | tuple) and np.asarray(X).dtype.kind in "US":
            # NumPy has made strings of the numbers in it as well.
            X = np.array(X, dtype=object)
        return check_array(X, dtype=None, ensure_all_finite=False)
    for size, what in zip(X.shape, ("sample", "feature"), strict=True):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={tuple(X.shape)}) while a "
                "minimum of 1 is required."
            )
    return X


def with_names(X: Any) -> Any:
    """Return something whose column names every supported scikit-learn reads.

    Parameters
    ----------
    X : ndarray or frame
        As let through by :func:`as_table`.

    Returns
    -------
    X : ndarray or DataFrame
        For a frame other than of pandas only its header: scikit-learn before 1.9 asks
        for an interchange protocol that recent ones have dropped, and would miss that
        columns come in another order.
    """
    if not is_frame(X) or isinstance(X, pd.DataFrame):
        return X
    return pd.DataFrame(columns=list(X.columns))


def read_columns(X: Any) -> list[Column]:
    """Return the columns of a table that :func:`as_table` has let through.

    Numbers come as float64 with NaN where missing, strings and booleans as objects with
    None where missing, categories as they are.

    Parameters
    ----------
    X : ndarray or frame of shape (n_samples, n_features)
        The table.

    Returns
    -------
    columns : list of Column
        In the order of the table.

    Raises
    ------
    TypeError
        If a column holds something else, such as dates, lists or dicts.
    ValueError
        If numbers are complex or infinite.
    """
    if is_frame(X):
        columns = _read_frame(X)
    else:
        columns = _read_array(X)
    for column in columns:
        if column.kind == NUMBER and np.isinf(column.values).any():
            raise ValueError(
                "Input X contains infinity or a value too large for dtype('float64'), "
                f"first in column {column.name!r}. Replace it, for example by NaN, "
                "which counts as missing."
            )
    return columns


def _read_array(X: np.ndarray) -> list[Column]:
    if X.dtype.kind in "biuf":
        kind = CATEGORY if X.dtype.kind == "b" else NUMBER
        X = X.astype(object if kind == CATEGORY else np.float64, copy=False)
        return [Column(f"x{i}", kind, x) for i, x in enumerate(X.T)]
    return [_read_objects(f"x{i}", x.astype(object)) for i, x in enumerate(X.T)]


def _read_frame(X: Any) -> list[Column]:
    if not hasattr(X, "iloc"):
        # polars: without pyarrow, through NumPy.
        X = pd.DataFrame({name: pd.Series(X[name].to_numpy()) for name in X.columns})
    plain = [isinstance(t, np.dtype) and t.kind in "iuf" for t in X.dtypes]
    # All at once: to ask for one takes longer than to read its numbers.
    numbers = iter(X.loc[:, plain].to_numpy(dtype=np.float64).T)
    return [
        Column(str(name), NUMBER, next(numbers))
        if plain[i]
        else _read_series(str(name), X.iloc[:, i])
        for i, name in enumerate(X.columns)
    ]


def _read_series(name: str, series: pd.Series) -> Column:
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return Column(name, CATEGORY, series.array)
    if pd.api.types.is_bool_dtype(dtype):
        return Column(name, CATEGORY, _objects(series))
    if pd.api.types.is_complex_dtype(dtype):
        raise ValueError(f"Complex data not supported, found in column {name!r}.")
    if pd.api.types.is_numeric_dtype(dtype):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return Column(name, NUMBER, values)
    if isinstance(dtype, pd.StringDtype):
        return Column(name, CATEGORY, _objects(series))
    if pd.api.types.is_string_dtype(dtype) or pd.api.types.is_object_dtype(dtype):
        return _read_objects(name, _objects(series))
    raise TypeError(
        f"Column {name!r} has dtype {dtype}, expected numbers, strings, categories or "
        "booleans. Turn it into numbers first, a date for example into days."
    )


def _objects(series: pd.Series) -> np.ndarray:
    values = series.to_numpy(dtype=object)
    missing = series.isna().to_numpy()
    return _without(values, missing)


def _without(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return values with None in place of the missing ones."""
    if missing.any():
        values = values.copy()
        values[missing] = None
    return values


def _read_objects(name: str, values: np.ndarray) -> Column:
    """Tell numbers from text in a column of objects."""
    missing = pd.isna(values)
    kinds = {type(value) for value in values[~missing]}
    if all(issubclass(kind, str | bytes | bool | np.bool_) for kind in kinds):
        # All missing: a category, of which only "missing" has been seen.
        return Column(name, CATEGORY, _without(values, missing))
    numeric = (int, float, np.integer, np.floating, np.bool_)
    if all(issubclass(kind, numeric) for kind in kinds):
        numbers = np.full(len(values), np.nan)
        numbers[~missing] = values[~missing].astype(np.float64)
        return Column(name, NUMBER, numbers)
    if all(issubclass(kind, (*numeric, str)) for kind in kinds):
        return Column(name, CATEGORY, _without(values, missing))
    odd = sorted(
        kind.__name__ for kind in kinds if not issubclass(kind, (*numeric, str))
    )
    raise TypeError(
        f"In column {name!r} every argument must be a string or a number, got "
        f"{', '.join(odd)}. Turn it into numbers first, a date for example into days."
    )


def floating_dtype(X: Any) -> type:
    """Return the type of floating answers to a table: float32 for float32.

    Parameters
    ----------
    X : array-like or frame
        Table.

    Returns
    -------
    dtype : type
        NumPy's float32 or float64.
    """
    return np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64
