"""Residual codebooks fitted to the rows all at once."""

import torch
from torch import Tensor

from sklearn_ddcl.training.quantization.codebooks import Codebooks
from sklearn_ddcl.training.quantization.errors import squared_errors
from sklearn_ddcl.training.quantization.passes import weigh

_ROUNDS = 10
_GAIN = 1e-3
_RIDGE = 1e-6
_CHUNK = 2**14


def refine_jointly(
    codebooks: Codebooks, values: Tensor, weights: Tensor | None
) -> Codebooks:
    """Improve residual codebooks by fitting all of them to the rows at once.

    With the codes of all rows held, the best codebooks solve one least-squares problem;
    then rows are encoded anew. This goes on as long as the distortion falls.

    Parameters
    ----------
    codebooks : Codebooks
        Fitted one after the other.
    values : Tensor of shape (n_rows, n_columns)
        Rows without missing entries.
    weights : Tensor of shape (n_rows,) or None
        Importance of the rows.

    Returns
    -------
    codebooks : Codebooks
        At least as good.
    """
    codes = codebooks.encode(values)
    best = squared_errors(codebooks, values, codes, weights)
    for _ in range(_ROUNDS):
        books = _least_squares(codebooks, values, codes, weights)
        mass = torch.stack(
            [weigh(column, weights, codebooks.n_codes) for column in codes.T.long()]
        )
        tried = Codebooks(
            books,
            mass.to(books),
            quantization=codebooks.quantization,
            dtype=codebooks.dtype,
            device=codebooks.device,
        )
        codes = tried.encode(values)
        error = squared_errors(tried, values, codes, weights)
        if not error < best * (1 - _GAIN):
            break
        codebooks, best = tried, error
    mass = torch.stack(
        [
            weigh(column, weights, codebooks.n_codes)
            for column in codebooks.encode(values).T.long()
        ]
    )
    codebooks.mass = mass.to(codebooks.books)
    return codebooks


def _least_squares(
    codebooks: Codebooks, values: Tensor, codes: Tensor, weights: Tensor | None
) -> Tensor:
    """Return the codebooks whose sums are nearest to rows with given codes."""
    n_books, n_codes = codebooks.n_codebooks, codebooks.n_codes
    size = n_books * n_codes
    normal = torch.zeros(size * size, dtype=torch.float64)
    right = torch.zeros(size, values.shape[1], dtype=torch.float64)
    for start in range(0, len(values), _CHUNK):
        part = slice(start, start + _CHUNK)
        columns = codes[part].long() + n_codes * torch.arange(n_books)
        counts = torch.ones(len(columns), dtype=torch.float64)
        counts = counts if weights is None else weights[part].double()
        weighted = values[part].double() * counts[:, None]
        for i in range(n_books):
            right.index_add_(0, columns[:, i], weighted)
            for j in range(n_books):
                normal.index_add_(0, columns[:, i] * size + columns[:, j], counts)
    normal = normal.reshape(size, size)
    # What one codebook gains the others may lose; unused codes stay where they are.
    ridge = _RIDGE * normal.diagonal().mean()
    normal.diagonal().add_(ridge)
    before = codebooks.books.flatten(0, 1).double()
    books = torch.linalg.solve(normal, right + ridge * before)
    return books.reshape(n_books, n_codes, -1).to(codebooks.books)
