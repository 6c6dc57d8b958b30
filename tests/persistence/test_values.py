"""Values come back as they were: kind, bits and order."""

import enum
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_ddcl.networks import MLPEncoder
from sklearn_ddcl.persistence import ModelFileError
from sklearn_ddcl.persistence.values import ValueReader, ValueWriter


def there_and_back(value):
    """Return a value after a detour through JSON text."""
    writer = ValueWriter()
    text = json.dumps(writer.encode(value, "value"), allow_nan=False)
    stored = {name: array.copy() for name, array in writer.arrays.items()}
    for array in stored.values():
        # As arrays that are views of a file's content.
        array.flags.writeable = False
    reader = ValueReader(stored)
    decoded = reader.decode(json.loads(text))
    assert not reader.stored
    return decoded


def same(a, b):
    """Return whether two values agree in type and value, NaN equal to NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    if isinstance(a, float | np.floating):
        # repr tells -0.0 from 0.0.
        return repr(a) == repr(b)
    return a is b if a is pd.NA or a is pd.NaT else a == b


keys = st.text() | st.integers() | st.booleans() | st.none() | st.binary()
values = st.recursive(
    keys | st.floats() | st.just(pd.NA) | st.just(pd.NaT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.dictionaries(st.sampled_from(["$", "a"]), inner),
    ),
    max_leaves=10,
)


@given(values)
def test_plain_values_come_back_the_same(value):
    assert same(there_and_back(value), value)


def test_the_comparison_of_this_file_is_strict():
    assert same([math.nan, (1, {"a": None})], [math.nan, (1, {"a": None})])
    for a, b in [(1, True), (1, 1.0), (0.0, -0.0), ((), []), ("a", "b"), ([1], [1, 2])]:
        assert not same(a, b)


@pytest.mark.parametrize("kind", [bool, "i1", "i2", "i4", "i8", "u1", "f2", "f4", "f8"])
def test_scalars_of_numpy_keep_their_type(kind):
    value = np.ones(1, kind)[0]

    assert same(there_and_back(value), value)


def test_not_a_number_of_numpy_stays_one():
    value = there_and_back(np.float32(math.nan))

    assert type(value) is np.float32
    assert math.isnan(value)


class Color(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


def test_enumerations_become_the_text_and_numbers_that_they_equal():
    assert same(there_and_back([Color.RED, Level.HIGH]), ["red", 3])


def bits(array):
    return array.dtype, array.shape, array.tobytes()


ARRAYS = [
    np.array(3.5),
    np.array([0.0, -0.0, np.nan, np.inf, 5e-324]),
    np.arange(6, dtype=np.int8).reshape(2, 3),
    np.array([2**64 - 1], dtype=np.uint64),
    np.array([True, False]),
    np.float16([[1.5]]),
    np.empty((0, 3), dtype=np.float32),
    np.array(["a", "", "Grüße", "\U0001f6f0"]),
    np.array("zero-dimensional"),
    np.array([["ab", "c"], ["d", "e"]]),
    np.array([b"a", b"bc\xff"]),
    np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
    np.array([5, 7], dtype="m8[25s]"),
]


@pytest.mark.parametrize("array", ARRAYS, ids=str)
def test_arrays_come_back_bit_by_bit(array):
    loaded = there_and_back(array)

    assert bits(loaded) == bits(array)
    assert loaded.flags.writeable


def test_the_memory_order_of_a_matrix_stays():
    # Matrix products may round otherwise in the other order.
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))

    loaded = there_and_back({"F": array, "C": np.ascontiguousarray(array)})

    assert loaded["F"].flags.f_contiguous
    assert loaded["C"].flags.c_contiguous
    np.testing.assert_array_equal(loaded["F"], array)


def test_views_and_foreign_byte_orders_come_back_by_value():
    strided, swapped = np.arange(10.0)[::3], np.arange(3, dtype=">f8")

    loaded = there_and_back([strided, swapped, np.array(["ab", "c"], dtype=">U2")])

    assert bits(loaded[0]) == bits(strided.copy())
    assert bits(loaded[1]) == bits(np.arange(3.0))
    assert loaded[2].tolist() == ["ab", "c"]


def test_arrays_of_objects_keep_every_object():
    array = np.empty((2, 2), dtype=object)
    array[:] = [[None, "a"], [1, (2, 3)]]

    loaded = there_and_back(array)

    assert loaded.dtype == object
    assert same(loaded.tolist(), array.tolist())


def test_series_and_indexes_come_back_as_arrays():
    loaded = there_and_back([pd.Series([1, 2]), pd.Index([True, False])])

    assert [bits(array) for array in loaded] == [
        bits(np.array([1, 2])),
        bits(np.array([True, False])),
    ]


def test_two_arrays_with_one_path_are_two_arrays():
    value = {"a/b": np.array([1]), "a": {"b": np.array([2])}}

    loaded = there_and_back(value)

    assert loaded["a/b"] == [1]
    assert loaded["a"]["b"] == [2]


def test_encoders_come_back_with_their_parameters():
    loaded = there_and_back(MLPEncoder(n_layers=3, dropout=0.25))

    assert type(loaded) is MLPEncoder
    assert loaded == MLPEncoder(n_layers=3, dropout=0.25)


class Stranger(MLPEncoder):
    """An encoder that the package does not know."""


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (
            {"labels": [object()]},
            "value/labels/0 has the type object, which a model file",
        ),
        (Stranger(), "value has the type Stranger, which a model file cannot hold"),
        (print, "value has the type builtin_function_or_method"),
        ({1, 2}, "value has the type set"),
        (1j, "value has the type complex"),
        (np.longdouble(1), "value has the type longdouble"),
        (np.array([1j]), "value is an array of complex128"),
        (np.zeros(1, "i4,i4"), "value is an array of .*which a model file cannot hold"),
    ],
)
def test_what_a_file_cannot_hold_is_refused_by_its_path(value, match):
    with pytest.raises(TypeError, match=match):
        there_and_back(value)


@pytest.mark.parametrize(
    "encoded",
    [
        {"$": "os.system"},
        {"$": "array", "name": "missing"},
        {"$": "float", "value": "1e999"},
        {"$": "objects", "shape": [2], "items": [1]},
        {"$": "objects", "shape": [10**18, 10**18], "items": []},
        {"$": "encoder", "name": "os", "params": {}},
        {"$": "encoder", "name": "mlp", "params": {"stranger": 1}},
        {"$": "scalar", "dtype": "object", "value": 1},
        {"$": "dict", "items": [[[], 1]]},
        {"$": None},
    ],
)
def test_nonsense_is_not_decoded(encoded):
    # ModelFileError is a ValueError; load turns the others into one.
    with pytest.raises((LookupError, TypeError, ValueError)):
        ValueReader({}).decode(encoded)


def test_an_array_is_handed_out_once():
    reference = {"$": "array", "name": "a"}
    reader = ValueReader({"a": np.zeros(2)})

    with pytest.raises(KeyError):
        reader.decode([reference, reference])


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.array([[0x110000]], dtype=np.uint32), "U"),
        (np.array([[97]], dtype=np.int64), "U"),
        (np.array([1]), "M8[ns]; import os"),
        (np.array([1.0]), "M8[ns]"),
    ],
)
def test_impossible_text_and_dates_are_refused(array, kind):
    with pytest.raises(ModelFileError, match=r"holds (text|dates)"):
        ValueReader({"a": array}).decode({"$": "array", "name": "a", "as": kind})
