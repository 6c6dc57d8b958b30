"""Every kind of column is read as numbers or as categories, or refused with a cure."""

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from sklearn_ddcl.estimators.columns import CATEGORY, NUMBER, as_table, read_columns

TODAY = datetime.datetime(2024, 2, 29)


def read(values, library=pd):
    """Return kind and values of a column that a frame holds."""
    name, kind, read_values = read_columns(library.DataFrame({"b": values}))[0]
    assert name == "b"
    return kind, read_values.tolist()


NUMBERS = {
    "float": np.array([1.0, np.nan, 3.0]),
    "float32": np.array([1.0, np.nan, 3.0], dtype=np.float32),
    "objects": pd.Series([1, None, 3.0], dtype=object),
    "objects with NA": pd.Series([1, pd.NA, 3], dtype=object),
    "objects of NumPy": pd.Series([np.int8(1), np.nan, np.float32(3)], dtype=object),
    "objects, one a bool": pd.Series([True, None, 3], dtype=object),
    "Int64": pd.array([1, pd.NA, 3], dtype="Int64"),
    "UInt8": pd.array([1, pd.NA, 3], dtype="UInt8"),
    "Float64": pd.array([1, pd.NA, 3], dtype="Float64"),
    "sparse": pd.arrays.SparseArray([1.0, np.nan, 3.0]),
}

TEXT = {
    "objects": pd.Series(["u", None, "v"], dtype=object),
    "objects with NaN": pd.Series(["u", np.nan, "v"], dtype=object),
    "objects with NA": pd.Series(["u", pd.NA, "v"], dtype=object),
    "string": pd.array(["u", pd.NA, "v"], dtype="string"),
    "str": pd.array(["u", np.nan, "v"], dtype="str"),
}

CATEGORIES = {
    "category": pd.Categorical(["u", None, "v"]),
    "ordered category": pd.Categorical(["u", None, "v"], ["v", "u"], ordered=True),
}


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.0, 2.0], NUMBER), ([1, 2], NUMBER), ([True, True], CATEGORY)],
)
def test_what_is_masked_is_missing(values, kind):
    table = np.ma.masked_array(np.array(values)[:, None], mask=[[False], [True]])
    (column,) = read_columns(as_table(table))
    assert column.kind == kind
    assert column.values[0] == values[0]
    assert pd.isna(column.values[1])
    assert table.data[1] == values[1]


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_pandas_numbers_are_floats_with_nan(values):
    kind, read_values = read(values)

    assert kind == NUMBER
    assert read_values[::2] == [1.0, 3.0]
    assert np.isnan(read_values[1])


@pytest.mark.parametrize("values", TEXT.values(), ids=TEXT)
def test_pandas_text_is_objects_with_none(values):
    assert read(values) == (CATEGORY, ["u", None, "v"])


@pytest.mark.parametrize("values", CATEGORIES.values(), ids=CATEGORIES)
def test_pandas_categories_stay_what_they_are(values):
    (column,) = read_columns(pd.DataFrame({"b": values}))

    assert column.kind == CATEGORY
    pd.testing.assert_extension_array_equal(column.values, values)


def test_columns_of_numbers_stay_in_place_among_others():
    frame = pd.DataFrame(
        [[1, "u", 2.5, True, np.nan], [2**53, "v", np.nan, False, np.nan]],
        columns=["a", "b", "a", "c", 0],
    )
    columns = read_columns(frame.astype({"b": "category"}))

    assert [column.name for column in columns] == ["a", "b", "a", "c", "0"]
    assert [column.kind for column in columns] == [
        NUMBER,
        CATEGORY,
        NUMBER,
        CATEGORY,
        NUMBER,
    ]
    assert columns[0].values.tolist() == [1.0, 2.0**53]
    np.testing.assert_array_equal(columns[2].values, [2.5, np.nan])
    assert columns[3].values.tolist() == [True, False]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([True, False]), [True, False]),
        (pd.array([True, pd.NA], dtype="boolean"), [True, None]),
        (pd.Series([True, None], dtype=object), [True, None]),
        (pd.Categorical([2, 7]), [2, 7]),
        (pd.Series(["u", 1], dtype=object), ["u", 1]),
        (pd.Series([b"u", None], dtype=object), [b"u", None]),
        (pd.Series([None, None], dtype=object), [None, None]),
    ],
    ids=["bool", "boolean", "objects", "codes", "mixed", "bytes", "nothing"],
)
def test_other_pandas_categories_keep_their_values(values, expected):
    assert read(values) == (CATEGORY, expected)


@pytest.mark.parametrize("dtype", ["int64[pyarrow]", "double[pyarrow]"])
def test_pandas_arrow_numbers_are_floats(dtype):
    pytest.importorskip("pyarrow")
    kind, (first, second) = read(pd.array([1, pd.NA], dtype=dtype))

    assert (kind, first) == (NUMBER, 1.0)
    assert np.isnan(second)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [(["u", None], "string[pyarrow]"), ([True, None], "bool[pyarrow]")],
)
def test_pandas_arrow_text_and_booleans_are_categories(values, dtype):
    pytest.importorskip("pyarrow")

    assert read(pd.array(values, dtype=dtype)) == (CATEGORY, values)


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        (pl.String, ["u", None], ["u", None]),
        (pl.Categorical, ["u", None], ["u", None]),
        (pl.Enum(["v", "u"]), ["u", None], ["u", None]),
        (pl.Boolean, [True, None], [True, None]),
        (pl.Boolean, [True, False], [True, False]),
    ],
    ids=str,
)
def test_polars_text_and_booleans_are_categories(dtype, values, expected):
    assert read(pl.Series(values, dtype=dtype), pl) == (CATEGORY, expected)


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Float64], ids=str)
def test_polars_numbers_are_floats_with_nan(dtype):
    kind, (first, second) = read(pl.Series([1, None], dtype=dtype), pl)

    assert (kind, first) == (NUMBER, 1.0)
    assert np.isnan(second)


@pytest.mark.parametrize(
    ("X", "kinds"),
    [
        (np.array([[1, 2]], dtype=np.uint8), [NUMBER, NUMBER]),
        (np.array([[True, False]]), [CATEGORY, CATEGORY]),
        (np.array([["u", "1"]]), [CATEGORY, CATEGORY]),
        (np.array([[1, "u"], [None, "v"]], dtype=object), [NUMBER, CATEGORY]),
        ([[1, 2.5]], [NUMBER, NUMBER]),
        ([[1.5, "u"], [None, "v"]], [NUMBER, CATEGORY]),
        ([[1.5, "u"], [2.5, "v"]], [NUMBER, CATEGORY]),
        ((("u", 2), ("v", 3)), [CATEGORY, NUMBER]),
    ],
    ids=["uint8", "bool", "text", "objects", "list", "list-None", "list-mix", "tuple"],
)
def test_arrays_and_lists_are_told_apart_column_by_column(X, kinds):
    columns = read_columns(as_table(X))

    assert [column.kind for column in columns] == kinds
    assert [column.name for column in columns] == ["x0", "x1"]


def test_numbers_in_a_list_beside_text_keep_their_value():
    numbers, text = read_columns(as_table([[0.1, "u"], [2, "v"]]))

    assert numbers.values.tolist() == [0.1, 2.0]
    assert text.values.tolist() == ["u", "v"]


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize(
    "values", [[TODAY], [TODAY.date()], [datetime.timedelta(1)], [datetime.time(1)]]
)
def test_dates_and_times_are_refused_with_a_cure(library, values):
    with pytest.raises(TypeError, match=r"'b'.*numbers first, a date for example"):
        read(values, library)


def test_an_array_of_dates_is_refused_with_a_cure():
    dates = np.array([["2024-02-29"]], dtype="M8[D]")

    with pytest.raises(TypeError, match=r"'x0'.*numbers first, a date for example"):
        read_columns(as_table(dates))


@pytest.mark.parametrize(
    "value",
    [{"a": 1}, [1], (1,), {1}, decimal.Decimal("1.5"), object()],
    ids=lambda value: type(value).__name__,
)
def test_other_objects_are_refused_by_type_and_column(value):
    values = pd.Series([None, value], dtype=object)

    with pytest.raises(TypeError, match=f"'b'.*got {type(value).__name__}"):
        read(values)


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.0, np.inf]),
        np.array([-np.inf, np.nan]),
        pd.Series([1, np.inf], dtype=object),
        pd.array([1.0, np.inf], dtype="Float64"),
    ],
    ids=["float", "negative", "objects", "Float64"],
)
def test_infinity_is_refused_by_name_with_a_cure(values):
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": values})

    with pytest.raises(ValueError, match=r"infinity.*'b'.*by NaN"):
        read_columns(frame)


def test_infinity_of_polars_and_arrays_is_refused():
    for X in (pl.DataFrame({"x0": [np.inf]}), np.array([[np.inf]])):
        with pytest.raises(ValueError, match=r"infinity.*'x0'"):
            read_columns(X)


@pytest.mark.parametrize("X", [np.ones((2, 2)) * 1j, pd.DataFrame({"b": [1j]})])
def test_complex_numbers_are_refused(X):
    with pytest.raises(ValueError, match="Complex data not supported"):
        read_columns(as_table(X))


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.csr_array])
def test_sparse_tables_are_refused(kind):
    with pytest.raises(TypeError, match="dense data is required"):
        as_table(kind(np.eye(3)))


@pytest.mark.parametrize(
    ("X", "match"),
    [
        (np.arange(3.0), "Expected 2D array"),
        (["u", "v"], "Expected 2D array"),
        (3.0, "Expected 2D array"),
        (np.zeros((2, 2, 2)), "dim 3"),
        (pd.Series([1.0]), "2-dimensional container"),
        (pl.Series([1.0]), "Expected 2D array"),
        (np.empty((0, 2)), r"0 sample\(s\)"),
        (np.empty((2, 0)), r"0 feature\(s\)"),
        (pd.DataFrame({"a": []}), r"0 sample\(s\)"),
        (pd.DataFrame(index=range(3)), r"0 feature\(s\)"),
        (pl.DataFrame({"a": []}), r"0 sample\(s\)"),
        ([[1, 2], [3]], "inhomogeneous"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_tables_of_a_wrong_shape_are_refused(X, match):
    with pytest.raises(ValueError, match=match):
        as_table(X)


def test_reading_changes_nothing():
    values = pd.Series(["u", np.nan, "v"], dtype=object)
    frame = pd.DataFrame({"b": values})
    before = frame.copy(deep=True)

    read_columns(frame)

    pd.testing.assert_frame_equal(frame, before)
