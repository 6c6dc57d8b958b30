"""The objective, by hand, and who feels which part of it."""

import math

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.training.data import Targets
from sklearn_ddcl.training.loss import bank_distortion, cross_entropy


def targets(classes, weights=None, folds=None):
    """Return targets; of weight one and in no fold unless told otherwise."""
    n = len(classes)
    return Targets(
        torch.tensor(classes),
        torch.ones(n) if weights is None else torch.tensor(weights),
        torch.full((n,), -1) if folds is None else torch.tensor(folds),
    )


def test_cross_entropy_by_hand():
    # Two rows of weights 1 and 3, one view: -(1 * log 1/2 + 3 * log 1/4) / 4.
    log_proba = torch.tensor([[[0.5, 0.5]], [[0.75, 0.25]]]).log()
    loss = cross_entropy(log_proba, targets([0, 1], [1.0, 3.0]))

    assert float(loss) == pytest.approx((math.log(2) + 3 * math.log(4)) / 4)


def test_every_view_answers_for_itself():
    # The mean of the losses, not the loss of the mean.
    log_proba = torch.tensor([[[0.5, 0.5], [0.125, 0.875]]]).log()
    loss = cross_entropy(log_proba, targets([0]))

    assert float(loss) == pytest.approx((math.log(2) + math.log(8)) / 2)


def test_a_view_does_not_answer_for_the_rows_it_leaves_out():
    # Views 0 and 4 leave out fold 0, so that views 1, 2 and 3 answer for the first row
    # of weight 1, and views 0, 2, 3 and 4 for the second one of weight 3, in fold 1.
    proba = torch.tensor(
        [[0.9, 0.5, 0.25, 0.2, 0.9], [0.5, 0.9, 0.2, 0.1, 0.8]], dtype=torch.float64
    )
    log_proba = torch.stack([proba, 1 - proba], dim=-1).log()
    loss = cross_entropy(log_proba, targets([0, 0], [1.0, 3.0], [0, 1]))

    first = [0.5, 0.25, 0.2]
    second = [0.5, 0.2, 0.1, 0.8]
    total = sum(map(math.log, first)) + 3 * sum(map(math.log, second))
    assert float(loss) == pytest.approx(-total / (1 * 3 + 3 * 4))


def gradient(classes, folds, seed=0):
    """Return the gradient of the loss by the logits (B, 8, 3) of eight views."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(classes), 8, 3, generator=generator, requires_grad=True)
    cross_entropy(logits.log_softmax(-1), targets(classes, folds=folds)).backward()
    return logits.grad


@pytest.mark.parametrize("fold", [0, 1, 2, 3])
def test_the_label_of_a_row_does_not_reach_the_views_that_leave_it_out(fold):
    folds = [2, fold, 1]
    changed = gradient([0, 1, 2], folds) != gradient([0, 2, 2], folds)

    felt = changed.any(-1)
    assert not felt[0].any()
    assert not felt[2].any()
    assert felt[1].tolist() == [v % 4 != fold for v in range(8)]


def test_a_row_that_a_view_leaves_out_moves_it_nowhere():
    silent = (gradient([0, 1, 2, 1], [0, 1, 3, -1]) == 0).all(-1)

    expected = [[v % 4 == fold for v in range(8)] for fold in (0, 1, 3, -1)]
    assert silent.tolist() == expected


def test_a_step_without_anything_to_learn_is_none():
    # One view, and only rows that it leaves out.
    logits = torch.randn(3, 1, 2, generator=torch.Generator().manual_seed(0))
    logits.requires_grad_()
    loss = cross_entropy(logits.log_softmax(-1), targets([0, 1, 0], folds=[0, 0, 0]))
    loss.backward()

    assert loss.detach() == 0
    assert not logits.grad.any()


def test_a_weight_counts_rows_in_the_cross_entropy():
    logits = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0)).double()
    log_proba, rows = logits.log_softmax(-1), torch.tensor([0, 0, 2])
    weighted = cross_entropy(log_proba, targets([0, 1, 1], [2.0, 0.0, 1.0], [3, 1, 0]))
    repeated = cross_entropy(log_proba[rows], targets([0, 0, 1], folds=[3, 3, 0]))

    assert_close(weighted, repeated)


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
