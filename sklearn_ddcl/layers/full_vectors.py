"""Matrix products that round every row alike, wherever it stands in a batch."""

import torch
from torch import Tensor
from torch.nn.functional import pad

_WIDTH = 16


def full_vectors(matrix: Tensor) -> Tensor:
    """Pad the last dimension with zeros to whole vectors of the processor.

    For a right factor of odd width, such as 5 or 7 columns, kernels treat the last
    rows of a batch differently, so that a row's result depends on its position in the
    last digit. With whole vectors it does not.

    Parameters
    ----------
    matrix : Tensor of shape (..., n)
        Right factor of a product.

    Returns
    -------
    padded : Tensor of shape (..., m)
        With m the next multiple of 16; slice the product back to n columns.

    Examples
    --------
    >>> full_vectors(torch.ones(2, 5)).shape
    torch.Size([2, 16])
    """
    lacking = -matrix.shape[-1] % _WIDTH
    return pad(matrix, (0, lacking)) if lacking else matrix


def multiply_groups(x: Tensor, weight: Tensor) -> Tensor:
    """Multiply every group of vectors by a matrix of its own.

    Parameters
    ----------
    x : Tensor of shape (B, G, n)
        Vectors, G groups of them.
    weight : Tensor of shape (G, n, d)
        A matrix per group.

    Returns
    -------
    products : Tensor of shape (B, G, d)
        Rounded alike wherever a row stands.
    """
    products = torch.einsum("bgn,gnd->bgd", x, full_vectors(weight))
    return products[..., : weight.shape[-1]]
