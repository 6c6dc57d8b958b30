"""Soft assignments: by hand, against a mixture model, at their limits, by laws."""

import math

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch.testing import assert_close

import sklearn_ddcl.functional as F


def test_two_prototypes_by_hand():
    # Distances 0 and 4; the temperature makes the odds e^(4 / tau) three to one.
    z, prototypes = torch.zeros(1, 1), torch.tensor([[0.0], [2.0]])

    actual = F.soft_assign(z, prototypes, temperature=4 / math.log(3))

    assert_close(actual, torch.tensor([[0.75, 0.25]]))


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_assignments_are_the_posterior_of_a_gaussian_mixture(
    z, prototypes, temperature
):
    n_prototypes = len(prototypes)
    oracle = GaussianMixture(n_prototypes, covariance_type="spherical")
    oracle.weights_ = np.full(n_prototypes, 1 / n_prototypes)
    oracle.means_ = prototypes.numpy()
    oracle.covariances_ = np.full(n_prototypes, temperature / 2)
    oracle.precisions_cholesky_ = 1 / np.sqrt(oracle.covariances_)

    actual = F.soft_assign(z, prototypes, temperature)

    assert_close(actual.numpy(), oracle.predict_proba(z.numpy()))


@pytest.mark.parametrize("temperature", [1e-30, 1e-3, 1.0, 1e3, 1e30])
def test_every_row_sums_to_one(z, prototypes, temperature):
    q = F.soft_assign(z, prototypes, temperature)

    assert q.min() >= 0
    assert_close(q.sum(-1), torch.ones(40, dtype=torch.float64))


def test_cold_competition_is_won_by_the_nearest(z, prototypes):
    q = F.soft_assign(z, prototypes, 1e-6)

    gaps = (z[:, None] - prototypes).norm(dim=-1)
    assert q.tolist() == torch.eye(6)[gaps.argmin(-1)].tolist()


def test_in_hot_competition_all_answer_equally(z, prototypes):
    q = F.soft_assign(z, prototypes, 1e12)
    assert_close(q, torch.full_like(q, 1 / 6))


def test_a_common_shift_changes_nothing(z, prototypes):
    shift = torch.linspace(-50, 100, 5, dtype=torch.float64)
    assert_close(
        F.soft_assign(z + shift, prototypes + shift, 0.7),
        F.soft_assign(z, prototypes, 0.7),
    )


def test_float32_assignments_far_from_the_origin_are_those_near_it(generator):
    z, prototypes = torch.randn(2, 30, 8, generator=generator).unbind()
    # Representable after the shift, so that only the computation rounds.
    z, prototypes = ((8 * x).round() / 8 for x in (z, prototypes))

    far = F.soft_assign(z + 4096, prototypes + 4096, 0.5)

    assert_close(far, F.soft_assign(z, prototypes, 0.5), rtol=1e-4, atol=1e-6)


def test_temperature_has_the_unit_of_a_squared_distance(z, prototypes):
    assert_close(
        F.soft_assign(3 * z, 3 * prototypes, 9 * 0.7), F.soft_assign(z, prototypes, 0.7)
    )


@pytest.mark.parametrize("leading", [(), (0,), (4,), (2, 3)])
def test_leading_dimensions_are_kept(prototypes, generator, leading):
    z = torch.randn(*leading, 5, generator=generator, dtype=torch.float64)

    actual = F.soft_assign(z, prototypes, 0.7)

    assert actual.shape == (*leading, 6)
    flat = F.soft_assign(z.reshape(-1, 5), prototypes, 0.7)
    assert_close(actual.reshape(-1, 6), flat)


@pytest.mark.parametrize("function", [F.soft_assign, F.log_soft_assign])
def test_gradient(z, prototypes, function):
    temperature = torch.tensor(0.7, dtype=torch.float64)
    inputs = (z[:5], prototypes, temperature)
    assert torch.autograd.gradcheck(function, [x.requires_grad_() for x in inputs])


@pytest.mark.parametrize("temperature", [1e-30, 1e-12, 1.0, 1e12, 1e30])
@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_assignments_and_their_gradient_are_finite(generator, temperature, scale):
    z = scale * torch.randn(20, 8, generator=generator)
    prototypes = (scale * torch.randn(7, 8, generator=generator)).requires_grad_()

    log_q = F.log_soft_assign(z, prototypes, temperature)
    log_q.exp().square().sum().backward()

    assert log_q.isfinite().all()
    assert prototypes.grad.isfinite().all()


def test_the_logarithm_is_exact_where_the_assignment_underflows():
    # Distances 0 and 10^4: the log odds are -10^4, their exponential is zero.
    z, prototypes = torch.zeros(1, 1), torch.tensor([[0.0], [100.0]])

    assert F.log_soft_assign(z, prototypes, 1.0).tolist() == [[0.0, -1e4]]
    assert F.soft_assign(z, prototypes, 1.0).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("temperature", [0.5, torch.tensor(0.5)])
def test_the_dtype_is_kept(z, prototypes, dtype, temperature):
    q = F.soft_assign(z.to(dtype), prototypes.to(dtype), temperature)
    assert q.dtype == dtype


@pytest.mark.parametrize("temperature", [0, 0.0, -1.0, float("nan")])
@pytest.mark.parametrize("function", [F.soft_assign, F.log_soft_assign, F.free_energy])
def test_a_temperature_must_be_positive(z, prototypes, function, temperature):
    with pytest.raises(ValueError, match=f"positive, got {temperature}"):
        function(z, prototypes, temperature)


@pytest.mark.parametrize("function", [F.soft_assign, F.log_soft_assign, F.free_energy])
def test_dimensions_must_fit(z, prototypes, function):
    with pytest.raises(ValueError, match=r"last dimension 4 .* shape \(40, 5\)"):
        function(z, prototypes[:, :4], 1.0)
