"""The temperature above which all prototypes collapse to one point."""

import torch
from torch import Tensor

from sklearn_ddcl.functional.token_shares import token_shares


def token_covariance(z: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the covariance of the tokens (divided by their total weight).

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    weights : Tensor of shape (...), optional
        Importance of every token.

    Returns
    -------
    covariance : Tensor of shape (d, d)
        Symmetric, positive semi-definite.

    Examples
    --------
    >>> token_covariance(torch.tensor([[-1.0], [1.0]]))
    tensor([[1.]])
    """
    flat = z.reshape(-1, z.shape[-1])
    shares = token_shares(weights, flat)
    centered = flat - (shares * flat).sum(0)
    return centered.T @ (shares * centered)


def top_eigenvalue(z: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the largest eigenvalue of the token covariance, a scalar.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    weights : Tensor of shape (...), optional
        Importance of every token.

    Returns
    -------
    eigenvalue : Tensor of shape ()
        Variance of the tokens along their principal direction.
    """
    return torch.linalg.eigvalsh(token_covariance(z, weights))[-1]


def critical_temperature(
    z: Tensor, weights: Tensor | None = None, *, gradient: str = "stopped"
) -> Tensor:
    r"""Return the temperature at which a collapsed bank first splits.

    Above it, the bank with all prototypes at the token mean is stable, and every
    start that was tried ends there; below it, that state is a saddle. It is
    :math:`2 \lambda_{\max}(C)` with :math:`C` the token covariance when assignments
    are held constant in the gradient (deterministic annealing, EM), and
    :math:`4 \lambda_{\max}(C)` when the gradient also passes through them.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    weights : Tensor of shape (...), optional
        Importance of every token.
    gradient : {"stopped", "full"}, default="stopped"
        Whether assignments are constants for the gradient.

    Returns
    -------
    temperature : Tensor of shape ()
        In the unit of a squared distance; zero when all tokens are equal.

    Raises
    ------
    ValueError
        If `gradient` is unknown.

    References
    ----------
    .. [1] K. Rose, E. Gurewitz and G. C. Fox, "Statistical mechanics and phase
       transitions in clustering", Physical Review Letters 65(8), 1990.

    Examples
    --------
    >>> critical_temperature(torch.tensor([[-1.0], [1.0]]))
    tensor(2.)
    """
    factors = {"stopped": 2.0, "full": 4.0}
    if gradient not in factors:
        raise ValueError(f'gradient must be "stopped" or "full", got {gradient!r}.')
    return factors[gradient] * top_eigenvalue(z, weights)
