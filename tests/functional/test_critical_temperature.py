"""Where a collapsed bank splits: predicted from the tokens, seen in training."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F


def expectation_maximization(z, prototypes, temperature, n_steps):
    for _ in range(n_steps):
        prototypes, _ = F.centroids(z, F.soft_assign(z, prototypes, temperature))
    return prototypes


def descend(z, prototypes, temperature, n_steps, part):
    """Follow the gradient of a part of the loss, through the assignments."""
    # Near collapse the loss curves by at most 2 / K, so that this is a Newton step.
    lr = len(prototypes) / 2
    for _ in range(n_steps):
        prototypes = prototypes.detach().requires_grad_()
        q = F.soft_assign(z, prototypes, temperature)
        value = getattr(F.decompose(z, prototypes, q), part)
        (gradient,) = torch.autograd.grad(value, prototypes)
        prototypes = prototypes - lr * gradient
    return prototypes.detach()


def spread(prototypes):
    """Return the largest distance of a prototype to their mean."""
    return (prototypes - prototypes.mean(0)).norm(dim=1).max().item()


def test_four_tokens_by_hand():
    # Variance 4 along the first axis, 1 along the second.
    z = torch.tensor([[-2.0, 1.0], [-2.0, -1.0], [2.0, 1.0], [2.0, -1.0]])

    assert F.token_covariance(z).tolist() == [[4.0, 0.0], [0.0, 1.0]]
    assert F.top_eigenvalue(z).item() == pytest.approx(4.0)
    assert F.critical_temperature(z).item() == pytest.approx(8.0)
    assert F.critical_temperature(z, gradient="full").item() == pytest.approx(16.0)


def test_the_covariance_is_that_of_numpy(z):
    weights = torch.linspace(0.1, 3, 40, dtype=torch.float64)

    actual = F.token_covariance(z.reshape(8, 5, 5), weights.reshape(8, 5))

    expected = np.cov(z.numpy().T, aweights=weights.numpy(), ddof=0)
    assert_close(actual.numpy(), expected)
    assert_close(F.token_covariance(z).numpy(), np.cov(z.numpy().T, ddof=0))


def test_a_shift_or_a_rotation_changes_nothing(z, generator):
    rotation, _ = torch.linalg.qr(
        torch.randn(5, 5, generator=generator, dtype=torch.float64)
    )
    assert_close(F.critical_temperature(z @ rotation + 100), F.critical_temperature(z))


def test_it_has_the_unit_of_a_squared_distance(z):
    assert_close(F.critical_temperature(3 * z), 9 * F.critical_temperature(z))


def test_it_is_zero_when_all_tokens_are_equal():
    # In float32 the smallest eigenvalues of a covariance round below zero.
    z = torch.full((20, 6), 0.1)
    assert F.top_eigenvalue(z) >= 0
    assert F.critical_temperature(z) < 1e-10


def test_unknown_gradient(z):
    with pytest.raises(ValueError, match='"stopped" or "full", got \'half\''):
        F.critical_temperature(z, gradient="half")


def test_above_it_expectation_maximization_collapses(blobs, near_mean):
    temperature = 1.05 * F.critical_temperature(blobs)
    start = near_mean(blobs)

    end = expectation_maximization(blobs, start, temperature, 300)

    assert spread(end) < 1e-4 * spread(start)
    assert_close(end, blobs.mean(0).expand(6, 2), rtol=0, atol=1e-6)


def test_above_it_a_bank_spread_over_the_data_collapses(blobs):
    temperature = 1.05 * F.critical_temperature(blobs)

    end = expectation_maximization(blobs, blobs[::30], temperature, 500)

    assert spread(end) < 1e-4


def test_below_it_expectation_maximization_splits(blobs, near_mean):
    temperature = 0.95 * F.critical_temperature(blobs)
    start = near_mean(blobs)

    end = expectation_maximization(blobs, start, temperature, 300)

    assert spread(end) > 0.5


def test_above_it_descent_through_the_assignments_collapses(blobs, near_mean):
    temperature = 4.1 / 4 * F.critical_temperature(blobs, gradient="full")
    start = near_mean(blobs)

    end = descend(blobs, start, temperature, 300, "loss")

    assert spread(end) < 1e-2 * spread(start)


def test_below_it_descent_through_the_assignments_splits(blobs, near_mean):
    temperature = 3.9 / 4 * F.critical_temperature(blobs, gradient="full")
    start = near_mean(blobs)

    end = descend(blobs, start, temperature, 400, "loss")

    assert spread(end) > 0.5


@pytest.mark.parametrize("ratio", [1.0, 2.0, 3.0])
def test_reconstruction_alone_never_collapses(blobs, near_mean, ratio):
    # Twice to six times the top eigenvalue.
    temperature = ratio * F.critical_temperature(blobs)

    end = descend(blobs, near_mean(blobs), temperature, 60, "reconstruction")

    assert spread(end) > 1.0
    assert F.min_prototype_distance(end) > 0.1


def test_a_cold_bank_passes_the_critical_point_when_it_is_heated(blobs):
    # Split below, then heated: the split heals above.
    critical = F.critical_temperature(blobs)
    cold = expectation_maximization(blobs, blobs[::30], 0.3 * critical, 50)

    hot = expectation_maximization(blobs, cold, 1.1 * critical, 300)

    assert spread(cold) > 2
    assert spread(hot) < 1e-4
