"""Prototypes of every level, and the temperature at which they share tokens."""

import math

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers.document_tokens import DocumentTokens
from sklearn_ddcl.training.documents import fit_levels, shared_temperature


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def blobs(n=60):
    """Return tokens around (0, 0), (10, 0) and (0, 10), one after the other."""
    centers = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    noise = 0.1 * torch.randn(3 * n, 2, generator=generator())
    return centers.repeat(n, 1) + noise, centers


def test_the_first_level_finds_the_groups_of_the_tokens():
    tokens, centers = blobs()
    documents = DocumentTokens(tokens, (torch.arange(0, 181, 6),))

    found = fit_levels(documents, (3,), generator())

    prototypes = found.levels[0].prototypes.detach() + found.center
    assert float(torch.cdist(centers, prototypes).amin(1).max()) < 0.1
    assert found.n_unused == 0
    assert set(found.history["level"]) == {1}


def test_the_next_level_finds_the_groups_of_the_slots():
    tokens, centers = blobs()
    bounds = torch.arange(0, 181, 6), torch.tensor([0, 10, 20, 30])

    found = fit_levels(DocumentTokens(tokens, bounds), (3, 3), generator())

    for level in found.levels:
        prototypes = level.prototypes.detach() + found.center
        assert float(torch.cdist(centers, prototypes).amin(1).max()) < 0.1
    assert set(found.history["level"]) == {1, 2}
    assert found.history["epoch"] == list(range(1, len(found.history) + 1))


def test_too_many_prototypes_are_counted():
    tokens = torch.tensor([[0.0], [1.0]]).repeat(5, 1)
    documents = DocumentTokens(tokens, (torch.tensor([0, 10]),))

    assert fit_levels(documents, (5,), generator()).n_unused == 3


def test_groups_that_are_far_apart_are_not_mixed():
    # Of three prototypes two would share a token at 12 or so.
    tokens, centers = blobs()
    documents = DocumentTokens(tokens, (torch.arange(0, 181, 6),))

    found = fit_levels(documents, (3,), generator())

    distances = torch.cdist(tokens, centers).amin(1).square()
    assert found.levels[0].temperature.item() == pytest.approx(
        distances.mean().item(), rel=0.1
    )


def test_a_given_temperature_is_that_of_all_levels():
    tokens, _ = blobs()
    bounds = torch.arange(0, 181, 6), torch.tensor([0, 10, 20, 30])

    documents = DocumentTokens(tokens, bounds)
    found = fit_levels(documents, (3, 2), generator(), temperature=0.25)

    assert [float(level.temperature) for level in found.levels] == [0.25, 0.25]


@pytest.mark.parametrize("shared_by", [1.5, 3.0])
def test_so_many_prototypes_share_a_token(shared_by):
    tokens = torch.randn(200, 4, generator=generator()).double()
    prototypes = torch.randn(8, 4, generator=generator(1)).double()

    temperature = shared_temperature(tokens, prototypes, shared_by=shared_by)

    q = torch.softmax(-torch.cdist(tokens, prototypes).square() / temperature, 1)
    entropy = -(q * q.clamp_min(1e-300).log()).sum(1).mean()
    assert math.exp(entropy) == pytest.approx(shared_by, rel=1e-4)


def test_the_temperature_has_the_unit_of_a_squared_distance():
    tokens = torch.randn(50, 4, generator=generator()).double()
    prototypes = torch.randn(8, 4, generator=generator(1)).double()

    once = shared_temperature(tokens, prototypes)

    assert shared_temperature(3 * tokens, 3 * prototypes) == pytest.approx(9 * once)


def test_weights_count_like_repeated_tokens():
    tokens = torch.randn(6, 4, generator=generator()).double()
    prototypes = torch.randn(8, 4, generator=generator(1)).double()
    counts = torch.tensor([1, 2, 3, 1, 2, 3])

    weighted = shared_temperature(tokens, prototypes, counts)

    repeated = tokens.repeat_interleave(counts, 0)
    assert weighted == pytest.approx(shared_temperature(repeated, prototypes))


@pytest.mark.parametrize("n_prototypes", [1, 2])
def test_few_prototypes_have_a_temperature_too(n_prototypes):
    tokens = torch.randn(50, 4, generator=generator())

    temperature = shared_temperature(tokens, tokens[:n_prototypes])

    assert 0 < temperature < math.inf


def test_tokens_that_are_all_the_same_have_a_temperature():
    documents = DocumentTokens(torch.ones(4, 2), (torch.tensor([0, 1, 4]),))

    found = fit_levels(documents, (2,), generator())

    assert_close(found.levels[0].temperature.item(), 1.0)
