"""The objective, by hand, and who feels which part of it."""

import math

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.training.loss import bank_distortion, cross_entropy


def test_cross_entropy_by_hand():
    # Two rows of weights 1 and 3, one view: -(1 * log 1/2 + 3 * log 1/4) / 4.
    log_proba = torch.tensor([[[0.5, 0.5]], [[0.75, 0.25]]]).log()
    loss = cross_entropy(log_proba, torch.tensor([0, 1]), torch.tensor([1.0, 3.0]))

    assert float(loss) == pytest.approx((math.log(2) + 3 * math.log(4)) / 4)


def test_every_view_answers_for_itself():
    # The mean of the losses, not the loss of the mean.
    log_proba = torch.tensor([[[0.5, 0.5], [0.125, 0.875]]]).log()
    loss = cross_entropy(log_proba, torch.tensor([0]), torch.ones(1))

    assert float(loss) == pytest.approx((math.log(2) + math.log(8)) / 2)


def test_bank_distortion_by_hand():
    # One row of two tokens in two dimensions; each is assigned half and half.
    tokens = torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
    prototypes = torch.tensor([[0.0, 0.0], [0.0, 2.0]])
    log_q = torch.full((1, 2, 2), 0.5).log()
    loss = bank_distortion(tokens, prototypes, log_q, torch.ones(1))

    # Tokens: (0 + 4) / 2 = 2 and (4 + 8) / 2 = 6; their mean over two dimensions.
    assert float(loss) == pytest.approx(4 / 2)


def test_a_weight_counts_rows_in_the_distortion():
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randn(3, 2, 4, generator=generator, dtype=torch.float64)
    prototypes = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    log_q = torch.randn(3, 2, 5, generator=generator, dtype=torch.float64)
    log_q = log_q.log_softmax(-1)
    rows = torch.tensor([0, 0, 2])

    repeated = bank_distortion(
        tokens[rows], prototypes, log_q[rows], torch.ones(3, dtype=torch.float64)
    )
    weights = torch.tensor([2.0, 0.0, 1.0], dtype=torch.float64)

    assert_close(bank_distortion(tokens, prototypes, log_q, weights), repeated)


def test_only_the_prototypes_feel_the_distortion():
    tokens = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))
    tokens.requires_grad_()
    prototypes = torch.zeros(5, 4, requires_grad=True)
    log_q = -(tokens.square().sum(-1, keepdim=True) + torch.arange(5.0))
    bank_distortion(tokens, prototypes, log_q.log_softmax(-1), torch.ones(3)).backward()

    assert tokens.grad is None
    assert prototypes.grad.abs().sum() > 0


def test_tokens_in_half_precision_are_taken():
    tokens = torch.ones(3, 2, 4, dtype=torch.bfloat16)
    log_q = torch.zeros(3, 2, 5).log_softmax(-1)
    loss = bank_distortion(tokens, torch.zeros(5, 4), log_q, torch.ones(3))

    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(1.0)
