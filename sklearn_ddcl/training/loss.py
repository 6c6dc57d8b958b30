"""The objective: classify, and keep the prototypes at the heart of their tokens."""

import torch
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.data import Targets
from sklearn_ddcl.training.folds import is_left_out


def cross_entropy(log_proba: Tensor, targets: Targets) -> Tensor:
    """Return the weighted mean negative log likelihood; every view answers for itself.

    Parameters
    ----------
    log_proba : Tensor of shape (B, V, C)
        Log probabilities of every view.
    targets : Targets
        True classes of the rows, their importance, and the views that leave them out.

    Returns
    -------
    loss : Tensor of shape ()
        In nats.
    """
    n_views = log_proba.shape[1]
    classes = per_view(targets.classes, n_views)
    losses = -log_proba.gather(-1, classes[..., None]).squeeze(-1)
    weights = learning_weights(targets, n_views)
    total = weights.sum()
    # A step whose views all leave out its rows teaches nothing.
    return (weights * losses).sum() / total.where(total > 0, torch.ones_like(total))


def per_view(values: Tensor, n_views: int) -> Tensor:
    """Return what is known of every row, (B,) or (R, V), as (B or R, n_views)."""
    return values if values.ndim == 2 else values[:, None].expand(-1, n_views)


def learning_weights(targets: Targets, n_views: int) -> Tensor:
    """Return how much every view learns from every row.

    Parameters
    ----------
    targets : Targets
        Importance of the rows, and the views that leave them out.
    n_views : int
        Number of views.

    Returns
    -------
    weights : Tensor of shape (B or R, n_views)
        Zero for rows that a view leaves out.
    """
    left_out = is_left_out(targets.folds, n_views)
    return per_view(targets.weights, n_views).masked_fill(left_out, 0)


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
    weights : Tensor of shape (B,) or (B, T)
        Importance of the rows or of the tokens.

    Returns
    -------
    distortion : Tensor of shape ()
        Assigned squared distance, divided by d.
    """
    token_weights = per_view(weights, tokens.shape[1])
    assignments = log_assignments.detach().exp()
    # Under autocast tokens may come in half the precision of the prototypes.
    tokens = tokens.detach().to(prototypes.dtype)
    value = F.distortion(tokens, prototypes, assignments, token_weights)
    return value / tokens.shape[-1]
