"""From nothing to a settled codebook."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs

from sklearn_ddcl.functional import critical_temperature, min_prototype_distance
from sklearn_ddcl.training.quantization.anneal import anneal
from sklearn_ddcl.training.quantization.anneal import (
    critical_temperature as first_split,
)
from sklearn_ddcl.training.quantization.lloyd import settle
from sklearn_ddcl.training.quantization.passes import hard_pass
from sklearn_ddcl.training.quantization.place import spread
from sklearn_ddcl.training.quantization.record import Record
from sklearn_ddcl.training.quantization.relocate import most_useful, relocate
from sklearn_ddcl.training.quantization.rows import Rows
from sklearn_ddcl.training.quantization.solver import solve


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def inertia(solution):
    return float(solution.distances.sum(dtype=torch.float64))


@pytest.fixture(scope="module")
def digits():
    """Return the digits of scikit-learn in float64."""
    return torch.from_numpy(load_digits().data)


@pytest.fixture(scope="module")
def islands():
    """Return 400 rows in 20 far islands."""
    values, _ = make_blobs(400, 4, centers=20, cluster_std=0.01, random_state=0)
    return torch.from_numpy(values)


@pytest.mark.parametrize("n_codes", [16, 64])
def test_it_beats_the_best_of_ten_starts_of_kmeans(digits, n_codes):
    theirs = KMeans(n_codes, n_init=10, random_state=0).fit(digits.numpy()).inertia_

    ours = [inertia(solve(Rows(digits), n_codes, generator(s))) for s in range(3)]

    assert np.median(ours) <= theirs


def test_every_island_gets_a_code(islands):
    solution = solve(Rows(islands), 20, generator())

    assert len(solution.labels.unique()) == 20
    assert inertia(solution) < 400 * 4 * 0.01**2 * 1.1
    assert min_prototype_distance(solution.codes) > 0.5


def test_from_the_mean_codes_part_one_by_one(islands):
    solution = solve(Rows(islands, dtype=torch.float64), 20, generator(), init="mean")
    soft = [row for row in solution.history if row["temperature"] > 0]

    assert soft[0]["temperature"] == pytest.approx(
        float(critical_temperature(islands)), rel=1e-3
    )
    # All codes are one until the first split: each wins the same.
    assert soft[0]["perplexity"] == pytest.approx(20, rel=1e-2)
    assert soft[0]["loss"] == pytest.approx(
        float(islands.var(0, correction=0).sum()), rel=1e-2
    )
    losses = [row["loss"] for row in soft]
    assert losses[-1] < 0.05 * losses[0]
    assert np.diff(losses).max() < 0.01 * losses[0]
    assert len(solution.labels.unique()) == 20


def test_without_jitter_codes_never_part(islands, monkeypatch):
    monkeypatch.setattr("sklearn_ddcl.training.quantization.anneal._JITTER", 0.0)
    rows = Rows(islands, dtype=torch.float64)

    codes = anneal(
        rows,
        torch.zeros(5, 4, dtype=torch.float64),
        float(critical_temperature(islands)),
        generator(),
        Record(300),
        from_the_mean=True,
    )

    assert min_prototype_distance(codes) < 1e-12


def test_the_first_split_is_at_the_critical_temperature(digits):
    rows = Rows(digits, dtype=torch.float64)
    labels = torch.zeros(len(digits), dtype=torch.int64)

    found = first_split(rows, torch.zeros(1, 64).double(), labels, generator())

    assert found == pytest.approx(float(critical_temperature(digits)), rel=0.02)


def test_above_the_critical_temperature_codes_merge(islands):
    rows = Rows(islands, dtype=torch.float64)
    hot = 1.2 * float(critical_temperature(islands))
    codes = spread(rows, 5, generator())
    apart = min_prototype_distance(codes)

    for _ in range(30):
        codes = anneal(rows, codes, hot, generator(), Record(1))

    assert min_prototype_distance(codes) < 0.01 * apart


def test_the_record_holds_every_pass_and_its_budget(digits):
    solution = solve(Rows(digits), 16, generator(), max_passes=25)

    assert [row["epoch"] for row in solution.history] == list(range(1, 26))
    assert len(solve(Rows(digits), 16, generator(), max_passes=1).history) <= 2


def test_relocation_never_makes_things_worse(digits):
    rows = Rows(digits)
    for seed in range(5):
        codes, found = settle(rows, spread(rows, 32, generator(seed)), Record(300))

        _, better = relocate(rows, codes, found, generator(seed), Record(300))

        assert better.distortion < found.distortion


def test_the_code_that_is_missed_least_goes():
    values = torch.tensor([[0.0], [0.2], [10.0], [20.0]], dtype=torch.float64)
    rows = Rows(values, dtype=torch.float64)
    codes = values - rows.center

    assert most_useful(rows, codes, 3).tolist() == [1, 2, 3]


def test_a_heavy_row_is_missed_more():
    values = torch.tensor([[0.0], [0.2], [10.0], [20.0]], dtype=torch.float64)
    weights = torch.tensor([9.0, 1.0, 1.0, 1.0], dtype=torch.float64)
    rows = Rows(values, weights, dtype=torch.float64)

    assert most_useful(rows, values - rows.center, 3).tolist() == [0, 2, 3]


def test_codes_without_rows_are_placed_anew(islands):
    start = torch.full((20, 4), 1e3, dtype=torch.float64)
    start[0] = islands.mean(0)

    solution = solve(Rows(islands), 20, generator(), init=start, max_relocations=0)

    assert len(solution.labels.unique()) == 20


def test_the_order_of_the_rows_does_not_matter(digits):
    shuffled = torch.randperm(len(digits), generator=generator())

    one = solve(Rows(digits, dtype=torch.float64), 16, generator())
    other = solve(Rows(digits[shuffled], dtype=torch.float64), 16, generator())

    np.testing.assert_allclose(one.codes, other.codes, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(one.labels[shuffled], other.labels)


def test_a_row_of_weight_three_counts_like_three_rows(digits):
    few = digits[:300]
    counts = torch.randint(1, 4, (300,), generator=generator())

    weighted = solve(Rows(few, counts.double(), dtype=torch.float64), 10, generator())
    repeated = solve(
        Rows(few.repeat_interleave(counts, 0), dtype=torch.float64), 10, generator()
    )

    np.testing.assert_allclose(weighted.codes, repeated.codes, rtol=1e-8, atol=1e-10)


def test_many_rows_are_searched_by_a_sample(digits, monkeypatch):
    solver = "sklearn_ddcl.training.quantization.solver"
    monkeypatch.setattr(f"{solver}._SEARCH_ROWS", 500)
    monkeypatch.setattr(f"{solver}._SEARCH_ROWS_PER_CODE", 1)
    all_rows = inertia(solve(Rows(digits), 16, generator(1)))

    sampled = solve(Rows(digits), 16, generator())

    assert len(sampled.labels) == len(digits)
    assert inertia(sampled) < 1.05 * all_rows
    rows = Rows(digits)
    found = hard_pass(rows, (sampled.codes - rows.center).to(rows.dtype))
    np.testing.assert_allclose(found.distortion, inertia(sampled), rtol=1e-4)


def test_equal_rows_leave_codes_unused():
    values = torch.ones(10, 2)
    values[5:] = 2.0

    solution = solve(Rows(values), 4, generator())

    assert inertia(solution) == 0
    assert len(solution.labels.unique()) == 2
