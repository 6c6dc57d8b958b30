"""How much of a row is lost when it is rebuilt."""

import torch
from torch import Tensor
from torch.nn import functional as nnf

from sklearn_ddcl.training.data import Inputs


def row_losses(
    rebuilt: Tensor, inputs: Inputs, cardinalities: tuple[int, ...]
) -> Tensor:
    """Return the loss of every row, averaged over its columns.

    A number costs its squared error and a category its negative log likelihood in
    nats; a missing number costs nothing.

    Parameters
    ----------
    rebuilt : Tensor of shape (B, F + C)
        A number per numerical column, then a logit per category of every column.
    inputs : Inputs
        What was to be rebuilt.
    cardinalities : tuple of int
        Number of categories of every categorical column; they sum to C.

    Returns
    -------
    losses : Tensor of shape (B,)
        In the dtype of the numbers.
    """
    numbers, codes = inputs.numbers, inputs.codes
    n_numbers = numbers.shape[1]
    rebuilt = rebuilt.to(numbers.dtype)
    errors = rebuilt[:, :n_numbers] - numbers
    # Filled, not multiplied by zero: NaN times zero is NaN.
    losses = errors.masked_fill(numbers.isnan(), 0).square().sum(1)
    logits = rebuilt[:, n_numbers:].split(cardinalities, dim=1) if cardinalities else ()
    for column, own in enumerate(logits):
        losses = losses + nnf.cross_entropy(own, codes[:, column], reduction="none")
    return losses / max(1, n_numbers + len(cardinalities))


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of (B,) losses by (B,) weights; zero if those are all zero."""
    total = weights.sum()
    return (weights * losses).sum() / total.where(total > 0, torch.ones_like(total))
