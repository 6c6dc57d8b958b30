"""One visit to all rows, hard and soft."""

import numpy as np
import pytest
import torch

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.quantization.passes import (
    hard_pass,
    nearest_codes,
    soft_pass,
    weigh,
)
from sklearn_ddcl.training.quantization.rows import MaskedRows, Rows


@pytest.fixture(params=["plain", "weighted", "gappy"])
def case(request, values, gappy, weights):
    """Return rows, their values, their weights and ten codes."""
    given = gappy if request.param == "gappy" else values
    used = None if request.param == "plain" else weights
    kind = MaskedRows if request.param == "gappy" else Rows
    codes = values[100:110] + 0.25
    counts = torch.ones(300, dtype=torch.float64) if used is None else used
    return kind(given, used, dtype=torch.float64), given, counts, codes


def test_a_hard_pass_by_the_long_way(case, long_way):
    rows, values, weights, codes = case
    distances = long_way(values, codes)
    labels = distances.argmin(1)

    found = hard_pass(rows, codes - rows.center, second=True)

    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_allclose(found.distances, distances.min(1), atol=1e-10)
    np.testing.assert_allclose(found.second, np.sort(distances, 1)[:, 1], atol=1e-10)
    np.testing.assert_allclose(
        found.mass, np.bincount(labels, weights.numpy(), minlength=10)
    )
    assert found.distortion == pytest.approx(float(weights.numpy() @ distances.min(1)))


def test_centroids_of_a_hard_pass_lower_the_distortion_most(case):
    rows, _, _, codes = case
    found = hard_pass(rows, codes - rows.center)
    better = hard_pass(rows, found.centroids)
    nudged = hard_pass(rows, found.centroids + 1e-3)

    assert better.distortion < found.distortion
    assert better.distortion < nudged.distortion


def test_a_code_without_rows_stays(values):
    rows = Rows(values, dtype=torch.float64)
    codes = torch.cat([values[:2], values[:1] + 1e6]) - rows.center

    found = hard_pass(rows, codes)

    assert found.mass[2] == 0
    np.testing.assert_array_equal(found.centroids[2], codes[2])


def test_a_soft_pass_is_the_step_of_expectation_maximization(values, weights):
    rows = Rows(values, weights, dtype=torch.float64)
    codes = values[100:110]
    q = F.soft_assign(values, codes, 3.0)
    means, mass = F.centroids(values, q, weights)

    found = soft_pass(rows, codes - rows.center, 3.0)

    np.testing.assert_allclose(found.centroids + rows.center, means, rtol=1e-9)
    np.testing.assert_allclose(found.mass / weights.sum(), mass, rtol=1e-9)
    loss = F.decompose(values, codes, q, reduction="none").loss
    assert found.loss == pytest.approx(float(weights @ loss / weights.sum()))


def test_a_cold_soft_pass_is_a_hard_one(case):
    rows, _, _, codes = case
    hard = hard_pass(rows, codes - rows.center)

    soft = soft_pass(rows, codes - rows.center, 1e-6)

    np.testing.assert_allclose(soft.centroids, hard.centroids, atol=1e-9)
    assert soft.loss * rows.total_weight == pytest.approx(hard.distortion)


@pytest.mark.parametrize("n_codes", [1, 10, 100])
def test_a_code_does_not_depend_on_the_rows_beside_it(values, n_codes):
    codes = values[:n_codes].float() + 0.01
    center = codes.mean(0)

    def encode(some):
        rows = Rows(some.float(), center=center, keep=False)
        return nearest_codes(rows, codes - center)

    together = encode(values)

    alone = torch.cat([encode(row[None]) for row in values])
    np.testing.assert_array_equal(together, alone)


def test_weights_are_summed_by_code():
    labels = torch.tensor([0, 2, 2])

    assert weigh(labels, None, 4).tolist() == [1, 0, 2, 0]
    assert weigh(labels, torch.tensor([0.5, 1.0, 2.0]), 4).tolist() == [0.5, 0, 3, 0]
