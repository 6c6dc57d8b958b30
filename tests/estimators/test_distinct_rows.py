"""Equal rows become one."""

import numpy as np

from sklearn_ddcl.estimators.distinct_rows import distinct_rows
from sklearn_ddcl.estimators.table_encoder import EncodedTable


def table(numbers, codes=None):
    numbers = np.asarray(numbers, dtype=np.float64)
    if codes is None:
        codes = np.empty((len(numbers), 0))
    return EncodedTable(numbers, np.asarray(codes, dtype=np.int64))


def as_dict(distinct):
    numbers, codes = distinct.encoded
    return {
        (tuple(np.where(np.isnan(row), 99.0, row)), tuple(code)): weight
        for row, code, weight in zip(numbers, codes, distinct.weights, strict=True)
    }


def test_equal_rows_weigh_as_much_as_together():
    nan = np.nan
    encoded = table(
        [[0.0, nan], [1.0, 2.0], [-0.0, -nan], [1.0, 2.0], [1.0, 2.0]],
        [[1], [2], [1], [2], [3]],
    )

    distinct = distinct_rows(encoded, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))

    assert as_dict(distinct) == {
        ((0.0, 99.0), (1,)): 4.0,
        ((1.0, 2.0), (2,)): 6.0,
        ((1.0, 2.0), (3,)): 5.0,
    }
    for place, row in zip(distinct.first, distinct.encoded.codes, strict=True):
        assert encoded.codes[place] == row


def test_rows_without_weight_are_left_out():
    distinct = distinct_rows(table([[1.0], [2.0], [1.0]]), np.array([0.0, 1.0, 2.0]))

    assert as_dict(distinct) == {((1.0,), ()): 2.0, ((2.0,), ()): 1.0}
    assert set(distinct.first) == {1, 2}


def test_neither_order_nor_repetition_matters():
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 4, (50, 2)).astype(float)
    weights = rng.integers(0, 3, 50)
    order = rng.permutation(50)

    weighted = distinct_rows(table(numbers), weights.astype(float))
    repeated = np.repeat(numbers[order], weights[order], axis=0)
    expected = distinct_rows(table(repeated), np.ones(len(repeated)))

    np.testing.assert_array_equal(weighted.encoded.numbers, expected.encoded.numbers)
    np.testing.assert_array_equal(weighted.weights, expected.weights)


def test_a_table_may_lack_columns_of_either_kind():
    only_codes = EncodedTable(np.empty((3, 0)), np.array([[1], [2], [1]]))
    assert sorted(distinct_rows(only_codes, np.ones(3)).weights) == [1.0, 2.0]
