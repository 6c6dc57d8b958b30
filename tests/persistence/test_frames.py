"""Frames come back with their values, and with their dtypes where that is promised."""

import builtins
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

from sklearn_ddcl.persistence import ModelFileError
from sklearn_ddcl.persistence.values import ValueReader, ValueWriter


def there_and_back(frame, change=lambda encoded: None):
    """Return a frame after a detour through JSON text, changed on the way."""
    writer = ValueWriter()
    encoded = json.loads(json.dumps(writer.encode(frame, "frame"), allow_nan=False))
    change(encoded)
    return ValueReader(writer.arrays).decode(encoded)


KEPT = {
    "float64": [0.5, np.nan, -0.0],
    "float32": np.float32([0.1, np.nan, 3]),
    "int8": np.int8([1, -2, 3]),
    "bool": [True, False, True],
    "object": pd.Series(["a", None, np.nan], dtype=object),
    "mixed objects": pd.Series([1, "a", 2.5], dtype=object),
    "flags and gaps": pd.Series([True, None, pd.NA], dtype=object),
    "bytes": pd.Series([b"a", b"\xff", None], dtype=object),
    "str": pd.Series(["a", None, "c"]),
    "string": pd.Series(["a", None, "c"], dtype="string"),
    "Int64": pd.Series([1, None, 2**62], dtype="Int64"),
    "UInt8": pd.Series([1, None, 255], dtype="UInt8"),
    "Float32": pd.Series([0.5, None, 1.5], dtype="Float32"),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "category": pd.Categorical(["b", None, "a"], categories=["b", "a", "unused"]),
    "ordered": pd.Categorical([2, 1, 2], categories=[2, 1], ordered=True),
    "flagged": pd.Categorical([True, False, None]),
    "date": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
}


@pytest.mark.parametrize("name", KEPT)
def test_columns_of_pandas_keep_values_and_dtype(name):
    frame = pd.DataFrame({name: KEPT[name]})

    assert_frame_equal(there_and_back(frame), frame, check_exact=True)


def test_a_whole_frame_keeps_the_order_of_its_columns():
    frame = pd.DataFrame(KEPT)

    assert_frame_equal(there_and_back(frame), frame)


def test_missing_and_not_a_number_stay_apart_in_nullable_columns():
    values = pd.arrays.FloatingArray(
        np.array([np.nan, 1.0, 2.0]), np.array([False, True, False])
    )

    loaded = there_and_back(pd.DataFrame({"x": values}))["x"]

    assert loaded.isna().tolist() == [False, True, False]
    assert np.isnan(loaded[0])


INDEXES = [
    pd.Index([7, 3]),
    pd.Index(["b", "a"], name="name"),
    pd.Index([0.5, 0.5]),
    pd.to_datetime(["2020-01-01", "2020-01-02"]).rename("day"),
    pd.CategoricalIndex(["x", "y"]),
    pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["letter", None]),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_indexes_come_back(index):
    frame = pd.DataFrame({"x": [1.0, 2.0]}, index=index)

    assert_frame_equal(there_and_back(frame), frame, check_freq=False)


@pytest.mark.parametrize(
    "labels",
    [
        ["x", "x"],
        [1, "one"],
        pd.Index([3, 4], name="numbers"),
        pd.MultiIndex.from_product([["a"], ["b", "c"]]),
    ],
    ids=["doubled", "mixed", "numbers", "levels"],
)
def test_column_labels_of_any_kind_come_back(labels):
    frame = pd.DataFrame([[1.0, 2.0]], columns=labels)

    assert_frame_equal(there_and_back(frame), frame)


def test_a_frame_without_columns_keeps_its_rows():
    frame = pd.DataFrame(index=[4, 5])

    assert_frame_equal(there_and_back(frame), frame, check_column_type=False)


def test_other_kinds_come_back_as_documented():
    arrow = pytest.importorskip("pyarrow")
    intervals = pd.cut(pd.Series([0.0, 5.0]), [-1, 2, 6])
    frame = pd.DataFrame(
        {
            "sparse": pd.arrays.SparseArray([0.0, 1.0]),
            "interval": intervals,
            "period": pd.period_range("2020-01", periods=2, freq="M"),
            "arrow": pd.Series([1, None], dtype=pd.ArrowDtype(arrow.int16())),
            "arrow text": pd.Series(["a", None], dtype=pd.ArrowDtype(arrow.string())),
        },
    )

    loaded = there_and_back(frame)

    assert loaded["sparse"].tolist() == [0.0, 1.0]
    assert loaded["sparse"].dtype == np.float64
    assert loaded["interval"].tolist() == ["(-1, 2]", "(2, 6]"]
    assert loaded["interval"].cat.ordered
    assert loaded["period"].tolist() == ["2020-01", "2020-02"]
    assert loaded["arrow"].dtype == "Int64"
    assert loaded["arrow"].isna().tolist() == [False, True]
    assert loaded["arrow text"].dtype == "string"


def polars_frame():
    return pl.DataFrame(
        {
            "f": pl.Series([0.1, None, float("nan")], dtype=pl.Float32),
            "i": pl.Series([2**63 - 1, None, -1], dtype=pl.Int64),
            "u": pl.Series([1, 2, 255], dtype=pl.UInt8),
            "b": [True, None, False],
            "s": ["a", None, ""],
            "c": pl.Series(["x", "y", None], dtype=pl.Categorical),
            "e": pl.Series(["lo", None, "hi"], dtype=pl.Enum(["hi", "lo"])),
        }
    )


def test_frames_of_polars_come_back_the_same():
    loaded = there_and_back(polars_frame())

    assert loaded.schema == polars_frame().schema
    assert loaded.equals(polars_frame())


def test_other_dtypes_of_polars_become_text():
    loaded = there_and_back(pl.DataFrame({"x": [[1, 2], None]}))

    assert loaded["x"].to_list() == ["[1, 2]", None]


def test_without_polars_its_frames_come_as_pandas_with_a_warning(monkeypatch):
    really_import = builtins.__import__

    def import_without_polars(name, *args, **kwargs):
        if name == "polars":
            raise ImportError(name)
        return really_import(name, *args, **kwargs)

    def uninstall(encoded):
        monkeypatch.setattr(builtins, "__import__", import_without_polars)

    with pytest.warns(UserWarning, match="polars is not installed"):
        loaded = there_and_back(polars_frame(), uninstall)

    assert isinstance(loaded, pd.DataFrame)
    assert loaded["s"].tolist()[0] == "a"


def shorten(encoded):
    encoded["data"][0] = {"kind": "object", "values": [1]}


def test_columns_of_different_length_are_refused():
    with pytest.raises(ModelFileError, match="columns differ in length"):
        there_and_back(pd.DataFrame({"a": [1, 2], "b": [3, 4]}), shorten)


def rename(encoded):
    encoded["data"][0]["dtype"] = "read_csv"


def test_a_dtype_of_polars_is_nothing_else():
    with pytest.raises(ModelFileError, match="unknown dtype 'read_csv'"):
        there_and_back(pl.DataFrame({"a": [1]}), rename)
