"""Where a number stands among the knots of its column."""

import math

import torch
from torch import Tensor, nn


class KnotIntervals(nn.Module):
    r"""Describe numbers by the intervals between knots that they have gone through.

    Parameters
    ----------
    knots : list of Tensor
        Increasing knots of every column, at least two each.

    Attributes
    ----------
    left, inverse_width : Tensor of shape (n_columns, most)
        Where intervals begin, and one over their widths; 0 where a column has fewer
        than another one.
    n_bins : Tensor of shape (n_columns,)
        Number of intervals.

    Examples
    --------
    >>> intervals = KnotIntervals([torch.tensor([0.0, 1.0, 5.0])])
    >>> intervals.progress(torch.tensor([[0.5], [3.0]])).tolist()
    [[[0.5, 0.0]], [[1.0, 0.5]]]
    >>> intervals.position(torch.tensor([[0.0], [1.0], [5.0]])).flatten()
    tensor([-1.7321,  0.0000,  1.7321])
    """

    left: Tensor
    inverse_width: Tensor
    n_bins: Tensor

    def __init__(self, knots: list[Tensor]) -> None:
        super().__init__()
        counts = torch.tensor([len(column) - 1 for column in knots])
        n_columns, most = len(knots), max(counts.tolist(), default=1)
        left = torch.zeros(n_columns, most)
        inverse_width = torch.zeros(n_columns, most)
        for j, column in enumerate(knots):
            left[j, : len(column) - 1] = column[:-1]
            # Bounded: zero times infinity would be NaN at the left end of the bin.
            inverse = column.diff().reciprocal().clamp_max(torch.finfo(left.dtype).max)
            inverse_width[j, : len(column) - 1] = inverse
        self.register_buffer("left", left)
        self.register_buffer("inverse_width", inverse_width)
        self.register_buffer("n_bins", counts, persistent=False)

    def progress(self, x: Tensor) -> Tensor:
        r"""Return how far numbers have gone through every interval, from 0 to 1.

        Parameters
        ----------
        x : Tensor of shape (B, n_columns)
            Finite numbers.

        Returns
        -------
        progress : Tensor of shape (B, n_columns, most)
            :math:`\mathrm{clip}((x - t_b)/(t_{b+1} - t_b), 0, 1)` with knots
            :math:`t_b`; 0 in intervals that a column does not have.
        """
        return ((x[..., None] - self.left) * self.inverse_width).clamp(0, 1)

    def position(self, x: Tensor) -> Tensor:
        r"""Return where numbers stand between the first knot and the last.

        The standardized share of the intervals that they have gone through; with knots
        at quantiles about their rank, but continuous.

        Parameters
        ----------
        x : Tensor of shape (B, n_columns)
            Finite numbers.

        Returns
        -------
        position : Tensor of shape (B, n_columns)
            From :math:`-\sqrt 3` at the first knot to :math:`\sqrt 3` at the last one,
            which has mean 0 and variance 1 if all intervals are as likely.
        """
        share = self.progress(x).sum(-1) / self.n_bins
        return math.sqrt(12) * (share - 0.5)
