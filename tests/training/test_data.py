"""Batches of nearly equal size that show every row once."""

from itertools import chain

import pytest
import torch

from sklearn_ddcl.training import EncodedRows, make_generator
from sklearn_ddcl.training.data import Batches, n_batches

CPU = torch.device("cpu")


def numbered(n):
    """Return rows of which every part tells the position."""
    x = torch.arange(n)
    return EncodedRows(x[:, None] * 1.0, x[:, None], x, x + 1.0, x + 2)


def positions(batches):
    return [targets.classes.tolist() for _, targets in batches]


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "expected"),
    [(1, 128, 1), (128, 128, 1), (191, 128, 1), (193, 128, 2), (1000, 100, 10)],
)
def test_the_number_of_batches_by_hand(n_rows, batch_size, expected):
    assert n_batches(n_rows, batch_size) == expected


@pytest.mark.parametrize(("n", "size"), [(10, 3), (101, 7), (64, 16), (5, 1), (3, 9)])
def test_every_row_comes_once_in_parts_of_equal_size(n, size):
    batches = Batches(numbered(n), size, CPU, make_generator(0))
    parts = positions(batches)
    sizes = [len(part) for part in parts]

    assert sorted(chain.from_iterable(parts)) == list(range(n))
    assert max(sizes) - min(sizes) <= 1
    assert len(batches) == len(parts)


def test_all_parts_of_a_row_stay_together():
    for inputs, targets in Batches(numbered(30), 7, CPU, make_generator(0)):
        expected = targets.classes
        assert torch.equal(inputs.numbers[:, 0], expected * 1.0)
        assert torch.equal(inputs.codes[:, 0], expected)
        assert torch.equal(targets.weights, expected + 1.0)
        assert torch.equal(targets.folds, expected + 2)


def test_every_pass_is_shuffled_anew():
    batches = Batches(numbered(40), 10, CPU, make_generator(0))
    first, second = positions(batches), positions(batches)

    assert first != second
    assert first == positions(Batches(numbered(40), 10, CPU, make_generator(0)))


def test_a_single_batch_is_never_shuffled():
    batches = Batches(numbered(20), 20, CPU, make_generator(0))

    assert positions(batches) == [list(range(20))]


def test_without_a_generator_the_order_stays():
    parts = positions(Batches(numbered(20), 6, CPU))

    assert list(chain.from_iterable(parts)) == list(range(20))


def test_rows_can_be_sliced_and_moved():
    rows = numbered(5).to(CPU)
    inputs, targets = rows[1:3]

    assert len(rows) == 5
    assert inputs.numbers.shape == (2, 1)
    assert targets.classes.tolist() == [1, 2]


def test_without_folds_no_row_is_left_out():
    with_folds = numbered(5)
    without = EncodedRows(*with_folds.tensors[:4])

    assert without[:][1].folds.tolist() == [-1] * 5
    assert with_folds.has_folds
    assert not without.has_folds
    assert not EncodedRows(*(column[:0] for column in with_folds.tensors)).has_folds


@pytest.mark.parametrize(
    ("n", "wanted", "expected"),
    [(10, 10, list(range(10))), (10, 99, list(range(10))), (10, 3, [0, 3, 6, 9])],
)
def test_a_sample_is_regular_and_keeps_rows_together(n, wanted, expected):
    inputs, targets = numbered(n).sample(wanted)[:]

    assert targets.classes.tolist() == expected
    assert inputs.codes[:, 0].tolist() == expected
    assert targets.folds.tolist() == [x + 2 for x in expected]


@pytest.mark.parametrize("n", [7, 8, 11, 12, 100])
def test_a_sample_is_never_twice_as_large(n):
    assert 4 <= len(numbered(n).sample(4)) < 8
