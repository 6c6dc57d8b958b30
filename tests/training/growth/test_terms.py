"""What is missing is taken apart into heads, and every head gets its roles."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.training.growth.terms import (
    Sample,
    Term,
    find_roles,
    ownership,
    rank_one_terms,
)

D, N_ROWS, N_TOKENS = 10, 600, 6


@pytest.fixture
def heads(generator):
    """Return query, key, value and output of four heads, (4, 4, D), orthonormal."""
    shape = (4, D, D)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(drawn).Q.mT[:, :4]


def terms_of(heads):
    """Return the demands and contexts of heads, unit matrices."""
    query, key, value, out = heads
    demands = query[:, :, None] * out[:, None]
    contexts = key[:, :, None] * value[:, None]
    contexts = (contexts + contexts.mT) / 2
    return demands, contexts / contexts.flatten(1).norm(dim=1)[:, None, None]


def like(first, second):
    """Return inner products of unit matrices, (n, m)."""
    return first.flatten(1) @ second.flatten(1).T


def test_heads_are_told_apart_that_are_all_alike_strong(heads, generator):
    demands, contexts = terms_of(heads)
    # With the same gains, any rotation of the directions is as good.
    drawn = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    turn = torch.linalg.qr(drawn).Q
    mixed = [torch.einsum("mn,nij->mij", turn, part) for part in (demands, contexts)]
    assert like(mixed[0], demands).abs().max() < 0.95

    terms = rank_one_terms(*mixed, torch.full((4,), 0.3), 0.25, 10)

    assert len(terms) == 4
    found = [torch.stack([term[part] for term in terms]) for part in (1, 2)]
    shared = like(found[0], demands) * like(found[1], contexts)
    assert_close(shared.sort(1).values[:, -1], torch.ones(4).double())
    assert sorted(shared.argmax(1).tolist()) == [0, 1, 2, 3]
    assert [term.gain for term in terms] == pytest.approx([0.3] * 4, abs=1e-6)


def test_the_strongest_comes_first_and_weak_ones_are_left_out(heads):
    gains = torch.tensor([0.2, 1.0, 0.6, 0.4])
    terms = rank_one_terms(*terms_of(heads), gains, 0.25, 10)
    assert [term.gain for term in terms] == pytest.approx([1.0, 0.6])
    terms = rank_one_terms(*terms_of(heads), gains, 0.01, 3)
    assert [term.gain for term in terms] == pytest.approx([1.0, 0.6, 0.4])


def test_without_a_positive_gain_there_is_no_term(heads):
    assert rank_one_terms(*terms_of(heads), -torch.ones(4), 0.25, 10) == []


@pytest.mark.parametrize("padded", [False, True])
def test_key_and_value_are_found_with_their_signs(heads, generator, padded):
    demands, contexts = terms_of(heads)
    x = torch.randn(N_ROWS, N_TOKENS, D, generator=generator, dtype=torch.float64)
    mask = None
    if padded:
        mask = torch.arange(N_TOKENS) < torch.randint(
            3, N_TOKENS + 1, (N_ROWS, 1), generator=generator
        )
        x[~mask] = 50.0
    for head in range(4):
        query, key, value, out = heads[:, head]
        logits = 3 * torch.einsum("bi,bj->bij", x @ query, x @ key)
        if padded:
            logits = logits.masked_fill(~mask[:, None], -torch.inf)
        asked = (logits.softmax(-1) @ (x @ value)[..., None]) * out
        sample = Sample(x, asked, mask, torch.ones(N_ROWS))

        roles = find_roles(Term(1.0, demands[head], contexts[head]), [sample])

        # Query and key may both change sign, and so may the value: output is free.
        assert float(roles[0] @ query) * float(roles[1] @ key) == pytest.approx(1)
        assert abs(float(roles[2] @ value)) == pytest.approx(1)


def test_without_samples_some_roles_are_found(heads):
    demands, contexts = terms_of(heads)
    roles = find_roles(Term(1.0, demands[0], contexts[0]), [])
    assert_close(roles.norm(dim=1), torch.ones(3).double())


def test_a_head_owns_a_direction_if_it_does_one_thing(heads):
    query, key, value, out = heads
    bases = torch.stack([query, key, value])
    # One head that is along the first direction alone, and one along all four alike.
    single = torch.zeros(3, 4, D).double()
    single[:, 0] = bases[:, 0]
    owned = ownership(
        torch.stack([single, bases], 1),
        torch.stack([torch.eye(4).double()[:, :1] * out[:1], out]),
    )
    assert_close(owned, torch.tensor([1.0, 1 / 16]).double())
