"""Tokens of numbers that are missing."""

import torch
from torch import Tensor


def with_missing(tokens: Tensor, x: Tensor, missing: Tensor) -> Tensor:
    """Put a token of its own wherever a number is missing.

    Parameters
    ----------
    tokens : Tensor of shape (B, n_columns, d_token)
        Tokens of the numbers.
    x : Tensor of shape (B, n_columns)
        The numbers, NaN where missing.
    missing : Tensor of shape (n_columns, d_token)
        Token of a missing number of every column.

    Returns
    -------
    tokens : Tensor of shape (B, n_columns, d_token)
    """
    absent = x.isnan()
    # To ask first is cheap on the CPU; a graphics card would have to be waited for.
    if not (x.is_cuda or torch.compiler.is_compiling() or absent.any()):
        return tokens
    return torch.where(absent[..., None], missing, tokens)
