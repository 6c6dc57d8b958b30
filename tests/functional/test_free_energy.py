"""The free energy, and why detached assignments are deterministic annealing."""

import math

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F

temperatures = pytest.mark.parametrize("temperature", [0.05, 0.7, 20.0])


def test_one_prototype_by_hand():
    # One prototype answers for all: no entropy, the mean squared distance remains.
    z = torch.tensor([[1.0], [3.0]])
    assert_close(F.free_energy(z, torch.zeros(1, 1), 0.3).item(), 5.0)


def test_equal_prototypes_by_hand():
    # q = 1/4 everywhere: distance 9 minus temperature times log 4.
    actual = F.free_energy(torch.zeros(1, 1), torch.full((4, 1), 3.0), 2.0)
    assert_close(actual.item(), 9 - 2 * math.log(4))


@temperatures
def test_free_energy_is_the_loss_less_temperature_times_entropy(
    z, prototypes, temperature
):
    q = F.soft_assign(z, prototypes, temperature)
    gaps = (z[:, None] - prototypes).square().sum(-1)
    entropy = -torch.xlogy(q, q).sum(-1)

    expected = ((q * gaps).sum(-1) - temperature * entropy).mean()

    assert_close(F.free_energy(z, prototypes, temperature), expected)


@temperatures
def test_its_gradient_is_that_of_the_loss_with_detached_assignments(
    z, prototypes, temperature
):
    prototypes.requires_grad_()
    q = F.soft_assign(z, prototypes, temperature).detach()

    loss = F.decompose(z, prototypes, q).loss
    (of_loss,) = torch.autograd.grad(loss, prototypes)
    energy = F.free_energy(z, prototypes, temperature)
    (of_energy,) = torch.autograd.grad(energy, prototypes)

    assert_close(of_energy, of_loss, rtol=1e-12, atol=1e-12)


@temperatures
def test_the_full_gradient_of_the_loss_is_another_one(z, prototypes, temperature):
    # 2 mean_t w_tk (p_k - z_t), w = q (1 - (D - loss) / temperature).
    prototypes.requires_grad_()
    q = F.soft_assign(z, prototypes, temperature)

    (actual,) = torch.autograd.grad(F.decompose(z, prototypes, q).loss, prototypes)

    gaps = prototypes - z[:, None]
    distances = gaps.square().sum(-1)
    loss = (q * distances).sum(-1, keepdim=True)
    w = q * (1 - (distances - loss) / temperature)
    expected = 2 * (w[..., None] * gaps).mean(0)
    assert_close(actual, expected.detach(), rtol=1e-9, atol=1e-9)


@temperatures
def test_its_slope_in_the_temperature_is_the_negative_entropy(
    z, prototypes, temperature
):
    temperature = torch.tensor(temperature, dtype=torch.float64, requires_grad=True)

    energy = F.free_energy(z, prototypes, temperature)
    (slope,) = torch.autograd.grad(energy, temperature)

    q = F.soft_assign(z, prototypes, temperature)
    assert_close(slope, torch.xlogy(q, q).sum(-1).mean().detach())


@temperatures
def test_the_loss_never_falls_when_the_temperature_rises(z, prototypes, temperature):
    # dL/dtau is the variance of the distances under the assignments, by tau^2; hence
    # a learned temperature could only shrink.
    temperature = torch.tensor(temperature, dtype=torch.float64, requires_grad=True)
    q = F.soft_assign(z, prototypes, temperature)

    parts = F.decompose(z, prototypes, q)
    (slope,) = torch.autograd.grad(parts.loss, temperature)

    q, distances = q.detach(), (z[:, None] - prototypes).square().sum(-1)
    mean = (q * distances).sum(-1, keepdim=True)
    variance = (q * (distances - mean).square()).sum(-1).mean()
    assert_close(slope, variance / temperature.detach() ** 2)
    assert slope > 0


def test_cold_free_energy_is_the_distance_to_the_nearest(z, prototypes):
    gaps = (z[:, None] - prototypes).square().sum(-1)
    assert_close(F.free_energy(z, prototypes, 1e-9), gaps.amin(-1).mean())


@temperatures
def test_expectation_maximization_never_raises_it(blobs, generator, temperature):
    prototypes = 3 * torch.randn(6, 2, generator=generator, dtype=torch.float64)
    energies = []
    for _ in range(15):
        energies.append(F.free_energy(blobs, prototypes, temperature))
        q = F.soft_assign(blobs, prototypes, temperature)
        prototypes, _ = F.centroids(blobs, q)

    energies = torch.stack(energies)
    assert energies[-1] < energies[0] - 0.1
    assert energies.diff().max() <= 1e-12
