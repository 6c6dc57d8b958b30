"""Codes that are outputs of a linear map of the transposed rows."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.training.quantization import Rows, solve
from sklearn_ddcl.training.quantization.dual import descend_dually
from sklearn_ddcl.training.quantization.passes import hard_pass


def clouds(n_columns, seed=0):
    """Return 60 rows in four far clouds, float64."""
    generator = torch.Generator().manual_seed(seed)
    centers = 3 * torch.randn(4, n_columns, generator=generator, dtype=torch.float64)
    noise = torch.randn(4, 15, n_columns, generator=generator, dtype=torch.float64)
    return (centers[:, None] + noise).flatten(0, 1)


def fit(values, n_codes=4, seed=0, **params):
    rows = Rows(values, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    codes, record = descend_dually(rows, n_codes, generator, **params)
    return rows, codes, record


@pytest.mark.parametrize("n_columns", [2, 40, 300])
def test_clouds_are_found_whatever_the_number_of_columns(n_columns):
    values = clouds(n_columns)
    rows, codes, _ = fit(values)

    found = hard_pass(rows, codes)

    generator = torch.Generator().manual_seed(0)
    best = solve(Rows(values, dtype=torch.float64), 4, generator)
    assert found.mass.tolist() == [15] * 4
    # Codes lag behind along the directions in which rows hardly differ.
    assert found.distortion < 1.15 * float(best.distances.sum())


def test_codes_are_combinations_of_rows():
    values = clouds(300)
    _, codes, _ = fit(values)
    centered = values - values.mean(0)
    basis = torch.linalg.svd(centered, full_matrices=False).Vh[:-1]

    assert_close(codes @ basis.T @ basis, codes, rtol=0, atol=1e-9)


def test_temperatures_fall_and_end_hard():
    _, _, record = fit(clouds(5), steps=50)

    temperatures = record.history["temperature"]
    assert len(temperatures) == 50
    assert sorted(temperatures, reverse=True) == temperatures
    assert temperatures[0] == record.history[0]["critical_temperature"]
    assert temperatures[34] > 0 == temperatures[35]


def test_a_start_is_the_nearest_combination_of_rows():
    values = clouds(300)
    start = values[:4] + 1e-3
    _, codes, _ = fit(values, init=start, steps=1, lr=1e-12, temperature=1e-9)

    assert_close(codes + values.mean(0), start, rtol=0, atol=1e-2)


def test_all_can_start_at_the_mean():
    rows, codes, _ = fit(clouds(10), init="mean")

    assert int((hard_pass(rows, codes).mass > 0).sum()) >= 2


def test_the_same_seed_gives_the_same_codes():
    values = clouds(8)

    assert torch.equal(fit(values)[1], fit(values)[1])
    assert not torch.equal(fit(values)[1], fit(values, seed=1)[1])


def test_equal_rows_are_no_trouble():
    _, codes, _ = fit(torch.ones(5, 3, dtype=torch.float64), 2, steps=5)

    assert_close(codes, torch.zeros(2, 3, dtype=torch.float64))
