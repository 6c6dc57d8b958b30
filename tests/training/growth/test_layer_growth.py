"""How one layer changes: several heads at once, and mixed ones anew with them."""

import pytest
import torch

from sklearn_ddcl.training.growth.layer_growth import Head, LayerGrowth
from sklearn_ddcl.training.growth.terms import Term

from .conftest import D_TOKEN, Student


@pytest.fixture
def watch(generator, torch_seed, monkeypatch):
    """Return a function that watches a layer in which some heads are missing."""

    def make(n_heads, n_missing, max_heads=6):
        student = Student(generator, n_heads=n_heads)
        growth = LayerGrowth(student.attention, max_heads, generator)
        eye = torch.eye(D_TOKEN, dtype=torch.float64)
        terms = [
            Term(1.0, torch.outer(eye[n], eye[n + 1]), torch.diag(eye[n] - eye[n + 1]))
            for n in range(n_missing)
        ]
        monkeypatch.setattr(growth, "missing_terms", lambda n: terms[:n])
        return growth, torch.optim.AdamW(student.parameters())

    return make


def own_a_direction(layer, head):
    """Let a head do one thing."""
    with torch.no_grad():
        layer.bases[:, head, 1:] = 0


def test_what_is_missing_alike_comes_at_once(watch):
    growth, optimizer = watch(1, 3)
    own_a_direction(growth.layer, 0)
    kept = growth.layer.bases[:, 0].clone()

    growth.grow(optimizer, 5)

    assert growth.layer.n_heads == len(growth.heads) == 4
    assert torch.equal(growth.layer.bases[:, 0], kept)
    assert (growth.layer.output[1:] == 0).all()
    assert [head.learns for head in growth.heads] == [False, True, True, True]
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert {id(growth.layer.bases), id(growth.layer.output)} <= held


def test_a_head_that_does_a_little_of_everything_starts_anew(watch):
    growth, optimizer = watch(1, 3)
    assert growth.mixed_heads(3) == [0]
    growth.grow(optimizer, 3)
    assert growth.layer.n_heads == len(growth.heads) == 3
    assert growth.n_turns == 1
    assert all(head.learns for head in growth.heads)


def test_it_stays_for_a_single_one(watch):
    growth, optimizer = watch(1, 3)
    before = growth.layer.bases[:, 0].clone()
    growth.grow(optimizer, 1)
    assert growth.layer.n_heads == 2
    assert torch.equal(growth.layer.bases[:, 0], before)
    assert growth.n_turns == 0


def test_a_head_that_still_learns_does_not_start_anew(watch):
    growth, _ = watch(1, 3)
    growth.heads = [Head()]
    assert growth.mixed_heads(3) == []


def test_no_more_heads_start_anew_than_come_or_than_may(watch):
    growth, _ = watch(3, 5)
    assert growth.mixed_heads(3) == []
    assert growth.mixed_heads(4) == [0, 1, 2]
    growth.n_turns = 4
    assert growth.mixed_heads(4) == []


def test_no_more_heads_come_than_allowed(watch):
    growth, optimizer = watch(2, 5, max_heads=4)
    for head in range(2):
        own_a_direction(growth.layer, head)
    growth.grow(optimizer, 5)
    assert growth.layer.n_heads == 4


def test_without_a_direction_a_head_comes_all_the_same(watch):
    growth, optimizer = watch(1, 0)
    growth.grow(optimizer, 1)
    assert growth.layer.n_heads == 2


def test_of_rows_with_many_tokens_few_are_kept(watch, generator):
    growth, _ = watch(1, 0)
    weights = torch.ones(64)
    for n_tokens, kept in ((8, 64), (1000, 4), (10_000, 1)):
        x = torch.randn(64, n_tokens, D_TOKEN, generator=generator)
        growth._keep_sample(x, x, None, weights)
        tokens, residual, _, own = growth.samples[-1]
        assert tokens.shape == residual.shape == (kept, n_tokens, D_TOKEN)
        assert own.shape == (kept,)
        # A view would keep all of it.
        assert tokens.untyped_storage().nbytes() == tokens.nbytes
