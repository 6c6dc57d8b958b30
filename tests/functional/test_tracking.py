"""Do prototypes keep up with their tokens?"""

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F


def test_centroids_by_hand():
    z = torch.tensor([[0.0], [4.0]])
    q = torch.tensor([[0.75, 0.25], [0.25, 0.75]])

    means, mass = F.centroids(z, q)

    assert means.tolist() == [[1.0], [3.0]]
    assert mass.tolist() == [0.5, 0.5]


def test_an_idle_prototype_has_centroid_and_mass_zero():
    q = torch.tensor([[1.0, 0.0], [1.0, 0.0]])

    means, mass = F.centroids(torch.tensor([[2.0], [4.0]]), q)

    assert means.tolist() == [[3.0], [0.0]]
    assert mass.tolist() == [1.0, 0.0]


def test_a_nearly_idle_prototype_has_the_centroid_of_its_tokens():
    q = torch.tensor([[1.0, 2e-34], [1.0, 6e-34]])

    means, _ = F.centroids(torch.tensor([[2.0], [4.0]]), q)

    assert_close(means, torch.tensor([[3.0], [3.5]]))


def test_tokens_that_do_not_exist_weigh_nothing(z, prototypes):
    q = F.soft_assign(z, prototypes, 1.0)
    q[25:] = 0

    means, mass = F.centroids(z, q)

    assert_close(mass.sum().item(), 1.0)
    assert_close((means, mass), F.centroids(z[:25], q[:25]))


def test_centroids_preserve_the_mean_of_the_tokens(z, prototypes):
    means, mass = F.centroids(z, F.soft_assign(z, prototypes, 1.0))

    assert_close(mass.sum().item(), 1.0)
    assert_close(mass @ means, z.mean(0))


def test_centroids_are_where_the_frozen_loss_is_flat(z, prototypes):
    q = F.soft_assign(z, prototypes, 1.0)
    means, _ = F.centroids(z, q)
    means.requires_grad_()

    F.decompose(z, means, q).loss.backward()

    assert means.grad.abs().max() < 1e-14


def test_tracking_error_by_hand():
    # Tokens of spread 2, centroids at 1 and 3; the prototypes lag by 0 and by 1, each
    # with half of the mass.
    z, prototypes = torch.tensor([[0.0], [4.0]]), torch.tensor([[1.0], [4.0]])
    q = torch.tensor([[0.75, 0.25], [0.25, 0.75]])

    actual = F.tracking_error(z, prototypes, q)

    assert_close(actual.item(), 0.5**0.5 / 2)


def test_tracking_error_has_no_unit(z, prototypes):
    q = F.soft_assign(z, prototypes, 1.0)
    shifted = F.tracking_error(7 * z + 50, 7 * prototypes + 50, q)
    assert_close(shifted, F.tracking_error(z, prototypes, q))


def test_expectation_maximization_on_resting_tokens_leaves_none(blobs, generator):
    prototypes = 3 * torch.randn(6, 2, generator=generator, dtype=torch.float64)
    start = F.tracking_error(blobs, prototypes, F.soft_assign(blobs, prototypes, 9.0))
    for _ in range(300):
        prototypes, _ = F.centroids(blobs, F.soft_assign(blobs, prototypes, 9.0))

    end = F.tracking_error(blobs, prototypes, F.soft_assign(blobs, prototypes, 9.0))

    assert start > 0.05
    assert end < 1e-9


def lag_behind_rotation(blobs, speed, lr, n_steps=300):
    """Return the tracking error of prototypes that descend while tokens rotate."""
    tokens = blobs - blobs.mean(0)
    prototypes = torch.stack([group.mean(0) for group in tokens.split(60)])
    angle = torch.tensor(speed, dtype=torch.float64)
    turn = torch.stack(
        [
            torch.stack([angle.cos(), -angle.sin()]),
            torch.stack([angle.sin(), angle.cos()]),
        ]
    )
    for _ in range(n_steps):
        tokens = tokens @ turn.T
        q = F.soft_assign(tokens, prototypes, 5.0)
        means, mass = F.centroids(tokens, q)
        prototypes = prototypes - lr * 2 * mass[:, None] * (prototypes - means)
    return F.tracking_error(tokens, prototypes, F.soft_assign(tokens, prototypes, 5.0))


def test_tracking_error_is_proportional_to_the_speed_of_the_tokens(blobs):
    slow = lag_behind_rotation(blobs, speed=1e-3, lr=0.2)
    fast = lag_behind_rotation(blobs, speed=3e-3, lr=0.2)

    assert slow > 1e-3
    assert (fast / slow).item() == pytest.approx(3, rel=0.03)


def test_tracking_error_falls_with_the_rate_of_the_prototypes(blobs):
    slow = lag_behind_rotation(blobs, speed=1e-3, lr=0.1)
    fast = lag_behind_rotation(blobs, speed=1e-3, lr=0.2)

    assert (slow / fast).item() == pytest.approx(2, rel=0.15)
