"""A table as one matrix of numbers."""

import torch
from torch import Tensor, nn


class DenseRows(nn.Module):
    """Put numbers, flags of missing ones and categories side by side.

    Parameters
    ----------
    n_numbers : int
        Number of numerical columns.
    cardinalities : tuple of int
        Number of codes of every categorical column.
    flagged : tuple of int, default=()
        Numerical columns that get a flag beside them, one where they are missing.

    Attributes
    ----------
    width : int
        Number D of columns of the matrix: numbers, flags, then one per category.

    Examples
    --------
    >>> dense = DenseRows(2, (3,), flagged=(1,))
    >>> numbers = torch.tensor([[0.5, float("nan")]])
    >>> dense(numbers, torch.tensor([[2]]))
    tensor([[0.5000, 0.0000, 1.0000, 0.0000, 0.0000, 1.0000]])
    """

    def __init__(
        self,
        n_numbers: int,
        cardinalities: tuple[int, ...],
        flagged: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.n_numbers, self.cardinalities = n_numbers, cardinalities
        self.flagged = list(flagged)
        self.width = n_numbers + len(self.flagged) + sum(cardinalities)

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Map numbers (B, F), NaN where missing, and codes (B, G) to (B, D)."""
        missing = numbers[:, self.flagged].isnan().to(numbers.dtype)
        parts = [numbers.nan_to_num(0.0), missing]
        for column, n_codes in enumerate(self.cardinalities):
            hot = nn.functional.one_hot(codes[:, column], n_codes)
            parts.append(hot.to(numbers.dtype))
        return torch.cat(parts, 1)
