"""Denoising of tokens towards a mixture of subspaces, by attention alone."""

import math
import warnings
from typing import NamedTuple

import torch
from torch import Tensor

# Noise in the wrong subspaces, as a share of what the softmax can still tell apart.
# Measured between 1.24 and 1.59.
_BUDGET = 1.25


class DepthBudgetWarning(UserWarning):
    """More denoising steps than the noise allows: the signal falls again."""


class Denoised(NamedTuple):
    """Tokens after some denoising steps, and how they got there."""

    tokens: Tensor
    """(N, d), after the last step."""
    snr: Tensor
    """(n_layers + 1, K), signal-to-noise ratio of every subspace, the input first."""


def project(tokens: Tensor, bases: Tensor) -> Tensor:
    """Return the coordinates of tokens in subspaces.

    Parameters
    ----------
    tokens : Tensor of shape (..., N, d)
        Tokens.
    bases : Tensor of shape (K, d, p)
        Basis of every subspace.

    Returns
    -------
    coordinates : Tensor of shape (..., K, N, p)
    """
    if bases.ndim != 3 or tokens.ndim < 2 or tokens.shape[-1] != bases.shape[1]:
        raise ValueError(
            "Expected tokens (..., N, d) and bases (K, d, p) of the same width d, got "
            f"{tuple(tokens.shape)} and {tuple(bases.shape)}."
        )
    return torch.einsum("...nd,kdp->...knp", tokens, bases)


def attention_weights(
    queries: Tensor,
    keys: Tensor,
    *,
    scale: float = 1.0,
    threshold: float | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Return how much each token attends to the others in every subspace.

    Parameters
    ----------
    queries, keys : Tensor of shape (..., N, p)
        Who attends and who is attended to; the same coordinates in this theory.
    scale : float, default=1.0
        Factor on their inner products.
    threshold : float, optional
        Weights above it become the threshold itself, all others zero; by default the
        softmax stays as it is. Nothing can be learned through it.
    mask : Tensor broadcastable to (..., N, N), dtype bool, optional
        True where a token (row) may attend to another (column).

    Returns
    -------
    weights : Tensor of shape (..., N, N)
    """
    logits = scale * queries @ keys.mT
    if mask is not None:
        logits = logits.masked_fill(~mask, -torch.inf)
    weights = logits.softmax(-1)
    if mask is not None:
        # A token that may attend to nothing.
        weights = weights.nan_to_num(0.0)
    if threshold is None:
        return weights
    return threshold * (weights > threshold).to(weights.dtype)


def denoising_step(
    tokens: Tensor,
    bases: Tensor,
    step_size: float | Tensor,
    *,
    scale: float = 1.0,
    threshold: float | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Return tokens one step nearer to their subspaces.

    .. math::
        z_i \leftarrow z_i + \eta \sum_k U_k \sum_j A^k_{ij} \, U_k^\top z_j,
        \qquad
        A^k = \varphi\bigl(Z U_k U_k^\top Z^\top\bigr) .

    Parameters
    ----------
    tokens : Tensor of shape (..., N, d)
        Tokens :math:`Z`, one per row.
    bases : Tensor of shape (K, d, p)
        Bases :math:`U_k`.
    step_size : float or Tensor of shape ()
        Step size :math:`\eta`.
    scale : float, default=1.0
        Factor on the inner products.
    threshold : float, optional
        As for :func:`attention_weights`.
    mask : Tensor broadcastable to (..., K, N, N), dtype bool, optional
        True where a token may attend to another.

    Returns
    -------
    tokens : Tensor of shape (..., N, d)

    References
    ----------
    .. [1] P. Wang, Y. Lu, Y. Yu, D. Pai, Q. Qu and Y. Ma, "Attention-Only Transformers
       via Unrolled Subspace Denoising", ICML 2025.

    Examples
    --------
    >>> bases = torch.eye(4).reshape(2, 2, 4).mT
    >>> tokens = torch.tensor([[9.0, 0.0, 0.5, 0.0], [0.0, 9.0, 0.0, 0.5]])
    >>> denoising_step(tokens, bases, 0.1, threshold=0.6)[0]
    tensor([9.5400, 0.0000, 0.5000, 0.0000])
    """
    coordinates = project(tokens, bases)
    weights = attention_weights(
        coordinates, coordinates, scale=scale, threshold=threshold, mask=mask
    )
    gain = torch.einsum("...knp,kdp->...nd", weights @ coordinates, bases)
    return tokens + step_size * gain


def subspace_snr(tokens: Tensor, bases: Tensor, labels: Tensor) -> Tensor:
    r"""Return how much of the tokens lies in their subspaces.

    .. math::
        \mathrm{SNR}_k = \frac{\lVert Z_k U_k U_k^\top \rVert_F}
                              {\lVert Z_k (I - U_k U_k^\top) \rVert_F} .

    Parameters
    ----------
    tokens : Tensor of shape (N, d)
        Tokens.
    bases : Tensor of shape (K, d, p)
        Orthonormal columns.
    labels : Tensor of shape (N,), int64
        Subspace of every token.

    Returns
    -------
    snr : Tensor of shape (K,)
        NaN for a subspace without tokens, infinite without noise.
    """
    ratios = []
    for k, basis in enumerate(bases):
        own = tokens[labels == k]
        signal = own @ basis @ basis.T
        ratios.append(signal.norm() / (own - signal).norm())
    return torch.stack(ratios)


def depth_budget(
    noise: float, d_subspace: int, step_size: float, threshold: float
) -> float:
    r"""Return after how many steps the wrong subspaces begin to win.

    Every step multiplies the signal by :math:`1 + \eta\tau`, and what tokens have in
    the wrong subspaces is told from it only while
    :math:`(1 + \eta\tau)^l \, \delta \sqrt p \lesssim 1.25`.

    Parameters
    ----------
    noise : float
        Standard deviation :math:`\delta` of a token along a direction of another
        subspace, its own having one.
    d_subspace : int
        Dimension :math:`p` of a subspace.
    step_size, threshold : float
        :math:`\eta` and :math:`\tau`.

    Returns
    -------
    n_layers : float
        Zero if the noise is too large from the start, infinite without noise.
    """
    if noise <= 0:
        return math.inf
    room = math.log(_BUDGET / (noise * math.sqrt(d_subspace)))
    return max(0.0, room / math.log1p(step_size * threshold))


def denoise(
    tokens: Tensor,
    bases: Tensor,
    labels: Tensor,
    n_layers: int,
    *,
    step_size: float = 0.1,
    threshold: float = 0.6,
) -> Denoised:
    r"""Take the steps of the theorem and follow the signal-to-noise ratio.

    Within the depth budget each step multiplies it by exactly :math:`1 + \eta\tau`.
    No token then attends to any other: each is amplified along its own subspace.

    Parameters
    ----------
    tokens : Tensor of shape (N, d)
        Tokens.
    bases : Tensor of shape (K, d, p)
        Orthonormal subspaces.
    labels : Tensor of shape (N,), int64
        Subspace of every token, to measure by; the steps do not see it.
    n_layers : int
        Number of steps.
    step_size : float, default=0.1
        :math:`\eta`.
    threshold : float, default=0.6
        :math:`\tau`, between one half and one.

    Returns
    -------
    denoised : Denoised
        Named tuple of `tokens` and `snr`.

    Warns
    -----
    DepthBudgetWarning
        If there are more steps than :func:`depth_budget` allows.
    """
    noise = _noise_level(tokens, bases, labels)
    budget = depth_budget(noise, bases.shape[2], step_size, threshold)
    if n_layers > budget:
        warnings.warn(
            f"{n_layers} steps are more than the {budget:.1f} that noise of "
            f"{noise:.3g} times the signal allows; the signal-to-noise ratio will grow "
            "more slowly and then fall. Take fewer steps or a smaller step_size.",
            DepthBudgetWarning,
            stacklevel=2,
        )
    path = [subspace_snr(tokens, bases, labels)]
    for _ in range(n_layers):
        tokens = denoising_step(tokens, bases, step_size, threshold=threshold)
        path.append(subspace_snr(tokens, bases, labels))
    return Denoised(tokens, torch.stack(path))


def _noise_level(tokens: Tensor, bases: Tensor, labels: Tensor) -> float:
    """Return the spread along directions of other subspaces, relative to one's own."""
    d_subspace = bases.shape[2]
    energy = project(tokens, bases).square().sum(-1)
    own = energy.gather(0, labels[None])[0].sum() / d_subspace
    others = (energy.sum() - own * d_subspace) / (d_subspace * max(1, len(bases) - 1))
    return float((others / own).sqrt())
