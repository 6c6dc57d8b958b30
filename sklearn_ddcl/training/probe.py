"""A look at the bank through a fixed sample of the training rows."""

from typing import Any, NamedTuple

import torch
from skorch.callbacks import Callback
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.data import EncodedRows

_MAX_ROWS = 1024


class BankState(NamedTuple):
    """Tokens of the sample, and how the bank answers for them."""

    tokens: Tensor
    """(R, T, d)."""
    assignments: Tensor
    """(R, T, K)."""
    weights: Tensor
    """(R, T), importance of every token."""
    classes: Tensor
    """(R,)."""
    token_variance: Tensor
    """Total variance of the tokens, scalar."""
    top_eigenvalue: Tensor
    """Variance along the principal direction, scalar."""
    step: int = 0
    """Steps of training before the look."""


class BankProbe(Callback):
    """Keep ``net.bank_state`` up to date: before training and after every epoch.

    The sample is regular, at most 1,024 rows and a twentieth of a large table, so that
    looking costs a few percent of the epoch.
    """

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Choose the rows and look for the first time."""
        self.rows_ = _sample(X).to(torch.device(net.device))
        self.look(net)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Look again."""
        self.look(net)

    def look(self, net: Any) -> None:
        """Encode the sample and assign it."""
        inputs, targets = self.rows_[:]
        training = net.module_.training
        net.module_.eval()
        with torch.no_grad(), net.autocast():
            tokens = net.module_.tokens(*inputs)
            assignments = net.module_.bank.log_assign(tokens).exp()
        net.module_.train(training)
        state = measure(tokens, assignments, targets.classes, targets.weights)
        net.bank_state = state._replace(step=net.step)


def measure(
    tokens: Tensor, assignments: Tensor, classes: Tensor, weights: Tensor
) -> BankState:
    """Return the state of a bank given its answers.

    Parameters
    ----------
    tokens : Tensor of shape (R, T, d)
        Tokens.
    assignments : Tensor of shape (R, T, K)
        Their assignments.
    classes, weights : Tensor of shape (R,)
        Classes and importance of the rows.

    Returns
    -------
    state : BankState
        With the spread of the tokens added.
    """
    tokens, assignments = tokens.to(weights.dtype), assignments.to(weights.dtype)
    token_weights = weights[:, None].expand(tokens.shape[:2]).contiguous()
    eigenvalues = torch.linalg.eigvalsh(F.token_covariance(tokens, token_weights))
    return BankState(
        tokens=tokens,
        assignments=assignments,
        weights=token_weights,
        classes=classes,
        token_variance=eigenvalues.sum().clamp_min(0),
        top_eigenvalue=eigenvalues[-1].clamp_min(0),
    )


def _sample(rows: EncodedRows) -> EncodedRows:
    wanted = min(len(rows), _MAX_ROWS, max(256, len(rows) // 20))
    sampled = rows.sample(wanted)
    return EncodedRows(*(column[:_MAX_ROWS] for column in sampled.tensors))
