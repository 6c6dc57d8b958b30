"""Rows with and without gaps, and distances computed the long way."""

import numpy as np
import pytest
import torch


@pytest.fixture
def values():
    """Return 300 rows of 5 columns, far from the origin, in float64."""
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.normal(size=(300, 5)) * [1, 2, 3, 4, 5] + 100)


@pytest.fixture
def gappy(values):
    """Return the same with a fifth of the entries missing, one row entirely."""
    rng = np.random.default_rng(1)
    values = values.clone()
    values[torch.from_numpy(rng.random(values.shape) < 0.2)] = torch.nan
    values[7] = torch.nan
    return values


@pytest.fixture
def weights():
    """Return a whole weight for each of 300 rows, some of them zero."""
    return torch.from_numpy(np.random.default_rng(2).integers(0, 4, 300)).double()


@pytest.fixture
def generator():
    """Return a generator."""
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def long_way():
    """Return a function that computes masked squared distances in NumPy, (n, K)."""

    def distances(values, codes):
        gaps = (values.numpy()[:, None] - codes.numpy()[None]) ** 2
        n_present = np.maximum(1, (~np.isnan(gaps)).sum(2))
        return np.nansum(gaps, axis=2) * gaps.shape[2] / n_present

    return distances
