"""Distances between columns of any kind."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.networks.column_distances import column_distances


@pytest.fixture
def table():
    """Return numbers, some of them missing, and categories."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(200, 3))
    numbers[:, 1] += numbers[:, 0]
    codes = np.c_[(numbers[:, 0] > 0) + 1, rng.integers(1, 4, 200)]
    return torch.from_numpy(numbers), torch.from_numpy(codes)


CARDINALITIES = (3, 4)


def test_numbers_by_their_correlation(table):
    numbers, codes = table
    expected = 2 * (1 - np.abs(np.corrcoef(numbers.T)))

    found = column_distances(numbers, codes, CARDINALITIES)

    np.testing.assert_allclose(found[:3, :3], expected, atol=1e-12)


def test_a_number_and_a_category_by_the_correlation_ratio(table):
    numbers, codes = table
    values, groups = numbers[:, 0].numpy(), codes[:, 0].numpy()
    means = [values[groups == c].mean() for c in groups]
    ratio = np.sqrt(np.var(means) / values.var())

    found = column_distances(numbers, codes, CARDINALITIES)

    assert float(found[0, 3]) == pytest.approx(2 * (1 - ratio))
    assert found[0, 3] == found[3, 0] < found[2, 3]


def test_categories_by_cramers_v(table):
    numbers, codes = table
    twin = codes[:, :1]
    both = torch.cat([codes, twin], 1)

    found = column_distances(numbers, both, (*CARDINALITIES, 3))

    assert float(found[3, 5]) == pytest.approx(0.0, abs=1e-9)
    counts = np.zeros((2, 3))
    np.add.at(counts, tuple(codes.numpy().T - 1), 1)
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    chi = ((counts - expected) ** 2 / expected).sum()
    assert float(found[3, 4]) == pytest.approx(2 * (1 - np.sqrt(chi / 200)))


def test_columns_in_another_order_have_the_same_distances(table):
    numbers, codes = table
    whole = column_distances(numbers, codes, CARDINALITIES)

    swapped = column_distances(numbers.flip(1), codes.flip(1), CARDINALITIES[::-1])

    order = [2, 1, 0, 4, 3]
    assert_close(swapped, whole[order][:, order])


def test_weights_count_rows(table):
    numbers, codes = table
    weights = torch.arange(200) % 3
    repeated = torch.arange(200).repeat_interleave(weights)

    assert_close(
        column_distances(numbers, codes, CARDINALITIES, weights.double()),
        column_distances(numbers[repeated], codes[repeated], CARDINALITIES),
    )


def test_columns_that_say_nothing_are_far_from_all():
    nan = float("nan")
    numbers = torch.tensor([[1.0, nan, 1.0], [1.0, nan, 2.0], [1.0, nan, 3.0]])
    codes = torch.tensor([[1], [1], [1]])

    found = column_distances(numbers, codes, (2,))

    assert bool(found.isfinite().all())
    assert_close(found, 2 * (1 - torch.eye(4, dtype=torch.float64)))
