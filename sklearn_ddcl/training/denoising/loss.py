"""How far predictions of a row are from what they should be."""

from torch import Tensor
from torch.nn import functional as nnf

from sklearn_ddcl.layers.dense_rows import DenseRows
from sklearn_ddcl.training.data import Inputs


def rebuilding_losses(rebuilt: Tensor, inputs: Inputs, dense: DenseRows) -> Tensor:
    """Return the loss of every rebuilt row, averaged over the columns of the table.

    A number costs its squared error and that of its flag, a category its negative log
    likelihood in nats; a missing number costs nothing but its flag.

    Parameters
    ----------
    rebuilt : Tensor of shape (B, D)
        Numbers, flags, and a logit per category.
    inputs : Inputs
        The rows as they were before they were corrupted.
    dense : DenseRows
        Layout of the rows.

    Returns
    -------
    losses : Tensor of shape (B,)
    """
    n_plain = dense.n_numbers + len(dense.flagged)
    rows = dense(*inputs[:2])
    errors = (rebuilt[:, :n_plain].to(rows.dtype) - rows[:, :n_plain]).square()
    known = ~inputs.numbers.isnan()
    losses = (errors[:, : dense.n_numbers] * known).sum(1)
    losses = losses + errors[:, dense.n_numbers :].sum(1)
    if dense.cardinalities:
        logits = rebuilt[:, n_plain:].to(rows.dtype).split(dense.cardinalities, dim=1)
        for column, own in enumerate(logits):
            codes = inputs.codes[:, column]
            losses = losses + nnf.cross_entropy(own, codes, reduction="none")
    return losses / max(1, dense.n_numbers + len(dense.cardinalities))


def smoothing_losses(predicted: Tensor, smoothed: Tensor) -> Tensor:
    """Return the squared error of predicted neighborhoods.

    Parameters
    ----------
    predicted, smoothed : Tensor of shape (B, S, D)
        What was predicted and what should have been.

    Returns
    -------
    losses : Tensor of shape (B,)
        Averaged over columns, summed over sizes.
    """
    errors = predicted.to(smoothed.dtype) - smoothed
    return errors.square().mean(2).sum(1)
