"""Pooling weights beside the literal formula, and in their limits."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F

N_TOKENS = 20


@pytest.fixture
def x(generator):
    return torch.randn(2, N_TOKENS, 3, generator=generator, dtype=torch.float64)


@pytest.fixture
def logits(generator):
    return torch.randn(2, N_TOKENS, generator=generator, dtype=torch.float64)


@pytest.fixture
def squared():
    places = torch.arange(N_TOKENS, dtype=torch.float64)
    return (places[:, None] - places).square()


def sizes(value):
    return torch.full((2, N_TOKENS), value, dtype=torch.float64)


@pytest.mark.parametrize("size", [0.3, 0.7, 2.0, 10.0])
def test_it_is_the_literal_formula(logits, squared, size):
    own = sizes(size) * torch.linspace(0.8, 1.2, N_TOKENS, dtype=torch.float64)
    w, s, D = np.exp(logits.numpy()), own.numpy(), squared.numpy()
    expected = np.empty((2, N_TOKENS, N_TOKENS))
    for b in range(2):
        for i in range(N_TOKENS):
            share = w[b] * np.exp(-D[i] / (2 * s[b, i] ** 2))
            expected[b, i] = share / share.sum()

    answer = F.pooling_weights(logits, own, squared)

    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-12)


def test_a_tiny_size_takes_in_nothing_else(x, logits, squared):
    weights = F.pooling_weights(logits, sizes(0.02), squared)

    assert torch.equal(weights @ x, x)


def test_a_huge_size_takes_in_everything_by_its_weight(x, logits, squared):
    weights = F.pooling_weights(logits, sizes(1e6), squared)

    mean = logits.softmax(1)[:, None] @ x
    assert_close(weights @ x, mean.expand_as(x), rtol=0, atol=1e-10)
    even = F.pooling_weights(torch.zeros_like(logits), sizes(1e8), squared)
    assert_close(even @ x, x.mean(1, keepdim=True).expand_as(x), rtol=0, atol=1e-12)


def test_every_token_has_a_size_of_its_own(x, logits, squared):
    mixed = sizes(0.02)
    mixed[:, 1::2] = 1e8

    pooled = F.pooling_weights(logits, mixed, squared) @ x

    assert torch.equal(pooled[:, ::2], x[:, ::2])
    mean = (logits.softmax(1)[:, None] @ x).expand(-1, N_TOKENS // 2, -1)
    assert_close(pooled[:, 1::2], mean, rtol=0, atol=1e-12)


def test_weights_are_a_distribution(logits, squared):
    weights = F.pooling_weights(logits, sizes(1.5), squared)

    assert_close(weights.sum(-1), torch.ones_like(logits), rtol=0, atol=1e-14)
    assert bool((weights >= 0).all())


def test_masked_tokens_are_not_taken_in(x, logits, squared):
    mask = torch.arange(N_TOKENS).expand(2, -1) < 12

    weights = F.pooling_weights(logits, sizes(2.0), squared, mask[:, None])

    alone = F.pooling_weights(logits[:, :12], sizes(2.0)[:, :12], squared[:12, :12])
    assert_close(weights[:, :12, :12], alone)
    assert bool((weights[:, :, 12:] == 0).all())
    nobody = F.pooling_weights(logits, sizes(2.0), squared, mask[:, None] & False)
    assert bool(nobody.isfinite().all())


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_a_window_of_four_sizes_is_nearly_everything(
    x, logits, squared, causal, masked
):
    mask = torch.arange(N_TOKENS).expand(2, -1) < 15 if masked else None
    allowed = torch.ones(N_TOKENS, N_TOKENS, dtype=torch.bool)
    allowed = allowed.tril() if causal else allowed
    if masked:
        allowed = allowed & mask[:, None]
    dense = F.pooling_weights(0 * logits, sizes(1.5), squared, allowed) @ x

    near = F.pool_window(x, 0 * logits, sizes(1.5), 6, mask, causal=causal)

    seen = slice(None) if mask is None else mask
    assert_close(near[seen], dense[seen], rtol=0, atol=1e-3)
    whole = F.pool_window(x, 0 * logits, sizes(1.5), 100, mask, causal=causal)
    assert_close(whole[seen], dense[seen], rtol=0, atol=1e-12)


def test_gradients_are_those_of_the_differences(x, logits, squared):
    x, logits = x[:, :5], logits[:, :5].clone().requires_grad_()
    own = sizes(0.9)[:, :5].clone().requires_grad_()

    def dense(logits, own):
        return F.pooling_weights(logits, own, squared[:5, :5]) @ x

    def near(logits, own):
        return F.pool_window(x, logits, own, 2)

    assert torch.autograd.gradcheck(dense, [logits, own])
    assert torch.autograd.gradcheck(near, [logits, own])
