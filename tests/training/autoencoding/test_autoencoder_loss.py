"""What is lost of a row counts its present cells, numbers and categories alike."""

import math

import torch

from sklearn_ddcl.training.autoencoding.loss import row_losses, weighted_mean
from sklearn_ddcl.training.data import Inputs

NAN = float("nan")


def test_one_row_by_hand():
    inputs = Inputs(torch.tensor([[1.0, 2.0]]), torch.tensor([[1]]))
    # Errors 1 and 2; odds of 3 to 1 for the right category.
    rebuilt = torch.tensor([[0.0, 4.0, 0.0, math.log(3.0)]])

    losses = row_losses(rebuilt, inputs, (2,))

    expected = (1 + 4 - math.log(0.75)) / 3
    torch.testing.assert_close(losses, torch.tensor([expected]))


def test_missing_cells_cost_nothing_and_pull_nowhere():
    numbers = torch.tensor([[1.0, NAN], [NAN, NAN]], dtype=torch.float64)
    inputs = Inputs(numbers, torch.empty(2, 0, dtype=torch.int64))
    rebuilt = torch.tensor([[0.0, 7.0], [8.0, 9.0]], dtype=torch.float64)
    rebuilt.requires_grad_(True)

    losses = row_losses(rebuilt, inputs, ())
    losses.sum().backward()

    assert losses.tolist() == [0.5, 0.0]
    assert rebuilt.grad.tolist() == [[-1.0, 0.0], [0.0, 0.0]]


def test_every_categorical_column_has_its_own_logits():
    codes = torch.tensor([[0, 2]])
    inputs = Inputs(torch.empty(1, 0), codes)
    sure = torch.full((1, 5), -100.0)
    sure[0, 0] = sure[0, 2 + 2] = 100.0

    torch.testing.assert_close(row_losses(sure, inputs, (2, 3)), torch.zeros(1))
    assert row_losses(-sure, inputs, (2, 3)) > 50


def test_a_row_of_weight_two_counts_twice():
    losses = torch.tensor([1.0, 4.0])

    mean = weighted_mean(losses, torch.tensor([2.0, 1.0]))

    torch.testing.assert_close(mean, torch.tensor(2.0))
    assert weighted_mean(losses, torch.zeros(2)) == 0
