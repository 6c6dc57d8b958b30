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
    target = targets.classes[:, None, None].expand(-1, n_views, 1)
    losses = -log_proba.gather(-1, target).squeeze(-1)
    left_out = is_left_out(targets.folds, n_views)
    weights = targets.weights[:, None].expand_as(losses).masked_fill(left_out, 0)
    total = weights.sum()
    # A step whose views all leave out its rows teaches nothing.
    return (weights * losses).sum() / total.where(total > 0, torch.ones_like(total))


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
