"""Descending the diversity contracts; reconstruction and the softmax spread."""

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F


def spread(prototypes):
    """Return the summed squared distance of the prototypes to their mean."""
    return (prototypes - prototypes.mean(0)).square().sum()


def frozen_diversity_gradient(z, prototypes, q):
    prototypes = prototypes.clone().requires_grad_()
    value = F.decompose(z, prototypes, q, reduction="sum").diversity
    (gradient,) = torch.autograd.grad(value, prototypes)
    return value.detach(), gradient


def test_the_frozen_gradient_of_diversity_is_the_assignment_covariance(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)

    _, gradient = frozen_diversity_gradient(z, prototypes, q)

    covariance = torch.diag(q.sum(0)) - q.T @ q
    assert_close(gradient, 2 * covariance @ prototypes)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 50.0])
def test_descending_diversity_contracts_the_prototypes_at_rate_four(
    z, prototypes, temperature
):
    q = F.soft_assign(z, prototypes, temperature)
    diversity, gradient = frozen_diversity_gradient(z, prototypes, q)

    # d/ds of the spread of prototypes - s * gradient at s = 0.
    _, rate = torch.autograd.functional.jvp(
        spread, (prototypes,), (-gradient,), create_graph=False
    )

    assert diversity > 1e-3
    assert_close(rate, -4 * diversity)


def quadratic_form(part, temperature, blobs, delta):
    """Return how much a part grows, relative to delta^2, away from full collapse."""

    def value(scale):
        prototypes = blobs.mean(0) + scale * delta
        if part == "free_energy":
            return len(blobs) * F.free_energy(blobs, prototypes, temperature)
        q = F.soft_assign(blobs, prototypes, temperature)
        return getattr(F.decompose(blobs, prototypes, q, reduction="sum"), part)

    h = 1e-3
    return (value(h) + value(-h) - 2 * value(0.0)) / (2 * h**2)


@pytest.mark.parametrize(
    ("part", "isotropic", "pull_apart"),
    [
        ("diversity", 1.0, 0.0),
        ("reconstruction", 0.0, 4.0),
        ("loss", 1.0, 4.0),
        ("free_energy", 1.0, 2.0),
    ],
)
def test_what_each_part_does_to_a_collapsed_bank(
    blobs, generator, part, isotropic, pull_apart
):
    # To second order around the token mean, a part changes by
    # (N / K) sum_k delta_k' (isotropic * I - pull_apart * C / temperature) delta_k.
    delta = torch.randn(6, 2, generator=generator, dtype=torch.float64)
    delta -= delta.mean(0)
    temperature = 30.0

    actual = quadratic_form(part, temperature, blobs, delta)

    covariance = torch.cov(blobs.T, correction=0)
    shape = isotropic * torch.eye(2) - pull_apart / temperature * covariance
    expected = len(blobs) / 6 * torch.einsum("kd,de,ke->", delta, shape, delta)
    assert_close(actual, expected, rtol=1e-3, atol=1e-3)
