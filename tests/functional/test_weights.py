"""A token of weight n counts like n tokens, everywhere."""

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F


def of_assignments(function):
    def call(z, prototypes, weights=None):
        return function(F.soft_assign(z, prototypes, 2.0), weights)

    return call


def with_assignments(function):
    def call(z, prototypes, weights=None):
        return function(z, prototypes, F.soft_assign(z, prototypes, 2.0), weights)

    return call


def centroids(z, prototypes, weights=None):
    return F.centroids(z, F.soft_assign(z, prototypes, 2.0), weights)


QUANTITIES = {
    "token_covariance": lambda z, prototypes, w=None: F.token_covariance(z, w),
    "top_eigenvalue": lambda z, prototypes, w=None: F.top_eigenvalue(z, w),
    "critical_temperature": lambda z, prototypes, w=None: F.critical_temperature(z, w),
    "free_energy": lambda z, prototypes, w=None: F.free_energy(z, prototypes, 0.7, w),
    "perplexity": of_assignments(F.perplexity),
    "centroids": centroids,
    "tracking_error": with_assignments(F.tracking_error),
    "distortion": with_assignments(F.distortion),
}


@pytest.fixture(params=QUANTITIES)
def quantity(request):
    return QUANTITIES[request.param]


@pytest.fixture
def counts():
    return torch.arange(40) % 4


@pytest.mark.parametrize("dtype", [torch.int64, torch.float32, torch.float64])
def test_weights_are_repetitions(quantity, z, prototypes, counts, dtype):
    assert_close(
        quantity(z, prototypes, counts.to(dtype)),
        quantity(z.repeat_interleave(counts, dim=0), prototypes),
        rtol=1e-12,
        atol=1e-13,
    )


def test_weights_of_another_dtype_do_not_change_that_of_the_answer(
    quantity, z, prototypes, counts
):
    answer = quantity(z.float(), prototypes.float(), counts.double())

    expected = quantity(z.float(), prototypes.float(), counts.float())
    assert_close(answer, expected)  # compares dtypes, too


def test_weights_follow_the_leading_dimensions(quantity, z, prototypes, counts):
    stacked = quantity(z.reshape(8, 5, 5), prototypes, counts.reshape(8, 5))
    assert_close(stacked, quantity(z, prototypes, counts))


def test_only_proportions_of_weights_matter(quantity, z, prototypes, counts):
    assert_close(
        quantity(z, prototypes, 1e-3 * counts), quantity(z, prototypes, counts)
    )


def test_equal_weights_are_none(quantity, z, prototypes):
    weights = torch.full((40,), 0.3)
    assert_close(quantity(z, prototypes, weights), quantity(z, prototypes))


def test_there_must_be_one_weight_per_token(quantity, z, prototypes):
    with pytest.raises(ValueError, match=r"each of the 40 tokens, .* shape \(39,\)"):
        quantity(z, prototypes, torch.ones(39))
