"""How many prototypes are in use, and how distinct they are."""

import torch
from torch import Tensor

from sklearn_ddcl.functional.token_shares import token_shares


def perplexity(assignments: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the effective number of prototypes in use, between 1 and K.

    Parameters
    ----------
    assignments : Tensor of shape (..., K)
        Assignments, each row on the simplex; a row of zeros, a token that does not
        exist, does not count.
    weights : Tensor of shape (...), optional
        Importance of every token.

    Returns
    -------
    perplexity : Tensor of shape ()
        Exponential of the entropy of the mean assignment.

    Examples
    --------
    >>> perplexity(torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]))
    tensor(2.)
    """
    flat = assignments.reshape(-1, assignments.shape[-1])
    usage = (token_shares(weights, flat) * flat).sum(0)
    usage = usage / usage.sum()
    return torch.special.entr(usage).sum().exp()


def utilization(assignments: Tensor) -> Tensor:
    """Return the share of prototypes that win at least one token, in (0, 1].

    Full utilization alone proves little, since duplicates share their wins: look at
    :func:`min_prototype_distance` and the distortion beside it.

    Parameters
    ----------
    assignments : Tensor of shape (..., K)
        Assignments; the largest of a row wins, the first of equals. A row of zeros, a
        token that does not exist, has no winner.

    Returns
    -------
    utilization : Tensor of shape ()
        Winners divided by K.

    Examples
    --------
    >>> utilization(torch.tensor([[0.9, 0.1, 0.0, 0.0], [0.6, 0.4, 0.0, 0.0]]))
    tensor(0.2500)
    """
    n_prototypes = assignments.shape[-1]
    flat = assignments.reshape(-1, n_prototypes)
    winners = flat[flat.amax(-1) > 0].argmax(-1)
    wins = torch.bincount(winners, minlength=n_prototypes)
    dtype = assignments.dtype if assignments.is_floating_point() else None
    return (wins > 0).to(dtype or torch.get_default_dtype()).mean()


def min_prototype_distance(prototypes: Tensor) -> Tensor:
    """Return the smallest Euclidean distance between two prototypes, a scalar.

    Parameters
    ----------
    prototypes : Tensor of shape (K, d)
        Prototypes.

    Returns
    -------
    distance : Tensor of shape ()
        Infinite for a single prototype; near zero when two are duplicates.

    Examples
    --------
    >>> min_prototype_distance(torch.tensor([[0.0], [3.0], [10.0]]))
    tensor(3.)
    """
    if len(prototypes) < 2:
        return prototypes.new_tensor(float("inf"))
    return torch.pdist(prototypes).min()
