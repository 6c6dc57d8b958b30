"""Rows averaged over their neighbors."""

import numpy as np
import pytest

from sklearn_ddcl.training.denoising.neighborhoods import Frame, smooth, transitions


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(60, 3))


def literal(rows, weights, k):
    """Return the transitions by loops."""
    n = len(rows)
    gaps = np.linalg.norm(rows[:, None] - rows, axis=2)
    nearest = np.argsort(gaps + np.diag(np.full(n, np.inf)), axis=1)[:, :k]
    scales = gaps[np.arange(n), nearest[:, min(7, k) - 1]]
    matrix = np.eye(n)
    for i in range(n):
        for j in nearest[i]:
            joint = np.exp(-(gaps[i, j] ** 2) / (scales[i] * scales[j]))
            matrix[i, j] = matrix[j, i] = max(matrix[i, j], joint)
    matrix = matrix * weights
    return matrix / matrix.sum(1, keepdims=True)


@pytest.mark.parametrize("k", [3, 10])
def test_transitions_are_the_literal_formula(rows, k):
    weights = np.random.default_rng(1).uniform(1, 2, len(rows))

    matrix = transitions(rows, weights, k).toarray()

    np.testing.assert_allclose(matrix, literal(rows, weights, k), atol=1e-12)
    np.testing.assert_allclose(matrix.sum(1), 1.0)


def test_smoothing_is_repeated_averaging(rows):
    weights = np.ones(len(rows))
    matrix = transitions(rows, weights).toarray()

    smoothed = smooth(rows, weights, steps=(1, 3))

    np.testing.assert_allclose(smoothed[:, 0], matrix @ rows)
    np.testing.assert_allclose(smoothed[:, 1], matrix @ matrix @ matrix @ rows)


def test_groups_draw_together_and_stay_apart():
    rng = np.random.default_rng(0)
    centers = np.array([[0.0, 0.0], [20.0, 0.0]])
    rows = np.repeat(centers, 40, axis=0) + rng.normal(size=(80, 2))

    smoothed = smooth(rows, np.ones(80))[:, -1].reshape(2, 40, 2)

    before = rows.reshape(2, 40, 2).std(1).mean()
    assert smoothed.std(1).mean() < 0.3 * before
    means = rows.reshape(2, 40, 2).mean(1)
    np.testing.assert_allclose(smoothed.mean(1), means, atol=0.3)


@pytest.mark.parametrize("n_rows", [1, 2, 5])
def test_few_rows_have_few_neighbors(n_rows):
    rows = np.arange(n_rows * 2.0).reshape(n_rows, 2)

    smoothed = smooth(rows, np.ones(n_rows))

    assert smoothed.shape == (n_rows, 2, 2)
    assert np.isfinite(smoothed).all()


def test_a_frame_standardizes_all_columns_by_one_scale(rows):
    weights = np.random.default_rng(1).uniform(1, 2, len(rows))
    smoothed = smooth(rows * [1.0, 5.0, 0.1], weights)

    values = Frame.of(smoothed, weights).standardize(smoothed)

    np.testing.assert_allclose(np.average(values, 0, weights), 0, atol=1e-12)
    squares = np.average(values**2, 0, weights).mean(1)
    np.testing.assert_allclose(squares, 1.0)
    assert values[:, 0, 1].std() > 5 * values[:, 0, 2].std()


def test_rows_that_are_all_alike_have_a_frame_too():
    values = np.ones((4, 2, 3))
    frame = Frame.of(values, np.ones(4))

    assert (frame.standardize(values) == 0).all()
