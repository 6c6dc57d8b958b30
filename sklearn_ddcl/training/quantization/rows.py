"""Rows to be quantized, as blocks whose distances are one matrix product away."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

# Up to this many entries a centered copy is kept; larger tables are centered, and cast
# if they have to be, block by block in every pass.
_KEPT_ENTRIES = 2**22
# Entries of the largest array of one block.
_BLOCK_ENTRIES = 2**17
_LOWEST, _HIGHEST = 256, 8192
# Rows from which a covariance is estimated.
_SAMPLE = 4096
# Rows whose sum is taken in float64 at a time.
_MEAN_ROWS = 1024
# Rows whose chances to be drawn are cumulated at a time.
_DRAW_ROWS = 2**15


class Rows:
    r"""Rows, centered on their mean, that are read in blocks.

    The distance of row :math:`x_i` to code :math:`c_k` is ``norms[i] + (block @ matrix
    + offset)[i, k]`` with the matrix and the offset that :meth:`affine` makes of the
    codes, so that everything else need not know how distances come about.

    Parameters
    ----------
    values : Tensor of shape (n_rows, n_columns)
        Finite numbers of any floating type; never written to.
    weights : Tensor of shape (n_rows,), optional
        Importance of the rows, non-negative and not all zero.
    dtype : torch.dtype, default=torch.float32
        Type that is computed in.
    device : torch.device, optional
        Where it is computed; by default where `values` are.
    center : Tensor of shape (n_columns,), optional
        What rows and codes are relative to; by default the weighted mean of the rows.
    keep : bool, default=True
        Whether a centered copy may be kept, which pays off after several passes.

    Attributes
    ----------
    center : Tensor of shape (n_columns,)
        What rows and codes are relative to.
    weights : Tensor of shape (n_rows,), or None
        Importance of the rows; None if they all count one.
    """

    def __init__(
        self,
        values: Tensor,
        weights: Tensor | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
        center: Tensor | None = None,
        keep: bool = True,
    ) -> None:
        self.dtype = dtype
        self.device = values.device if device is None else device
        self.n_rows, self.n_columns = values.shape
        if weights is not None and bool((weights == 1).all()):
            weights = None
        self.weights = None if weights is None else weights.to(self.device, dtype)
        self._values = values
        self._kept: Tensor | None = None
        center = self._mean() if center is None else center
        # Taken off before rows are rounded to the type that is computed in.
        wide = torch.promote_types(values.dtype, dtype)
        self.center = center.to(self.device, wide)
        on_its_way = self.device != values.device
        if keep and (on_its_way or values.numel() <= _KEPT_ENTRIES):
            self._kept = self._prepare(slice(None))

    def empty(self, *shape: int) -> Tensor:
        """Return an array of the type and on the device that is computed in."""
        return torch.empty(shape, dtype=self.dtype, device=self.device)

    def __len__(self) -> int:
        return self.n_rows

    @property
    def total_weight(self) -> float:
        """Sum of the weights."""
        return float(self.n_rows if self.weights is None else self.weights.sum())

    def blocks(
        self, n_codes: int, *, pad: bool = False
    ) -> Iterator[tuple[slice, Tensor]]:
        """Yield slices and their centered rows, in order.

        Parameters
        ----------
        n_codes : int
            Entries that every row of a block will be given.
        pad : bool, default=False
            Whether all blocks get the same height, the last one by rows at the center.
            Matrix products then run the same kernels whatever stands beside a row.

        Yields
        ------
        part : slice
            Of the rows.
        block : Tensor of shape (n_block, width)
            To be multiplied with the matrix of :meth:`affine`; not to be written to.
        """
        kept = self._kept
        n = self.n_rows
        height = block_height(
            n_codes if kept is not None and not pad else max(n_codes, self.n_columns)
        )
        for start in range(0, n, height):
            part = slice(start, min(start + height, n))
            block = self._prepare(part) if kept is None else kept[part]
            lacking = height - (part.stop - part.start)
            if pad and lacking:
                block = torch.nn.functional.pad(block, (0, 0, 0, lacking))
            yield part, block

    def take(self, rows: Tensor) -> Tensor:
        """Return some rows as a block.

        Parameters
        ----------
        rows : Tensor of shape (n,), int64
            Their positions.

        Returns
        -------
        block : Tensor of shape (n, width)
            As :meth:`blocks` yields them.
        """
        return self._prepare(rows) if self._kept is None else self._kept[rows]

    def affine(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return what turns blocks into distances.

        Parameters
        ----------
        codes : Tensor of shape (n_codes, n_columns)
            Codes, relative to the center.

        Returns
        -------
        offset : Tensor of shape (n_codes,)
        matrix : Tensor of shape (width, n_codes)
        """
        return codes.square().sum(1), -2 * codes.T

    @cached_property
    def norms(self) -> Tensor:
        """What distances to all codes have in common, (n_rows,)."""
        norms = self.empty(self.n_rows)
        for part, block in self.blocks(self.n_columns):
            norms[part] = self._norms(block)
        return norms

    def centroids(self, sums: Tensor, mass: Tensor, codes: Tensor) -> Tensor:
        """Return the means of what was assigned to every code.

        Parameters
        ----------
        sums : Tensor of shape (n_codes, width)
            Weighted sums of blocks.
        mass : Tensor of shape (n_codes,)
            Weights that were assigned.
        codes : Tensor of shape (n_codes, n_columns)
            Kept where nothing was assigned.

        Returns
        -------
        centroids : Tensor of shape (n_codes, n_columns)
            Relative to the center.
        """
        used = mass > 0
        if bool(used.all()):
            return sums / mass[:, None]
        means = sums / mass.clamp_min(torch.finfo(self.dtype).tiny)[:, None]
        return torch.where(used[:, None], means, codes)

    def points(self, rows: Tensor) -> Tensor:
        """Return some rows as codes, (n, n_columns), relative to the center."""
        return self._chosen(rows)

    def squared_gaps(self, rows: Tensor, codes: Tensor) -> Tensor:
        """Return squared distances of pairs, accurate however near these are.

        Parameters
        ----------
        rows : Tensor of shape (n_pairs,), int64
            Positions of the rows.
        codes : Tensor of shape (n_pairs, n_columns)
            Codes, relative to the center.

        Returns
        -------
        distances : Tensor of shape (n_pairs,)
        """
        values = self._chosen(rows)
        return (values - codes).square().sum(1)

    def gaps(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Return how rows differ from their codes, for a sample of the rows.

        Parameters
        ----------
        codes : Tensor of shape (n_codes, n_columns)
            Codes, relative to the center.
        labels : Tensor of shape (n_rows,)
            Code of every row.

        Returns
        -------
        gaps : Tensor of shape (n_sample, n_columns)
            Each multiplied with the root of its row's share of the weight, so that
            ``gaps.T @ gaps`` is the covariance of the rows around their codes.
        """
        chosen = self.order[:: max(1, -(-len(self) // _SAMPLE))]
        gaps = self._gaps(self._chosen(chosen), codes[labels[chosen].long()])
        weights = (
            gaps.new_ones(len(gaps)) if self.weights is None else self.weights[chosen]
        )
        return gaps * (weights / weights.sum()).sqrt()[:, None]

    def values(self, rows: Tensor) -> Tensor:
        """Return some rows, (n, n_columns), relative to the center, NaN if missing."""
        return self._chosen(rows)

    def subset(self, rows: Tensor, center: Tensor | None = None) -> "Rows":
        """Return some of the rows with their weights.

        Parameters
        ----------
        rows : Tensor of shape (n,), int64
            Their positions.
        center : Tensor of shape (n_columns,), optional
            What they are relative to; by default their mean.

        Returns
        -------
        subset : Rows
            Of the same kind.
        """
        return type(self)(
            self._values[rows.to(self._values.device)],
            None if self.weights is None else self.weights[rows],
            dtype=self.dtype,
            device=self.device,
            center=center,
        )

    def regular_sample(self, n: int) -> "Rows":
        """Return rows at `n` equal steps of the cumulated weight, of equal weight.

        Rows are cumulated in the order of their values, so that one of weight two is
        drawn like two equal rows.

        Parameters
        ----------
        n : int
            Size of the sample; heavy rows are in it several times.

        Returns
        -------
        sample : Rows
            Of the same kind.
        """
        order = self.order
        steps = torch.arange(n, dtype=torch.float64) + 0.5
        if self.weights is None:
            chosen = order[(steps * (len(order) / n)).long().to(order.device)]
        else:
            mass = self.weights[order].cpu().double().cumsum(0)
            found = torch.searchsorted(mass, steps * (float(mass[-1]) / n))
            chosen = order[found.clamp_max(len(order) - 1).to(order.device)]
        values = self._values[chosen.to(self._values.device)]
        return type(self)(values, dtype=self.dtype, device=self.device)

    @cached_property
    def order(self) -> Tensor:
        """Positions of the rows in an order that depends on their values alone."""
        return self._order()

    def distinct(self) -> "Rows":
        """Return the different rows, each as heavy as all that are equal to it."""
        values, places = torch.unique(self._values, dim=0, return_inverse=True)
        weights = self.weights
        if weights is None:
            weights = self.empty(self.n_rows).fill_(1.0)
        summed = self.empty(len(values)).zero_().index_add_(0, places, weights)
        return type(self)(values, summed, dtype=self.dtype, device=self.device)

    def sample(self, n: int) -> "Rows":
        """Return `n` rows that stand for all, with weights of their own.

        Half of the sample goes to the rows as they weigh, the other half to where the
        distances from the center are; otherwise the few rows of a long tail, which
        deserve codes of their own, would be missed.

        Parameters
        ----------
        n : int
            Size of the sample; heavy rows are in it several times.

        Returns
        -------
        sample : Rows
            Expected sums over it are those over all rows.

        References
        ----------
        .. [1] O. Bachem, M. Lucic and A. Krause, "Scalable k-means clustering via
           lightweight coresets", Proceedings of the 24th ACM SIGKDD Conference, 2018.
        """
        chosen = self._draw(n)
        weights = 1 / (n * self._chances(chosen))
        if self.weights is not None:
            weights = weights * self.weights[chosen]
        # Of a table so long that another copy would count.
        return type(self)(
            self._values[chosen.to(self._values.device)],
            weights,
            dtype=self.dtype,
            device=self.device,
            keep=False,
        )

    def _draw(self, n: int) -> Tensor:
        """Return positions of rows at equal steps of their cumulated chances."""
        order = self._order()
        levels = (torch.arange(n, dtype=torch.float64) + 0.5) / n
        drawn, below, done = [], 0.0, 0
        for start in range(0, self.n_rows, _DRAW_ROWS):
            part = order[start : start + _DRAW_ROWS]
            mass = self._chances(part).cpu().double().cumsum(0) + below
            below = float(mass[-1])
            last = start + _DRAW_ROWS >= self.n_rows
            until = n if last else int(torch.searchsorted(levels, below))
            found = torch.searchsorted(mass, levels[done:until])
            drawn.append(part[found.clamp_max(len(part) - 1).to(part.device)])
            done = max(done, until)
        return torch.cat(drawn)

    def _chances(self, rows: slice | Tensor) -> Tensor:
        """Return how likely rows are to be drawn; over all rows they sum to one."""
        by_norm, by_weight = self._chance_rates
        chances = self.norms[rows] * by_norm + by_weight
        return chances if self.weights is None else chances * self.weights[rows]

    @cached_property
    def _chance_rates(self) -> tuple[Tensor, float]:
        norms, weights = self.norms, self.weights
        spread = norms.sum() if weights is None else weights @ norms
        spread = spread.clamp_min(torch.finfo(self.dtype).tiny)
        return 0.5 / spread, 0.5 / self.total_weight

    def _order(self) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        width = len(self.affine(self.empty(1, self.n_columns))[1])
        direction = torch.randn(width, generator=generator, dtype=torch.float64)
        direction = direction.to(self.device, self.dtype)
        keys = self.empty(self.n_rows)
        for part, block in self.blocks(self.n_columns):
            keys[part] = block @ direction
        # NumPy sorts with less memory of its own.
        order = torch.from_numpy(np.argsort(keys.numpy(force=True)))
        return order.to(self.device)

    def _norms(self, block: Tensor) -> Tensor:
        return block.square().sum(1)

    def _mean(self) -> Tensor:
        """Return the weighted mean of what is present, in float64."""
        total = self._values.new_zeros(self.n_columns, dtype=torch.float64)
        mass = torch.zeros_like(total)
        for start in range(0, self.n_rows, _MEAN_ROWS):
            part = slice(start, start + _MEAN_ROWS)
            values = self._values[part].double()
            shares = self._presence(values)
            if self.weights is not None:
                shares = shares * self.weights[part, None].to(values)
            total += (shares * values.nan_to_num(0.0)).sum(0)
            mass += shares.sum(0)
        return total / mass.clamp_min(torch.finfo(mass.dtype).tiny)

    def _presence(self, values: Tensor) -> Tensor:
        """Return ones where entries count, (n, 1) or (n, n_columns)."""
        return torch.ones_like(values[:, :1])

    def _prepare(self, part: slice | Tensor) -> Tensor:
        return self._centered(self._values[part])

    def _chosen(self, rows: Tensor) -> Tensor:
        return self._centered(self._values[rows.to(self._values.device)])

    def _centered(self, values: Tensor) -> Tensor:
        values = values.to(self.device, self.center.dtype)
        return (values - self.center).to(self.dtype)

    def _gaps(self, values: Tensor, codes: Tensor) -> Tensor:
        return values - codes


class MaskedRows(Rows):
    r"""Rows with missing entries, NaN, which count for nothing.

    The masked distance is :math:`\frac{d}{|O|} \sum_{j \in O} (x_j - c_j)^2` over the
    present entries :math:`O` of a row. A block is twice as wide as the rows, so that it
    still is one matrix product; a row without any entry is at distance zero of all
    codes.
    """

    def affine(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return what turns blocks into masked distances."""
        matrix = torch.cat([-2 * codes.T, codes.T.square()])
        return codes.new_zeros(len(codes)), matrix

    def centroids(self, sums: Tensor, mass: Tensor, codes: Tensor) -> Tensor:
        """Return the means of the present entries assigned to every code."""
        scaled, scale = sums[:, : self.n_columns], sums[:, self.n_columns :]
        tiny = torch.finfo(self.dtype).tiny
        return torch.where(scale > 0, scaled / scale.clamp_min(tiny), codes)

    def points(self, rows: Tensor) -> Tensor:
        """Return some rows as codes, their missing entries at the center."""
        return super().points(rows).nan_to_num(0.0)

    def squared_gaps(self, rows: Tensor, codes: Tensor) -> Tensor:
        """Return masked squared distances of pairs."""
        values = self._chosen(rows)
        n_present = (~values.isnan()).sum(1).clamp_min(1)
        squares = (values - codes).nan_to_num(0.0).square().sum(1)
        return squares * (self.n_columns / n_present.to(self.dtype))

    def _norms(self, block: Tensor) -> Tensor:
        scaled, scale = block[:, : self.n_columns], block[:, self.n_columns :]
        tiny = torch.finfo(self.dtype).tiny
        return (scaled.square() / scale.clamp_min(tiny)).sum(1)

    def _presence(self, values: Tensor) -> Tensor:
        return (~values.isnan()).to(values)

    def _prepare(self, part: slice | Tensor) -> Tensor:
        values = super()._prepare(part)
        present = ~values.isnan()
        n_present = present.sum(1, keepdim=True).clamp_min(1)
        scale = present.to(self.dtype) * (self.n_columns / n_present.to(self.dtype))
        return torch.cat([values.nan_to_num(0.0) * scale, scale], dim=1)

    def _gaps(self, values: Tensor, codes: Tensor) -> Tensor:
        return (values - codes).nan_to_num(0.0)


def block_height(n_codes: int) -> int:
    """Return how many rows are compared with `n_codes` codes at a time."""
    height = _HIGHEST
    while height > _LOWEST and height * n_codes > _BLOCK_ENTRIES:
        height //= 2
    return height
