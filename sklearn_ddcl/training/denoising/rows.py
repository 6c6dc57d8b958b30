"""Rows to be corrupted, with what is to be predicted from them."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from sklearn_ddcl.training.data import Inputs


class SmoothTargets(NamedTuple):
    """What the loss sees of a batch beside the rows themselves."""

    smoothed: Tensor
    """(B, S, D), the rows averaged over their neighborhoods."""
    weights: Tensor
    """(B,), non-negative."""


class DenoisingRows(Dataset):
    """A table of encoded rows with smoothed ones, ready to be sliced.

    Parameters
    ----------
    numbers : Tensor of shape (n, F)
        Standardized numbers, NaN where missing.
    codes : Tensor of shape (n, G)
        Category codes.
    smoothed : Tensor of shape (n, S, D)
        Targets.
    weights : Tensor of shape (n,)
        Importance of the rows.
    """

    def __init__(
        self, numbers: Tensor, codes: Tensor, smoothed: Tensor, weights: Tensor
    ) -> None:
        self.tensors = (numbers, codes, smoothed, weights)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, rows: Any) -> tuple[Inputs, SmoothTargets]:
        numbers, codes, *targets = (column[rows] for column in self.tensors)
        return Inputs(numbers, codes), SmoothTargets(*targets)

    def sample(self, n: int) -> "DenoisingRows":
        """Return a regular subset of `n` rows, fewer than twice as many at most."""
        stride = max(1, len(self) // n)
        return DenoisingRows(*(column[::stride] for column in self.tensors))

    def to(self, device: torch.device) -> "DenoisingRows":
        """Return the rows on a device."""
        return DenoisingRows(*(column.to(device) for column in self.tensors))
