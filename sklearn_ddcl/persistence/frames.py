"""Data frames as JSON, column by column.

pandas: numbers, dates, categories, nullable numbers and text keep their dtypes. Sparse
columns become dense, those backed by pyarrow their nullable counterparts, and values of
other kinds, such as intervals and periods, their text. polars: numbers, booleans, text,
``Categorical`` and ``Enum`` keep their dtypes, others become text.
"""

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sklearn_ddcl.persistence.errors import ModelFileError

Encode = Callable[[Any, str], Any]
Decode = Callable[[Any], Any]

_NULLABLE: dict[str, Any] = {
    "b": pd.arrays.BooleanArray,
    "i": pd.arrays.IntegerArray,
    "u": pd.arrays.IntegerArray,
    "f": pd.arrays.FloatingArray,
}
_OF_ARROW = {"b": "boolean", "i": "Int64", "u": "UInt64", "f": "Float64"}
_POLARS = {
    *("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"),
    *("Float32", "Float64", "Boolean", "String", "Categorical", "Enum"),
}
_SIMPLE = (bool, int, float, str, bytes, np.bool_, np.integer, np.floating)


def is_frame(value: Any) -> bool:
    """Return whether a value is a pandas or polars data frame."""
    polars = sys.modules.get("polars")
    return isinstance(value, pd.DataFrame) or (
        polars is not None and isinstance(value, polars.DataFrame)
    )


def encode_frame(frame: Any, encode: Encode, where: str) -> dict[str, Any]:
    """Return a data frame as JSON can hold it.

    Parameters
    ----------
    frame : DataFrame
        Of pandas or polars.
    encode : callable
        Encodes lists and arrays, given their path.
    where : str
        Path of the frame.

    Returns
    -------
    encoded : dict
    """
    if not isinstance(frame, pd.DataFrame):
        data = [_encode_polars(column, encode, where) for column in frame]
        return {"library": "polars", "names": list(frame.columns), "data": data}
    return {
        "library": "pandas",
        "columns": _encode_index(frame.columns, encode, f"{where}/columns"),
        "index": _encode_index(frame.index, encode, f"{where}/index"),
        "data": [
            _encode_series(frame.iloc[:, i], encode, f"{where}/{i}")
            for i in range(frame.shape[1])
        ],
    }


def decode_frame(encoded: dict[str, Any], decode: Decode) -> Any:
    """Return the data frame that was encoded.

    Parameters
    ----------
    encoded : dict
        From :func:`encode_frame`.
    decode : callable
        Decodes lists and arrays.

    Returns
    -------
    frame : DataFrame
        A pandas one, with a warning, where polars is needed but not installed.
    """
    if encoded["library"] == "polars":
        return _decode_polars(encoded, decode)
    index = _decode_index(encoded["index"], decode)
    columns = [_decode_series(column, decode) for column in encoded["data"]]
    if any(len(column) != len(index) for column in columns):
        raise ModelFileError("holds a table whose columns differ in length.")
    frame = pd.DataFrame(dict(enumerate(columns)), index=range(len(index)))
    frame.index, frame.columns = index, _decode_index(encoded["columns"], decode)
    return frame


def _encode_index(index: pd.Index, encode: Encode, where: str) -> dict[str, Any]:
    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    return {
        "names": encode(list(index.names), where),
        "levels": [
            _encode_series(pd.Series(level), encode, f"{where}/{i}")
            for i, level in enumerate(levels)
        ],
    }


def _decode_index(encoded: dict[str, Any], decode: Decode) -> pd.Index:
    levels = [_decode_series(level, decode) for level in encoded["levels"]]
    names = decode(encoded["names"])
    if len(levels) == 1:
        return pd.Index(levels[0], name=names[0])
    return pd.MultiIndex.from_arrays(levels, names=names)


def _encode_series(series: Any, encode: Encode, where: str) -> dict[str, Any]:
    dtype = series.dtype
    if isinstance(dtype, pd.SparseDtype):
        return _encode_series(series.sparse.to_dense(), encode, where)
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _encode_series(pd.Series(dtype.categories), encode, where)
        codes = encode(series.cat.codes.to_numpy(), f"{where}/codes")
        ordered = bool(dtype.ordered)
        return {"codes": codes, "categories": categories, "ordered": ordered}
    if isinstance(dtype, pd.ArrowDtype) and dtype.kind in _OF_ARROW:
        return _encode_series(series.astype(_OF_ARROW[dtype.kind]), encode, where)
    if isinstance(dtype, np.dtype) and dtype.kind in "biufmM" and dtype.itemsize <= 8:
        return {"numbers": encode(series.to_numpy(), where)}
    if isinstance(series.array, tuple(_NULLABLE.values())):
        numbers = series.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
        missing = series.isna().to_numpy()
        return {
            "numbers": encode(numbers, where),
            "missing": encode(missing, f"{where}/missing"),
        }
    return _encode_objects(series, encode, where)


def _encode_objects(series: Any, encode: Encode, where: str) -> dict[str, Any]:
    dtype, kind = series.dtype, "object"
    values = series.to_numpy(dtype=object)
    if not pd.api.types.is_object_dtype(dtype):
        values = np.where(series.isna(), None, values)
        if pd.api.types.is_string_dtype(dtype):
            kind = "string" if dtype.na_value is pd.NA else "str"
    return {"kind": kind, "values": encode([_simple(v) for v in values], where)}


def _simple(value: Any) -> Any:
    known = value is None or value is pd.NA or value is pd.NaT
    return value if known or isinstance(value, _SIMPLE) else str(value)


def _decode_series(encoded: dict[str, Any], decode: Decode) -> Any:
    if "codes" in encoded:
        categories = pd.Index(_decode_series(encoded["categories"], decode))
        codes, ordered = decode(encoded["codes"]), encoded["ordered"]
        return pd.Series(pd.Categorical.from_codes(codes, categories, ordered=ordered))
    if "missing" in encoded:
        numbers, missing = decode(encoded["numbers"]), decode(encoded["missing"])
        return pd.Series(_NULLABLE[numbers.dtype.kind](numbers, missing))
    if "numbers" in encoded:
        return pd.Series(decode(encoded["numbers"]))
    # What this version of pandas makes of text; "str" means that only since 3.0.
    dtypes: dict[str, Any] = {"str": pd.Series(["a"]).dtype, "string": "string"}
    dtype = dtypes.get(encoded["kind"], object)
    return pd.Series(decode(encoded["values"]), dtype=dtype)


def _encode_polars(column: Any, encode: Encode, where: str) -> dict[str, Any]:
    dtype = type(column.dtype).__name__
    if dtype not in _POLARS:
        values = [None if value is None else str(value) for value in column.to_list()]
        return {"dtype": "String", "values": encode(values, where)}
    encoded = {"dtype": dtype, "values": encode(column.to_list(), where)}
    if dtype == "Enum":
        encoded["categories"] = encode(column.dtype.categories.to_list(), where)
    return encoded


def _decode_polars(encoded: dict[str, Any], decode: Decode) -> Any:
    names, data = encoded["names"], encoded["data"]
    columns = [decode(column["values"]) for column in data]
    try:
        import polars
    except ImportError:
        warnings.warn(
            "The model was fitted on a polars frame, but polars is not installed: its "
            "examples come as a pandas frame. It predicts all the same.",
            stacklevel=2,
        )
        return pd.DataFrame(dict(zip(names, columns, strict=True)))
    series = []
    for name, column, values in zip(names, data, columns, strict=True):
        dtype = getattr(polars, _known(column["dtype"]))
        if column["dtype"] == "Enum":
            dtype = dtype(decode(column["categories"]))
        series.append(polars.Series(name, values, dtype=dtype))
    return polars.DataFrame(series)


def _known(dtype: str) -> str:
    if dtype not in _POLARS:
        raise ModelFileError(f"holds a polars column of the unknown dtype {dtype!r}.")
    return dtype
