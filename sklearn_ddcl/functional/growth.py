r"""When attention is missing: demand that depends on context, and what it bounds."""

import math

import torch
from torch import Tensor


def demand_moments(
    tokens: Tensor, residual: Tensor, mask: Tensor | None = None
) -> Tensor:
    r"""Return what the tokens of every row ask for.

    .. math::
        P = \frac1T \sum_i x_i r_i^\top,

    where :math:`r_i` is the negative gradient of the loss at the attention's output. To
    first order a head with the form :math:`M` and the map :math:`N` adds
    :math:`N Q M^\top x_i` to token :math:`x_i`, and lowers the loss by
    :math:`\langle P, M Q N^\top \rangle`, where :math:`Q` are the
    :func:`context_moments`. What a token asks for by itself can be had without
    attention; only the covariance of :math:`P` and :math:`Q` over rows cannot.

    Parameters
    ----------
    tokens : Tensor of shape (B, T, d)
        What attention sees.
    residual : Tensor of shape (B, T, d)
        Negative gradient of the loss with respect to what attention adds.
    mask : Tensor of shape (B, T), dtype bool, optional
        True where a token exists.

    Returns
    -------
    demand : Tensor of shape (B, d, d)
        How much tokens along one direction ask for another one.
    """
    if tokens.shape != residual.shape or tokens.ndim != 3:
        raise ValueError(
            "Expected tokens and residual of the same shape (B, T, d), got "
            f"{tuple(tokens.shape)} and {tuple(residual.shape)}."
        )
    tokens, n_tokens = _existing(tokens, mask)
    return tokens.mT @ residual / n_tokens


def context_moments(tokens: Tensor, mask: Tensor | None = None) -> Tensor:
    r"""Return what the tokens of every row hold.

    .. math::
        Q = \frac1T \sum_j (x_j - \bar x)(x_j - \bar x)^\top,

    of a single token :math:`x x^\top`.

    Parameters
    ----------
    tokens : Tensor of shape (B, T, d)
        What attention sees.
    mask : Tensor of shape (B, T), dtype bool, optional
        True where a token exists.

    Returns
    -------
    context : Tensor of shape (B, d, d)
        Symmetric.
    """
    tokens, n_tokens = _existing(tokens, mask)
    context = tokens.mT @ tokens / n_tokens
    if tokens.shape[1] == 1:
        return context
    mean = tokens.sum(1, keepdim=True) / n_tokens
    return context - mean.mT @ mean


def _existing(tokens: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return tokens, zero where they do not exist, and how many of every row do."""
    if mask is None:
        return tokens, tokens.new_tensor(float(tokens.shape[1]))
    n_tokens = mask.sum(1).clamp_min(1).to(tokens.dtype)[:, None, None]
    return tokens.masked_fill(~mask[..., None], 0), n_tokens


def oja_step(direction: Tensor, product: Tensor, rate: float) -> Tensor:
    r"""Turn a direction towards the leading eigenvector of an operator.

    .. math::
        v \leftarrow \frac{v + \eta (A v - (v^\top A v) v)}{\lVert \cdot \rVert}

    Parameters
    ----------
    direction : Tensor of shape (d,)
        Unit vector :math:`v`.
    product : Tensor of shape (d,)
        :math:`A v`, or an estimate of it.
    rate : float
        :math:`\eta`; below two over the range of the spectrum.

    Returns
    -------
    direction : Tensor of shape (d,)

    References
    ----------
    .. [1] E. Oja, "A Simplified Neuron Model as a Principal Component Analyzer",
       Journal of Mathematical Biology 15, 1982.
    """
    moved = direction + rate * (product - (direction @ product) * direction)
    return moved / moved.norm().clamp_min(torch.finfo(moved.dtype).tiny)


def mca_step(direction: Tensor, product: Tensor, rate: float) -> Tensor:
    r"""Turn a direction towards the trailing eigenvector of an operator.

    The rule MCA EXIN, descent on the Rayleigh quotient, then normalized:

    .. math::
        w \leftarrow w - \frac{\eta}{\lVert w \rVert^2} (A w - r w),
        \qquad
        r = \frac{w^\top A w}{\lVert w \rVert^2} .

    Parameters
    ----------
    direction : Tensor of shape (d,)
        Unit vector :math:`w`.
    product : Tensor of shape (d,)
        :math:`A w`, or an estimate of it.
    rate : float
        :math:`\eta`; below two over the range of the spectrum.

    Returns
    -------
    direction : Tensor of shape (d,)

    References
    ----------
    .. [1] G. Cirrincione, M. Cirrincione, J. Herault and S. Van Huffel, "The MCA EXIN
       Neuron for the Minor Component Analysis", IEEE Transactions on Neural Networks
       13, 2002.
    """
    return oja_step(direction, product, -rate)


def deflate(operator: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return an operator without what some pairs of directions own.

    Parameters
    ----------
    operator : Tensor of shape (m, n)
        Any linear operator.
    left : Tensor of shape (k, m)
        Orthonormal directions of its range that are owned.
    right : Tensor of shape (k, n)
        Orthonormal directions of its domain that are owned.

    Returns
    -------
    residual : Tensor of shape (m, n)
        Its singular values interlace those of `operator`, so none is larger.
    """
    operator = operator - left.T @ (left @ operator)
    return operator - (operator @ right.T) @ right


def directed_residual(
    gram: Tensor, form: Tensor, owned: Tensor | None = None
) -> Tensor:
    r"""Return the published operator of directed energy.

    .. math::
        A = P_\perp \, \mathrm{sym}(G M_a) \, P_\perp
          = \tfrac12 P_\perp [G, M_a] P_\perp,
        \qquad
        M_a = \tfrac12 (M - M^\top) .

    It is zero for white tokens, zero for a form that the owned directions span, and its
    trace is zero before it is projected, so that it cannot say what to remove. The
    library grows by the covariance of :func:`demand_moments`
    and :func:`context_moments` instead; this is here to compare with.

    Parameters
    ----------
    gram : Tensor of shape (d, d)
        Second moments :math:`G` of the tokens.
    form : Tensor of shape (d, d)
        Attention form :math:`M`.
    owned : Tensor of shape (k, d), optional
        Orthonormal directions that heads own.

    Returns
    -------
    operator : Tensor of shape (d, d)
        Symmetric.

    References
    ----------
    .. [1] G. Cirrincione, "INCRT: An Incremental Transformer That Determines Its Own
       Architecture", arXiv:2604.10703, 2026.
    """
    directed = (form - form.T) / 2
    operator = (gram @ directed - directed @ gram) / 2
    return operator if owned is None else deflate(operator, owned, owned)


def stationary_count(energies: Tensor, threshold: float) -> int:
    """Return how many heads a fixed operator calls for.

    Each head takes the direction of the largest energy that is left; growth ends when
    none above the threshold is.

    Parameters
    ----------
    energies : Tensor of shape (n,)
        Eigenvalues of the operator, or squares of its singular values.
    threshold : float
        Energy that is not worth a head.

    Returns
    -------
    n_heads : int
    """
    return int((energies > threshold).sum())


def head_bound(energies: Tensor, threshold: float) -> float:
    r"""Return the geometric bound on the number of heads.

    If each head takes at least the share :math:`1/\kappa^2` of the energy that is
    left, :math:`\Gamma_k \le \Gamma_0 (1 - 1/\kappa^2)^k`, and growth has ended when
    :math:`k \ge \kappa^2 \ln(\Gamma_0 / \theta)`. Here :math:`\kappa^2` is the smallest
    number for which that holds while energies are above the threshold.

    Parameters
    ----------
    energies : Tensor of shape (n,)
        Non-negative.
    threshold : float
        :math:`\theta`, positive.

    Returns
    -------
    bound : float
        Never below :func:`stationary_count`, and zero if that is.

    References
    ----------
    .. [1] G. Cirrincione, "INCRT: An Incremental Transformer That Determines Its Own
       Architecture", arXiv:2604.10703, 2026.

    Examples
    --------
    >>> energies = torch.tensor([4.0, 2.0, 1.0, 0.1])
    >>> round(head_bound(energies, 0.5), 2), stationary_count(energies, 0.5)
    (4.71, 3)
    """
    if threshold <= 0:
        raise ValueError(f"threshold must be positive, got {threshold=}.")
    ordered = energies.double().sort(descending=True).values
    left = ordered.flip(0).cumsum(0).flip(0)
    above = ordered > threshold
    if not above.any():
        return 0.0
    kappa_squared = float((left / ordered)[above].max())
    return kappa_squared * math.log(float(left[0]) / threshold)
