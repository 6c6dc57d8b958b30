"""Soft competition: assignments, the loss and its exact decomposition."""

from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.functional.distances import (
    blocks,
    check_dimensions,
    squared_distances,
)
from sklearn_ddcl.functional.token_shares import token_shares


def log_soft_assign(
    z: Tensor, prototypes: Tensor, temperature: float | Tensor
) -> Tensor:
    r"""Return the logarithm of :func:`soft_assign`, finite where that underflows.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes.
    temperature : float or Tensor of shape ()
        Temperature, in the unit of a squared distance.

    Returns
    -------
    log_assignments : Tensor of shape (..., K)
        Logarithms; their exponentials sum to one.
    """
    check_dimensions(z, prototypes)
    check_temperature(temperature)
    # Centering changes no distance but keeps the numbers small; |z|^2 is the same
    # for every prototype and drops out of the softmax.
    center = prototypes.detach().mean(0)
    z, prototypes = z - center, prototypes - center
    closeness = 2 * z @ prototypes.T - prototypes.square().sum(-1)
    return torch.log_softmax(closeness / temperature, dim=-1)


def soft_assign(z: Tensor, prototypes: Tensor, temperature: float | Tensor) -> Tensor:
    r"""Return how much each prototype answers for each token.

    .. math::
        q_k(z) = \frac{e^{-\lVert z - p_k \rVert^2 / \tau}}
                      {\sum_j e^{-\lVert z - p_j \rVert^2 / \tau}} .

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes :math:`p_k`.
    temperature : float or Tensor of shape ()
        Temperature :math:`\tau > 0`, in the unit of a squared distance. Towards 0 the
        nearest prototype takes all, towards infinity all answer equally.

    Returns
    -------
    assignments : Tensor of shape (..., K)
        Non-negative; each row sums to one. The posterior of a Gaussian mixture with
        equal weights and covariance :math:`\tfrac{\tau}{2} I`.

    Raises
    ------
    ValueError
        If the dimensions do not fit or the temperature is not positive.

    References
    ----------
    .. [1] K. Rose, "Deterministic annealing for clustering, compression,
       classification, regression, and related optimization problems", Proceedings of
       the IEEE 86(11), 1998.

    Examples
    --------
    >>> soft_assign(torch.zeros(1, 1), torch.tensor([[-1.0], [1.0]]), temperature=1.0)
    tensor([[0.5000, 0.5000]])
    """
    return log_soft_assign(z, prototypes, temperature).exp()


class Decomposition(NamedTuple):
    """Loss of a soft competition and the two parts it is the exact sum of."""

    loss: Tensor
    """Assigned squared distance."""
    reconstruction: Tensor
    """What the mean of the assigned prototypes misses, ``L_OLS``."""
    diversity: Tensor
    """How much the assigned prototypes disagree, ``V``."""

    @property
    def residual(self) -> Tensor:
        """Relative violation of loss = reconstruction + diversity; rounding only."""
        gap = (self.loss - self.reconstruction - self.diversity).abs()
        return gap / self.loss.clamp_min(torch.finfo(self.loss.dtype).tiny)


def decompose(
    z: Tensor,
    prototypes: Tensor,
    assignments: Tensor,
    *,
    reduction: str = "mean",
) -> Decomposition:
    r"""Split the competition loss into reconstruction and diversity, exactly.

    With :math:`\hat z = \sum_k q_k p_k`, for any assignments :math:`q` that sum to
    one,

    .. math::
        \underbrace{\sum_k q_k \lVert z - p_k \rVert^2}_{\text{loss}}
        = \underbrace{\lVert z - \hat z \rVert^2}_{\text{reconstruction}}
        + \underbrace{\sum_k q_k \lVert p_k - \hat z \rVert^2}_{\text{diversity}} .

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes :math:`p_k`.
    assignments : Tensor of shape (..., K)
        Assignments :math:`q`, each row on the simplex.
    reduction : {"mean", "sum", "none"}, default="mean"
        Over the tokens; "none" keeps one value per token.

    Returns
    -------
    decomposition : Decomposition
        Named tuple of `loss`, `reconstruction`, `diversity`, with the relative
        identity residual as its property `residual`.

    Raises
    ------
    ValueError
        If shapes do not fit or `reduction` is unknown.

    Notes
    -----
    The identity is book-keeping and prevents nothing by itself: descending the
    diversity pulls prototypes *together*. That it is positive certifies that they
    have not all collapsed; that it is zero proves nothing (assignments may be hard).

    All three parts come from direct differences, in blocks of tokens and in float64
    where the device has it: in float32 the mean prototype is rounded relative to the
    extent of the whole bank, which can exceed the parts of a token near its prototype
    by far. For the same reason rows are first divided by their sum, which is one only
    to rounding.

    Examples
    --------
    >>> z, prototypes = torch.tensor([[0.0]]), torch.tensor([[-1.0], [3.0]])
    >>> decompose(z, prototypes, torch.tensor([[0.5, 0.5]]))
    Decomposition(loss=tensor(5.), reconstruction=tensor(1.), diversity=tensor(4.))
    """
    check_dimensions(z, prototypes)
    if assignments.shape != (*z.shape[:-1], len(prototypes)):
        raise ValueError(
            f"assignments must have shape {(*z.shape[:-1], len(prototypes))}, got "
            f"{tuple(assignments.shape)}."
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(
            f'reduction must be "mean", "sum" or "none", got {reduction!r}.'
        )
    flat_z = z.reshape(-1, z.shape[-1])
    flat_q = assignments.reshape(-1, len(prototypes))
    parts = [
        _decompose_block(flat_z[block], prototypes, flat_q[block])
        for block in blocks(len(flat_z), max(prototypes.shape))
    ]
    if not parts:
        raise ValueError(f"Expected at least one token, got shape {tuple(z.shape)}.")
    columns = [torch.cat(column) for column in zip(*parts, strict=True)]
    if reduction == "none":
        columns = [column.reshape(z.shape[:-1]) for column in columns]
    else:
        columns = [getattr(column, reduction)() for column in columns]
    return Decomposition(*(column.to(z.dtype) for column in columns))


def _decompose_block(
    z: Tensor, prototypes: Tensor, q: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    wide = torch.float32 if z.device.type == "mps" else torch.float64
    z, prototypes, q = z.to(wide), prototypes.to(wide), q.to(wide)
    center = prototypes.detach().mean(0)
    z, prototypes = z - center, prototypes - center
    q = q / q.sum(-1, keepdim=True)
    z_hat = q @ prototypes
    loss = (q * squared_distances(z, prototypes, direct=True)).sum(-1)
    reconstruction = (z - z_hat).square().sum(-1)
    diversity = (q * squared_distances(z_hat, prototypes, direct=True)).sum(-1)
    return loss, reconstruction, diversity


def free_energy(
    z: Tensor,
    prototypes: Tensor,
    temperature: float | Tensor,
    weights: Tensor | None = None,
) -> Tensor:
    r"""Return the free energy of the competition, a scalar.

    .. math::
        F = -\tau \, \overline{\log \sum_k e^{-\lVert z - p_k \rVert^2 / \tau}}
          = \text{loss} - \tau \, \overline{H(q)} .

    Its gradient is that of the loss with the assignments held constant, which is why
    training with detached assignments is deterministic annealing.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes.
    temperature : float or Tensor of shape ()
        Temperature, in the unit of a squared distance.
    weights : Tensor of shape (...), optional
        Importance of the tokens in the mean.

    Returns
    -------
    free_energy : Tensor of shape ()
        In the unit of a squared distance; negative values are possible.

    Examples
    --------
    >>> free_energy(torch.zeros(1, 2), torch.zeros(1, 2), temperature=1.0)
    tensor(0.)
    """
    check_temperature(temperature)
    distances = squared_distances(z, prototypes)
    energy = -temperature * torch.logsumexp(-distances / temperature, dim=-1)
    energy = energy.reshape(-1, 1)
    return (token_shares(weights, energy) * energy).sum()


def check_temperature(temperature: float | Tensor) -> None:
    """Raise unless a temperature given as a number is positive.

    A tensor is taken on trust, because reading it would stall an accelerator.

    Parameters
    ----------
    temperature : float or Tensor of shape ()
        Temperature.
    """
    if not isinstance(temperature, Tensor) and not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature!r}.")
