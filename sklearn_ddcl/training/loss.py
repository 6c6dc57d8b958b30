"""The objective: classify, and keep the prototypes at the heart of their tokens."""

from torch import Tensor

import sklearn_ddcl.functional as F


def cross_entropy(log_proba: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean negative log likelihood; every view answers for itself.

    Parameters
    ----------
    log_proba : Tensor of shape (B, V, C)
        Log probabilities of every view.
    classes : Tensor of shape (B,)
        True classes.
    weights : Tensor of shape (B,)
        Importance of the rows.

    Returns
    -------
    loss : Tensor of shape ()
        In nats.
    """
    target = classes[:, None, None].expand(-1, log_proba.shape[1], 1)
    per_row = -log_proba.gather(-1, target).squeeze(-1).mean(1)
    return (weights * per_row).sum() / weights.sum()


def bank_distortion(
    tokens: Tensor, prototypes: Tensor, log_assignments: Tensor, weights: Tensor
) -> Tensor:
    """Return the distortion of the bank per dimension, felt by the prototypes alone.

    Tokens and assignments are held constant. Felt by the encoder, the same loss would
    pull all tokens into one point.

    Parameters
    ----------
    tokens : Tensor of shape (B, T, d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes.
    log_assignments : Tensor of shape (B, T, K)
        Log assignments.
    weights : Tensor of shape (B,)
        Importance of the rows.

    Returns
    -------
    distortion : Tensor of shape ()
        Assigned squared distance, divided by d.
    """
    token_weights = weights[:, None].expand(tokens.shape[:2])
    assignments = log_assignments.detach().exp()
    # Under autocast tokens may come in half the precision of the prototypes.
    tokens = tokens.detach().to(prototypes.dtype)
    value = F.distortion(tokens, prototypes, assignments, token_weights)
    return value / tokens.shape[-1]
