"""Numbers to tokens through learned waves."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.full_vectors import multiply_groups
from sklearn_ddcl.layers.missing import with_missing


class PeriodicTokenizer(nn.Module):
    r"""Turn every number into a token through waves of learned frequency.

    The token is :math:`\mathrm{ReLU}(W_j [\cos(2\pi c_j x), \sin(2\pi c_j x)] + b_j)`
    with frequencies :math:`c_j \sim \mathcal N(0, \sigma^2)` at the start.

    Parameters
    ----------
    n_columns : int
        Number of numerical columns.
    d_token : int
        Width of a token.
    n_frequencies : int, default=24
        Waves per column.
    sigma : float, default=0.3
        Standard deviation of the initial frequencies, per unit of the (standardized)
        number.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    frequencies : Parameter of shape (n_columns, n_frequencies)
        Frequencies :math:`c_j`.
    weight : Parameter of shape (n_columns, 2 * n_frequencies, d_token)
        Mixing of the waves.
    bias, missing : Parameter of shape (n_columns, d_token)
        Offset, and the token of a missing number.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On Embeddings for Numerical
       Features in Tabular Deep Learning", NeurIPS 2022.

    Examples
    --------
    >>> PeriodicTokenizer(n_columns=3, d_token=8)(torch.zeros(2, 3)).shape
    torch.Size([2, 3, 8])
    """

    bias: nn.Parameter
    missing: nn.Parameter

    def __init__(
        self,
        n_columns: int,
        d_token: int,
        *,
        n_frequencies: int = 24,
        sigma: float = 0.3,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        frequencies = torch.empty(n_columns, n_frequencies)
        frequencies.normal_(std=sigma, generator=generator)
        self.frequencies = nn.Parameter(frequencies)
        bound = (2 * n_frequencies) ** -0.5
        weight = torch.empty(n_columns, 2 * n_frequencies, d_token)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound, generator=generator))
        for name in ("bias", "missing"):
            values = torch.empty(n_columns, d_token)
            values.uniform_(-0.3, 0.3, generator=generator)
            setattr(self, name, nn.Parameter(values))

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers (B, n_columns), NaN where missing, to (B, n_columns, d_token)."""
        phase = 2 * math.pi * x.nan_to_num(0.0)[..., None] * self.frequencies
        mixed = multiply_groups(_Waves.apply(phase), self.weight) + self.bias
        return with_missing(mixed, x, self.missing).relu()


class _Waves(torch.autograd.Function):
    """Cosines and sines; each is the other's gradient, so none is computed twice."""

    @staticmethod
    def forward(phase: Tensor) -> Tensor:
        return torch.cat([phase.cos(), phase.sin()], dim=-1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (waves,) = ctx.saved_tensors
        cosines, sines = waves.chunk(2, -1)
        for_cosines, for_sines = grad.chunk(2, -1)
        return for_sines * cosines - for_cosines * sines
