"""Heads that could be done without."""

import torch

from sklearn_ddcl.training.growth.redundancy import Redundancy


def follow(mixed, output, weights=None, n_steps=200):
    redundancy = Redundancy()
    weights = torch.ones(len(mixed)) if weights is None else weights
    for _ in range(n_steps):
        redundancy.update(mixed, output, None, weights)
    return redundancy


def test_the_trailing_energy_is_the_smallest_eigenvalue(generator):
    mixed = torch.randn(50, 3, 4, 2, generator=generator)
    output = torch.randn(3, 2, 5, generator=generator)
    redundancy = follow(mixed, output, n_steps=2000)

    added = torch.einsum("bhtp,hpd->hbtd", mixed, output).flatten(1, 2).double()
    centered = (added - added.mean(1, keepdim=True)).flatten(1)
    covariance = centered @ centered.T
    smallest = torch.linalg.eigvalsh(covariance / covariance.trace())[0]

    energy, _ = redundancy.trailing
    assert abs(energy - float(smallest)) < 1e-6
    shares = covariance.diagonal() / covariance.trace()
    torch.testing.assert_close(redundancy.shares, shares)


def test_a_head_that_adds_the_same_to_all_is_redundant(generator):
    mixed = torch.randn(50, 3, 4, 2, generator=generator)
    mixed[:, 1] = 7.0
    redundancy = follow(mixed, torch.randn(3, 2, 5, generator=generator))
    energy, head = redundancy.trailing
    assert energy < 1e-6
    assert head == 1


def test_of_two_equal_heads_one_is_redundant(generator):
    mixed = torch.randn(50, 3, 4, 2, generator=generator)
    output = torch.randn(3, 2, 5, generator=generator)
    mixed[:, 2], output[2] = mixed[:, 0], output[0]
    energy, head = follow(mixed, output, n_steps=1000).trailing
    assert energy < 1e-6
    assert head in (0, 2)


def test_heads_of_their_own_are_not_redundant(generator):
    mixed = torch.randn(500, 3, 4, 2, generator=generator)
    output = torch.linalg.qr(torch.randn(6, 6, generator=generator)).Q.view(3, 2, 6)
    energy, _ = follow(mixed, output).trailing
    assert energy > 0.25


def test_tokens_that_do_not_exist_and_weights_count(generator):
    mixed = torch.randn(6, 2, 4, 3, generator=generator)
    output = torch.randn(2, 3, 5, generator=generator)
    mask = torch.arange(4) < torch.tensor([4, 2, 3, 4, 1, 4])[:, None]
    weights = torch.tensor([2.0, 1.0, 1.0, 1.0, 3.0, 1.0])
    weighted, repeated = Redundancy(), Redundancy()
    weighted.update(mixed, output, mask, weights)
    junk = mixed.transpose(1, 2).masked_fill(~mask[..., None, None], 9.0)
    rows = torch.repeat_interleave(torch.arange(6), weights.long())
    repeated.update(
        junk.transpose(1, 2)[rows], output, mask[rows], torch.ones(len(rows))
    )
    torch.testing.assert_close(weighted.covariance, repeated.covariance)


def test_without_a_look_nothing_is_redundant():
    assert Redundancy().trailing == (1.0, -1)
