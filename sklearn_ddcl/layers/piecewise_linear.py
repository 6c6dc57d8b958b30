"""Numbers to tokens through a piecewise linear curve per column."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.full_vectors import multiply_groups
from sklearn_ddcl.layers.knot_intervals import KnotIntervals
from sklearn_ddcl.layers.missing import with_missing


def quantile_knots(
    x: Tensor, n_bins: int, weights: Tensor | None = None
) -> list[Tensor]:
    """Return increasing knots per column, at weighted quantiles of its finite values.

    Knots are values that occur, the smallest and the largest among them. A value that
    many rows share takes one of them, the others go to the values that differ. A column
    with at most ``n_bins + 1`` distinct values gets a knot at each of them, however
    rare. A row of weight two counts like two rows, one of weight zero like none.

    Parameters
    ----------
    x : Tensor of shape (n_rows, n_columns)
        Values; NaN and infinities are left out.
    n_bins : int
        Number of intervals between knots, at most.
    weights : Tensor of shape (n_rows,), optional
        Importance of the rows.

    Returns
    -------
    knots : list of Tensor
        At least two knots per column; in a constant column the second one is made up.

    Examples
    --------
    >>> quantile_knots(torch.tensor([[1.0], [1.0], [2.0], [5.0]]), n_bins=8)
    [tensor([1., 2., 5.])]
    """
    if weights is None:
        weights = x.new_ones(len(x))
    levels = torch.linspace(0, 1, n_bins + 1, dtype=torch.float64, device=x.device)
    return [_column_knots(column, levels, weights) for column in x.T]


def _column_knots(column: Tensor, levels: Tensor, weights: Tensor) -> Tensor:
    present = column.isfinite() & (weights > 0)
    values, order = column[present].sort()
    if len(values) == 0:
        return column.new_tensor([0.0, 1.0])
    knots, which = values.unique_consecutive(return_inverse=True)
    if len(knots) > len(levels):
        mass = torch.zeros(len(knots), dtype=torch.float64, device=column.device)
        mass.index_add_(0, which, weights[present][order].double())
        reached = _capped(mass, len(levels) - 1).cumsum(0)
        # Slack absorbs the rounding of the running sum, so that weights and repeated
        # rows reach the same value.
        targets = levels * reached[-1] * (1 - 1e-12)
        positions = torch.searchsorted(reached, targets).clamp_max(len(knots) - 1)
        knots = knots[positions].unique_consecutive()
    if len(knots) == 1:
        # Adding one would change nothing to a large float32.
        knots = torch.cat([knots, knots + knots.abs().clamp_min(1)])
    return knots


def _capped(mass: Tensor, n_bins: int) -> Tensor:
    """Return masses of which none is more than that of a bin.

    Otherwise a value that most rows share, such as zero, would take nearly all knots
    and leave the values that differ with none between them.
    """
    largest = mass.sort(descending=True).values[:n_bins]
    rest = mass.sum() - torch.cat([largest.new_zeros(1), largest.cumsum(0)[:-1]])
    bins_left = torch.arange(n_bins, 0, -1, device=mass.device)
    # With the h largest values in bins of their own; the first h that leaves no larger.
    caps = rest / bins_left
    fits = largest <= caps * (1 + 1e-12)
    return mass.clamp_max(caps[fits.byte().argmax()])


class PiecewiseLinearTokenizer(nn.Module):
    r"""Turn every number into a token through a learned piecewise linear curve.

    A number is first described by how far it has gone through each interval between
    neighboring knots, :math:`e_b = \mathrm{clip}((x - t_b)/(t_{b+1} - t_b), 0, 1)`;
    the token is :math:`\mathrm{ReLU}(W_j e + b_j)`. One column can thus bend sharply
    at any knot, and beyond the outer knots it is constant, so that outliers are tame.
    A missing number has a learned token of its own.

    Parameters
    ----------
    knots : list of Tensor
        Increasing knots of every column, as from :func:`quantile_knots`.
    d_token : int
        Width of a token.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    weight : Parameter of shape (n_columns, n_bins, d_token)
        Slopes :math:`W_j`.
    bias : Parameter of shape (n_columns, d_token)
        Offsets :math:`b_j`.
    missing : Parameter of shape (n_columns, d_token)
        Token of a missing number, before the ReLU.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On Embeddings for Numerical
       Features in Tabular Deep Learning", NeurIPS 2022.

    Examples
    --------
    >>> tokenizer = PiecewiseLinearTokenizer([torch.tensor([0.0, 1.0, 4.0])], d_token=8)
    >>> tokenizer(torch.tensor([[0.5], [float("nan")]])).shape
    torch.Size([2, 1, 8])
    """

    def __init__(
        self,
        knots: list[Tensor],
        d_token: int,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.intervals = KnotIntervals(knots)
        n_columns, n_bins = self.intervals.left.shape
        bound = n_bins**-0.5
        weight = torch.empty(n_columns, n_bins, d_token)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound, generator=generator))
        bias = torch.empty(n_columns, d_token)
        self.bias = nn.Parameter(bias.uniform_(-0.3, 0.3, generator=generator))
        missing = torch.empty(n_columns, d_token)
        self.missing = nn.Parameter(missing.uniform_(-0.3, 0.3, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers (B, n_columns), NaN where missing, to (B, n_columns, d_token)."""
        progress = self.intervals.progress(x.nan_to_num(0.0))
        curve = multiply_groups(progress, self.weight) + self.bias
        return with_missing(curve, x, self.missing).relu()
