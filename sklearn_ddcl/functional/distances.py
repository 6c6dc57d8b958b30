"""Squared Euclidean distances between tokens and prototypes."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

# Entries of the largest array of one block: 2**22 of float32 are 16 MiB.
_BLOCK_ENTRIES = 2**22


def squared_distances(z: Tensor, prototypes: Tensor, *, direct: bool = False) -> Tensor:
    r"""Return the squared Euclidean distance of every token to every prototype.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes.
    direct : bool, default=False
        With False one matrix product answers, after both sides were centered on the
        mean prototype; the rounding error is relative to the size of the centered
        vectors. With True differences are taken coordinate by coordinate, slower but
        accurate relative to every single distance. Neither way, nor its gradient,
        holds an array of shape (..., K, d).

    Returns
    -------
    distances : Tensor of shape (..., K)
        Never negative.

    Raises
    ------
    ValueError
        If the last dimensions differ or `prototypes` is not a matrix.

    Examples
    --------
    >>> squared_distances(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
    tensor([[25.]])
    """
    check_dimensions(z, prototypes)
    if direct:
        flat = z.reshape(-1, z.shape[-1])
        distances = _DirectDistances.apply(flat, prototypes)
        return distances.reshape(*z.shape[:-1], len(prototypes))
    center = prototypes.detach().mean(0)
    z, prototypes = z - center, prototypes - center
    z_norm = z.square().sum(-1, keepdim=True)
    p_norm = prototypes.square().sum(-1)
    # Rounding can leave a tiny negative where a token meets a prototype.
    return (z_norm - 2 * z @ prototypes.T + p_norm).clamp_min(0)


class _DirectDistances(torch.autograd.Function):
    """Distances coordinate by coordinate, their gradient by matrix products.

    The gradient of `torch.cdist` itself holds an (N, K, d) array on accelerators.
    """

    @staticmethod
    def forward(z: Tensor, prototypes: Tensor) -> Tensor:
        mode = "donot_use_mm_for_euclid_dist"
        return torch.cdist(z, prototypes, compute_mode=mode).square()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        z, prototypes = ctx.saved_tensors
        center = prototypes.mean(0)
        z, prototypes = z - center, prototypes - center
        for_z = grad.sum(1, keepdim=True) * z - grad @ prototypes
        for_prototypes = grad.sum(0)[:, None] * prototypes - grad.T @ z
        return 2 * for_z, 2 * for_prototypes


def nearest(z: Tensor, prototypes: Tensor) -> Tensor:
    """Return the index of the nearest prototype of every token.

    Tokens are visited in blocks, so that memory stays bounded for any number of them.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes.

    Returns
    -------
    indices : Tensor of shape (...), dtype int64
        Of equal distances, up to rounding, the lower index.

    Examples
    --------
    >>> nearest(torch.tensor([[0.1], [0.9]]), torch.tensor([[0.0], [1.0]]))
    tensor([0, 1])
    """
    check_dimensions(z, prototypes)
    flat = z.reshape(-1, z.shape[-1])
    winners = [
        first_smallest(squared_distances(flat[block], prototypes))
        for block in blocks(len(flat), max(prototypes.shape))
    ]
    indices = torch.cat(winners) if winners else flat.new_empty(0, dtype=torch.int64)
    return indices.reshape(z.shape[:-1])


def first_smallest(values: Tensor) -> Tensor:
    """Return the position of the smallest entry of every row of a matrix.

    On the CPU NumPy does it, ten times as fast as torch does.

    Parameters
    ----------
    values : Tensor of shape (n, K)
        A row each.

    Returns
    -------
    positions : Tensor of shape (n,), dtype int64
        Of equal entries the first.
    """
    if values.device.type != "cpu" or values.dtype == torch.bfloat16:
        return values.argmin(1)
    return torch.from_numpy(values.detach().numpy().argmin(1))


def blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Yield slices of rows so that a block holds a bounded number of entries.

    Parameters
    ----------
    n_rows : int
        Number of rows to visit.
    n_columns : int
        Entries that every row brings into memory.

    Yields
    ------
    block : slice
        Consecutive, together all rows.
    """
    height = max(1, _BLOCK_ENTRIES // max(1, n_columns))
    for start in range(0, n_rows, height):
        yield slice(start, start + height)


def check_dimensions(z: Tensor, prototypes: Tensor) -> None:
    """Raise unless tokens and prototypes live in the same space.

    Parameters
    ----------
    z : Tensor of shape (..., d)
        Tokens.
    prototypes : Tensor of shape (K, d)
        Prototypes.
    """
    if prototypes.ndim != 2 or len(prototypes) == 0:
        raise ValueError(
            "prototypes must be a matrix (n_prototypes, d) with at least one row, got "
            f"shape {tuple(prototypes.shape)}."
        )
    if z.ndim < 1 or z.shape[-1] != prototypes.shape[-1]:
        raise ValueError(
            f"Tokens must have the last dimension {prototypes.shape[-1]} of the "
            f"prototypes, got tokens of shape {tuple(z.shape)}."
        )
