"""One row of a mixed table to one token per column."""

import torch
from torch import Tensor, nn


class TableTokenizer(nn.Module):
    """Turn a row of numbers and categories into a sequence of tokens.

    Parameters
    ----------
    numbers : Module
        Maps (B, n_numbers) to (B, n_numbers, d_token), NaN where missing.
    categories : Module
        Maps codes (B, n_categories) to (B, n_categories, d_token).

    Examples
    --------
    >>> from sklearn_ddcl.layers import CategoryTokenizer, LinearTokenizer
    >>> tokenizer = TableTokenizer(LinearTokenizer(2, 8), CategoryTokenizer([4], 8))
    >>> tokenizer(torch.zeros(5, 2), torch.zeros(5, 1, dtype=torch.int64)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(self, numbers: nn.Module, categories: nn.Module) -> None:
        super().__init__()
        self.numbers = numbers
        self.categories = categories

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return tokens (B, n_numbers + n_categories, d_token), numbers first."""
        parts = []
        if numbers.shape[1]:
            parts.append(self.numbers(numbers))
        if codes.shape[1]:
            parts.append(self.categories(codes))
        return torch.cat(parts, dim=1)
