"""Pooling of every token with its neighborhood, of a width of its own."""

import torch
from torch import Tensor


def pooling_weights(
    logits: Tensor,
    sizes: Tensor,
    squared_distances: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Return how much of every other token a token takes in.

    .. math::
        A_{ij} = \frac{w_j \, e^{-D_{ij} / 2\sigma_i^2}}
                      {\sum_k w_k \, e^{-D_{ik} / 2\sigma_i^2}}
               = \mathrm{softmax}_j \Bigl( a_j - \frac{D_{ij}}{2\sigma_i^2} \Bigr),
        \qquad w = e^a .

    Parameters
    ----------
    logits : Tensor of shape (..., T)
        Log weights :math:`a` of the tokens that are taken in.
    sizes : Tensor of shape (..., T)
        Widths :math:`\sigma`, positive, of the tokens that take in.
    squared_distances : Tensor broadcastable to (..., T, T)
        :math:`D`.
    mask : Tensor broadcastable to (..., T, T), dtype bool, optional
        True where a token (row) may take in another one (column).

    Returns
    -------
    weights : Tensor of shape (..., T, T)
        Rows sum to one.
    """
    bent = squared_distances / (2 * sizes.square())[..., None]
    exponents = logits[..., None, :] - bent
    if mask is not None:
        # Low but finite: a token that may take in nothing must not become NaN.
        lowest = torch.finfo(exponents.dtype).min
        exponents = exponents.masked_fill(~mask, lowest)
    return exponents.softmax(-1)


def pool_window(
    tokens: Tensor,
    logits: Tensor,
    sizes: Tensor,
    window: int,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
) -> Tensor:
    """Pool tokens of a sequence with those at most `window` places away.

    The cost is linear in the number of tokens and in the window. Four times the largest
    size is a window that leaves out less than one in ten thousand.

    Parameters
    ----------
    tokens : Tensor of shape (B, T, d)
        Tokens.
    logits, sizes : Tensor of shape (B, T)
        As for :func:`pooling_weights`.
    window : int
        Places on either side.
    mask : Tensor of shape (B, T), dtype bool, optional
        True where a token exists.
    causal : bool, default=False
        Whether only tokens before a token, and itself, are taken in.

    Returns
    -------
    pooled : Tensor of shape (B, T, d)
    """
    n_tokens = tokens.shape[1]
    lowest = torch.finfo(logits.dtype).min
    if mask is not None:
        logits = logits.masked_fill(~mask, lowest)
    before = min(window, n_tokens - 1)
    after = 0 if causal else before
    padded = torch.nn.functional.pad(logits, (before, after), value=lowest)
    offsets = torch.arange(-before, after + 1, device=tokens.device)
    exponents = padded.unfold(1, len(offsets), 1)
    exponents = exponents - offsets.square() / (2 * sizes.square())[..., None]
    weights = exponents.clamp_min(lowest).softmax(-1)
    around = torch.nn.functional.pad(tokens, (0, 0, before, after))
    pooled = torch.zeros_like(tokens)
    for place in range(len(offsets)):
        taken = around[:, place : place + n_tokens]
        pooled = pooled + weights[..., place, None] * taken
    return pooled
