"""Numbers to tokens through curves and waves, and as they are."""

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.periodic import PeriodicTokenizer
from sklearn_ddcl.layers.piecewise_linear import PiecewiseLinearTokenizer


class MixedTokenizer(nn.Module):
    r"""Turn every number into a token that says it in three ways.

    One half of a token is a piecewise linear curve of the number, which follows
    thresholds, the other half waves, which are smooth. The number itself, with a soft
    limit of 3, is added along a direction of its column,

    .. math::
        z_j = \bigl[\mathrm{curve}_j(x_j), \mathrm{waves}_j(x_j)\bigr]
        + \mathrm{clip}(x_j)\, w_j ,

    so that sums and differences of columns need not be bent into line first. A missing
    number has learned curves and waves of its own, and counts as 0 otherwise.

    Parameters
    ----------
    knots : list of Tensor
        Increasing knots of every column, as for :class:`PiecewiseLinearTokenizer`; half
        of the waves run over the position among them.
    d_token : int
        Width of a token, at least 2.
    n_frequencies : int, default=8
        Waves per column.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    weight : Parameter of shape (n_columns, d_token)
        Directions :math:`w_j`.

    See Also
    --------
    sklearn_ddcl.functional.soft_clip : The limit.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On Embeddings for Numerical
       Features in Tabular Deep Learning", NeurIPS 2022.

    Examples
    --------
    >>> tokenizer = MixedTokenizer([torch.tensor([0.0, 1.0, 4.0])], d_token=8)
    >>> tokenizer(torch.tensor([[0.5], [float("nan")]])).shape
    torch.Size([2, 1, 8])
    """

    def __init__(
        self,
        knots: list[Tensor],
        d_token: int,
        *,
        n_frequencies: int = 8,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        d_waves = d_token // 2
        self.curves = PiecewiseLinearTokenizer(
            knots, d_token - d_waves, generator=generator
        )
        self.waves = PeriodicTokenizer(
            len(knots),
            d_waves,
            n_frequencies=n_frequencies,
            knots=knots,
            generator=generator,
        )
        weight = torch.empty(len(knots), d_token)
        self.weight = nn.Parameter(weight.normal_(std=0.3, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers (B, n_columns), NaN where missing, to (B, n_columns, d_token)."""
        bent = torch.cat([self.curves(x), self.waves(x)], dim=-1)
        plain = F.soft_clip(x.nan_to_num(0.0))
        return torch.addcmul(bent, plain[..., None], self.weight)
