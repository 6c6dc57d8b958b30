"""An encoder that feels the loss collapses the tokens, and the identity stays green."""

import pytest
import torch
from torch import nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import Linear


def train(detach_tokens, generator):
    """Minimize the competition loss alone; return variances and the last residual."""
    rows = torch.randn(64, 6, generator=generator, dtype=torch.float64)
    encoder = nn.Sequential(
        Linear(6, 16, generator=generator),
        nn.ReLU(),
        Linear(16, 8, generator=generator),
        nn.LayerNorm(8),
    ).double()
    prototypes = torch.randn(4, 8, generator=generator, dtype=torch.float64)
    prototypes.requires_grad_()
    optimizer = torch.optim.Adam([*encoder.parameters(), prototypes], lr=1e-2)

    variances = []
    for _ in range(250):
        tokens = encoder(rows)
        variances.append(tokens.var(0).sum().item())
        if detach_tokens:
            tokens = tokens.detach()
        q = F.soft_assign(tokens, prototypes, 2.0).detach()
        parts = F.decompose(tokens, prototypes, q)
        optimizer.zero_grad()
        parts.loss.backward()
        optimizer.step()
    return variances[0], variances[-1], parts


def test_an_encoder_that_feels_the_loss_collapses_the_tokens(generator):
    before, after, parts = train(detach_tokens=False, generator=generator)

    # Layer normalization fixes the length of a token, not that tokens differ.
    assert before > 4
    assert after < 0.05 * before
    assert parts.residual < 1e-12


def test_an_encoder_that_does_not_feel_it_keeps_them_apart(generator):
    before, after, parts = train(detach_tokens=True, generator=generator)

    assert after == pytest.approx(before)
    assert parts.residual < 1e-12
