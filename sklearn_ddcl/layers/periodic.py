"""Numbers to tokens through learned waves."""

import math
from typing import Any

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.full_vectors import multiply_groups
from sklearn_ddcl.layers.knot_intervals import KnotIntervals
from sklearn_ddcl.layers.missing import with_missing


class PeriodicTokenizer(nn.Module):
    r"""Turn every number into a token through waves of learned frequency.

    The token is :math:`\mathrm{ReLU}(W_j [\cos(2\pi c_j x), \sin(2\pi c_j x)] + b_j)`
    with frequencies :math:`c_j \sim \mathcal N(0, \sigma^2)` at the start. If knots are
    given, one half of the waves runs over the number under a soft limit, the other half
    over its position among the knots. The first see distances, the second tell apart
    what is crowded and are tame where a few numbers are far from all others.

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
    knots : list of Tensor, optional
        Increasing knots of every column.
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
        knots: list[Tensor] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.intervals = None if knots is None else KnotIntervals(knots)
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
        phase = 2 * math.pi * self._coordinates(x.nan_to_num(0.0)) * self.frequencies
        mixed = multiply_groups(_Waves.apply(phase), self.weight) + self.bias
        return with_missing(mixed, x, self.missing).relu()

    def _coordinates(self, x: Tensor) -> Tensor:
        """Return what every wave runs over, (B, n_columns, n_frequencies or 1)."""
        if self.intervals is None:
            return x[..., None]
        n_frequencies = self.frequencies.shape[1]
        n_positions = n_frequencies // 2
        clipped = F.soft_clip(x)[..., None].expand(-1, -1, n_frequencies - n_positions)
        positions = self.intervals.position(x)[..., None].expand(-1, -1, n_positions)
        return torch.cat([clipped, positions], -1)


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
