"""One visit to all rows, with hard or with soft assignments."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.functional.distances import first_smallest
from sklearn_ddcl.training.quantization.rows import Rows

# Distances below this share of the norms are computed from differences.
_TOO_NEAR = 1e-3


class HardPass(NamedTuple):
    """What a visit with hard assignments finds."""

    labels: Tensor
    """(n,), int32, the nearest code of every row."""
    distances: Tensor
    """(n,), squared distance to it."""
    second: Tensor | None
    """(n,), squared distance to the second nearest code, if asked for."""
    centroids: Tensor
    """(K, d), relative to the center of the rows; the old code where it has no row."""
    mass: Tensor
    """(K,), weight assigned to every code."""
    distortion: float
    """Weighted sum of `distances`."""


class SoftPass(NamedTuple):
    """What a visit with soft assignments finds."""

    centroids: Tensor
    """(K, d), relative to the center of the rows."""
    mass: Tensor
    """(K,), weight assigned to every code."""
    loss: float
    """Mean assigned squared distance."""


def hard_pass(rows: Rows, codes: Tensor, *, second: bool = False) -> HardPass:
    """Assign every row to its nearest code.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    codes : Tensor of shape (K, d)
        Relative to the center of the rows.
    second : bool, default=False
        Whether to find the distance to the second nearest code as well.

    Returns
    -------
    found : HardPass
        Of equal distances, up to rounding, the lower index.
    """
    n_codes = codes.shape[0]
    offset, matrix = rows.affine(codes)
    sums = codes.new_zeros(n_codes, matrix.shape[0])
    weights = rows.weights
    labels = torch.empty(len(rows), dtype=torch.int32, device=codes.device)
    distances = codes.new_empty(len(rows))
    others = torch.empty_like(distances) if second else None
    buffer = None
    for part, block in rows.blocks(n_codes):
        height = part.stop - part.start
        if buffer is None:
            buffer = codes.new_empty(height, n_codes)
        found = torch.addmm(offset, block, matrix, out=buffer[:height])
        winners = first_smallest(found)
        labels[part] = winners
        torch.gather(found, 1, winners[:, None], out=distances[part, None])
        if others is not None:
            found.scatter_(1, winners[:, None], torch.inf)
            others[part] = found.amin(1)
        if weights is not None:
            block = block * weights[part, None]
        sums.index_add_(0, winners, block)
    mass = weigh(labels, weights, n_codes).to(codes)
    distances.add_(rows.norms).clamp_min_(0)
    weighted = distances if weights is None else distances * weights
    return HardPass(
        labels,
        distances,
        None if others is None else others.add_(rows.norms),
        rows.centroids(sums, mass, codes),
        mass,
        float(weighted.sum(dtype=torch.float64)),
    )


def soft_pass(rows: Rows, codes: Tensor, temperature: float) -> SoftPass:
    """Assign every row to all codes at a temperature.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    codes : Tensor of shape (K, d)
        Relative to the center of the rows.
    temperature : float
        In the unit of a squared distance.

    Returns
    -------
    found : SoftPass
        Its centroids are the step of expectation-maximization.
    """
    offset, matrix = rows.affine(codes)
    offset, matrix = -offset / temperature, -matrix / temperature
    sums = codes.new_zeros(len(codes), len(matrix))
    mass = codes.new_zeros(len(codes))
    total = 0.0
    for part, block in rows.blocks(len(codes)):
        logits = torch.addmm(offset, block, matrix)
        shares = torch.softmax(logits, 1)
        assigned = rows.norms[part] - temperature * torch.linalg.vecdot(shares, logits)
        if rows.weights is not None:
            weights = rows.weights[part]
            shares, assigned = shares * weights[:, None], assigned * weights
        sums += shares.T @ block
        mass += shares.sum(0)
        total += float(assigned.sum(dtype=torch.float64))
    centroids = rows.centroids(sums, mass, codes)
    return SoftPass(centroids, mass, total / rows.total_weight)


def nearest_codes(rows: Rows, codes: Tensor) -> Tensor:
    """Return the nearest code of every row, as if the row were alone.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    codes : Tensor of shape (K, d)
        Relative to the center of the rows.

    Returns
    -------
    labels : Tensor of shape (n,), int64
        Of equal distances, up to rounding, the lower index.
    """
    offset, matrix = rows.affine(codes)
    labels = torch.empty(len(rows), dtype=torch.int64, device=codes.device)
    buffer = None
    for part, block in rows.blocks(len(codes), pad=True):
        if buffer is None:
            buffer = codes.new_empty(len(block), len(codes))
        found = torch.addmm(offset, block, matrix, out=buffer)
        labels[part] = first_smallest(found)[: part.stop - part.start]
    return labels


def all_distances(rows: Rows, codes: Tensor) -> Tensor:
    """Return the squared distance of every row to every code, (n, K).

    Parameters
    ----------
    rows : Rows
        What is quantized.
    codes : Tensor of shape (K, d)
        Relative to the center of the rows.

    Returns
    -------
    distances : Tensor of shape (n, K)
        Never negative. A row's distances do not depend on the rows beside it.
    """
    offset, matrix = rows.affine(codes)
    distances = codes.new_empty(len(rows), len(codes))
    sizes = codes.square().sum(1)
    for part, block in rows.blocks(len(codes), pad=True):
        found = torch.addmm(offset, block, matrix)[: part.stop - part.start]
        norms = rows.norms[part, None]
        found += norms
        # What is left of two large numbers is rounding: take differences instead.
        near, k = (found < _TOO_NEAR * (norms + sizes)).nonzero(as_tuple=True)
        found[near, k] = rows.squared_gaps(part.start + near, codes[k])
        distances[part] = found
    return distances


def weigh(labels: Tensor, weights: Tensor | None, n_codes: int) -> Tensor:
    """Return the weight that every code has, (n_codes,).

    Parameters
    ----------
    labels : Tensor of shape (n,)
        Codes, whole numbers.
    weights : Tensor of shape (n,) or None
        Importance of the rows; all count one by default.
    n_codes : int
        Number of codes.

    Returns
    -------
    mass : Tensor of shape (n_codes,)
        Whole numbers or float64.
    """
    if labels.device.type != "cpu":
        weights = None if weights is None else weights.double()
        return torch.bincount(labels, weights, minlength=n_codes)
    # A tenth of the time that torch takes for few rows.
    shares = None if weights is None else weights.numpy()
    return torch.from_numpy(np.bincount(labels.numpy(), shares, minlength=n_codes))
