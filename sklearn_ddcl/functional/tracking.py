"""Whether the prototypes keep up with the tokens that they stand for."""

import torch
from torch import Tensor

from sklearn_ddcl.functional.token_shares import token_shares


def centroids(
    z: Tensor, assignments: Tensor, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    r"""Return the assigned mean of the tokens and the mass of every prototype.

    This is the closed-form step of expectation-maximization,
    :math:`p_k \leftarrow \sum_t w_t q_{tk} z_t / \sum_t w_t q_{tk}`, the equilibrium
    of the prototypes while tokens and assignments stand still.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    assignments : Tensor of shape (..., K)
        Assignments, each row on the simplex.
    weights : Tensor of shape (...), optional
        Importance of every token.

    Returns
    -------
    centroids : Tensor of shape (K, d)
        Zero where a prototype has no mass at all.
    mass : Tensor of shape (K,)
        Share of the tokens that each prototype answers for; sums to one.
    """
    flat_z = z.reshape(-1, z.shape[-1])
    flat_q = assignments.reshape(-1, assignments.shape[-1])
    flat_q = token_shares(weights, flat_q) * flat_q
    mass = flat_q.sum(0)
    tiny = torch.finfo(mass.dtype).tiny
    return (flat_q.T @ flat_z) / mass.clamp_min(tiny)[:, None], mass / mass.sum()


def tracking_error(
    z: Tensor, prototypes: Tensor, assignments: Tensor, weights: Tensor | None = None
) -> Tensor:
    r"""Return how far the prototypes lag behind their equilibrium, relative.

    The root mean square distance between the prototypes and their
    :func:`centroids`, weighted by mass, divided by the root mean square spread of the
    tokens. Theory with two time scales asks that it stays small: prototypes then see
    an encoder that stands still.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes.
    assignments : Tensor of shape (..., K)
        Assignments, each row on the simplex.
    weights : Tensor of shape (...), optional
        Importance of every token.

    Returns
    -------
    error : Tensor of shape ()
        Zero at equilibrium, about one when prototypes are unrelated to the tokens.
    """
    means, mass = centroids(z, assignments, weights)
    lag = (mass * (prototypes - means).square().sum(-1)).sum()
    flat = z.reshape(-1, z.shape[-1])
    shares = token_shares(weights, flat)
    spread = (shares * (flat - (shares * flat).sum(0)).square()).sum()
    return (lag / spread.clamp_min(torch.finfo(spread.dtype).tiny)).sqrt()
