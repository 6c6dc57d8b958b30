"""Columns of a table laid out by their distances: along a line, or on a map."""

import numpy as np
import torch
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform
from torch import Tensor

_TIE = 1e-9


def column_order(distances: Tensor) -> Tensor:
    """Return columns in an order in which near ones are neighbors.

    Columns are joined pair by pair, nearest first (average linkage). Of the orders that
    keep joined columns together the one counts in which neighbors are nearest. It
    starts at the end that is nearer to all others, so that the order and its direction
    go with the columns, wherever they stood.

    Parameters
    ----------
    distances : Tensor of shape (T, T)
        Squared distances between columns.

    Returns
    -------
    order : Tensor of shape (T,), dtype int64
        Columns one after another; as they are where all are equally far.

    References
    ----------
    .. [1] Z. Bar-Joseph, D. K. Gifford and T. S. Jaakkola, "Fast optimal leaf ordering
       for hierarchical clustering", Bioinformatics 17, 2001.

    Examples
    --------
    >>> places = torch.tensor([0.0, 5.0, 1.0, 2.0])
    >>> column_order((places[:, None] - places).square())
    tensor([0, 2, 3, 1])
    """
    apart = distances.double().cpu().sqrt().numpy()
    between = squareform(apart, checks=False)
    if len(between) < 2 or np.ptp(between) < _TIE:
        return torch.arange(len(apart))
    joined = optimal_leaf_ordering(linkage(between, "average"), between)
    order = leaves_list(joined).astype(np.int64)
    remote = apart.sum(1)[order]
    ahead = remote - remote[::-1]
    told = np.abs(ahead) > _TIE * remote.max()
    if told.any() and ahead[told.argmax()] > 0:
        order = order[::-1].copy()
    return torch.from_numpy(order)


def column_positions(distances: Tensor, n_dimensions: int = 2) -> Tensor:
    """Return a map of the columns by classical multidimensional scaling.

    Parameters
    ----------
    distances : Tensor of shape (T, T)
        Squared distances between columns.
    n_dimensions : int, default=2
        Of the map.

    Returns
    -------
    positions : Tensor of shape (T, n_dimensions)
        Zero on the average; distances between them are about the roots of those given.

    Examples
    --------
    >>> places = torch.tensor([0.0, 3.0, 4.0])
    >>> positions = column_positions((places[:, None] - places).square(), 1)
    >>> [round(float(x), 3) for x in (positions[0] - positions[1:]).abs()]
    [3.0, 4.0]
    """
    squared = distances.double().cpu()
    centered = squared - squared.mean(0)
    centered = -(centered - centered.mean(1, keepdim=True)) / 2
    values, vectors = torch.linalg.eigh(centered)
    kept = min(n_dimensions, len(squared))
    values, vectors = values.flip(0)[:kept], vectors.flip(1)[:, :kept]
    positions = squared.new_zeros(len(squared), n_dimensions)
    positions[:, :kept] = vectors * values.clamp_min(0).sqrt()
    return positions.to(distances.dtype)
