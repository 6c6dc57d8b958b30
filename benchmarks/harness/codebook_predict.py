"""The nearest code of every row, written plainly in several ways."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

BLOCKS = (512, 1024, 4096, 16384, 65536)


def plain_formulations(
    X: np.ndarray, codebook: np.ndarray
) -> dict[str, Callable[[], np.ndarray]]:
    """Return ways to find the codes of all rows, by what they do.

    All give int64, and none keeps more than a block of distances.
    """
    rows, codes = torch.from_numpy(X), torch.from_numpy(codebook)
    ways: dict[str, Callable[[], np.ndarray]] = {}
    for size in BLOCKS:
        ways[f"torch addmm, NumPy argmin, {size}"] = partial(_mixed, rows, codes, size)
        ways[f"torch addmm, argmin, {size}"] = partial(_torch, rows, codes, size)
    for size in BLOCKS[1:4]:
        ways[f"torch cdist, argmin, {size}"] = partial(_cdist, rows, codes, size)
        ways[f"NumPy, {size}"] = partial(_numpy, X, codebook, size)
    return ways


def _mixed(rows: Tensor, codes: Tensor, size: int) -> np.ndarray:
    labels = np.empty(len(rows), dtype=np.int64)
    norms, matrix = codes.square().sum(1), -2 * codes.T
    buffer = torch.empty(size, len(codes))
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        found = torch.addmm(norms, block, matrix, out=buffer[: len(block)])
        np.argmin(found.numpy(), axis=1, out=labels[start : start + size])
    return labels


def _torch(rows: Tensor, codes: Tensor, size: int) -> np.ndarray:
    norms, matrix = codes.square().sum(1), -2 * codes.T
    return torch.cat(
        [torch.addmm(norms, block, matrix).argmin(1) for block in rows.split(size)]
    ).numpy()


def _cdist(rows: Tensor, codes: Tensor, size: int) -> np.ndarray:
    return torch.cat(
        [torch.cdist(block, codes).argmin(1) for block in rows.split(size)]
    ).numpy()


def _numpy(X: np.ndarray, codebook: np.ndarray, size: int) -> np.ndarray:
    labels = np.empty(len(X), dtype=np.int64)
    norms, matrix = np.square(codebook).sum(1), -2 * codebook.T
    for start in range(0, len(X), size):
        found = X[start : start + size] @ matrix
        found += norms
        found.argmin(axis=1, out=labels[start : start + size])
    return labels
