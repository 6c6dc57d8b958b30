"""One or several codebooks, and the codes of rows in them."""

from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.training.quantization.passes import all_distances, nearest_codes
from sklearn_ddcl.training.quantization.rows import MaskedRows, Rows

_CHUNK = 2**16


class Codebooks:
    r"""Codebooks whose codes add up to a row.

    In product quantization every codebook stands for some of the columns; in residual
    quantization it stands for what the ones before have left over. Either way the
    reconstruction is the sum of one code of each.

    Parameters
    ----------
    books : Tensor of shape (n_codebooks, n_codes, n_columns)
        The codes, zero outside the columns that a codebook stands for.
    mass : Tensor of shape (n_codebooks, n_codes)
        Weight that was assigned to every code.
    quantization : {"product", "residual"}, default="product"
        What the codebooks stand for.
    masked : bool, default=False
        Whether rows may have missing entries, NaN.
    dtype : torch.dtype, optional
        Type that rows are compared with codes in; by default that of `books`.
    device : torch.device, optional
        Where that is done; by default where `books` are.
    """

    def __init__(
        self,
        books: Tensor,
        mass: Tensor,
        *,
        quantization: str = "product",
        masked: bool = False,
        dtype: torch.dtype | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.books = books
        self.mass = mass
        self.quantization = quantization
        self.masked = masked
        self.dtype = books.dtype if dtype is None else dtype
        self.device = books.device if device is None else device

    @property
    def n_codebooks(self) -> int:
        """Number of codebooks."""
        return self.books.shape[0]

    @property
    def n_codes(self) -> int:
        """Number of codes in each."""
        return self.books.shape[1]

    def encode(self, values: Tensor) -> Tensor:
        """Return the codes of rows.

        Parameters
        ----------
        values : Tensor of shape (n, n_columns)
            Rows.

        Returns
        -------
        codes : Tensor of shape (n, n_codebooks)
            In the smallest unsigned type. A row's codes do not depend on the rows
            beside it.
        """
        codes = torch.empty(
            len(values), self.n_codebooks, dtype=code_dtype(self.n_codes)
        )
        for part in _chunks(len(values)):
            left = values[part]
            for m in range(self.n_codebooks):
                rows, book = self._stage(m, left)
                found = nearest_codes(rows, book).cpu()
                codes[part, m] = found.to(codes.dtype)
                left = self._leave(m, left, found)
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """Return the rows that codes stand for.

        Parameters
        ----------
        codes : Tensor of shape (n, n_codebooks)
            Codes.

        Returns
        -------
        values : Tensor of shape (n, n_columns)
            Sums of one code of each codebook.
        """
        values = self.books.new_zeros(len(codes), self.books.shape[2])
        for m, book in enumerate(self.books):
            values += book[codes[:, m].long()]
        return values

    def mix(self, assignments: Tensor) -> Tensor:
        """Return the rows that soft assignments stand for.

        Parameters
        ----------
        assignments : Tensor of shape (n, n_codebooks * n_codes)
            One distribution per codebook, side by side.

        Returns
        -------
        values : Tensor of shape (n, n_columns)
            Sums of the mean codes.
        """
        return assignments.to(self.books) @ self.books.flatten(0, 1)

    def distances(self, values: Tensor) -> Tensor:
        """Return squared distances of rows, or what is left of them, to all codes.

        Parameters
        ----------
        values : Tensor of shape (n, n_columns)
            Rows.

        Returns
        -------
        distances : Tensor of shape (n, n_codebooks * n_codes)
            Those of one codebook side by side.
        """
        shape = len(values), self.n_codebooks, self.n_codes
        found = torch.empty(shape, dtype=self.dtype)
        for part in _chunks(len(values)):
            left = values[part]
            for m in range(self.n_codebooks):
                rows, book = self._stage(m, left)
                distances = all_distances(rows, book).cpu()
                found[part, m] = distances
                left = self._leave(m, left, distances.argmin(1))
        return found.flatten(1)

    def columns(self, m: int) -> slice:
        """Return the columns that a codebook stands for."""
        return columns_of(m, self.books.shape[2], self.n_codebooks, self.quantization)

    def _stage(self, m: int, values: Tensor) -> tuple[Rows, Tensor]:
        """Return rows as one codebook sees them, and its codes, both centered."""
        columns = self.columns(m)
        book = self.books[m, :, columns].to(self.device)
        center = book.mean(0)
        kind = MaskedRows if self.masked else Rows
        rows = kind(
            values[:, columns],
            dtype=self.dtype,
            device=self.device,
            center=center,
            keep=False,
        )
        return rows, (book - center).to(self.dtype)

    def _leave(self, m: int, values: Tensor, codes: Tensor) -> Tensor:
        """Return what is left of rows for the next codebook."""
        if self.quantization == "product" or m + 1 == self.n_codebooks:
            return values
        return values - self.books[m][codes].to(values)

    def get_state(self) -> dict[str, Any]:
        """Return everything as plain values and NumPy arrays."""
        return {
            "books": self.books.numpy(),
            "mass": self.mass.numpy(),
            "quantization": self.quantization,
            "masked": self.masked,
            "float64": self.dtype == torch.float64,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> Self:
        """Return the codebooks that `state` describes."""
        books, mass = (
            torch.from_numpy(np.array(state[name])) for name in ("books", "mass")
        )
        return cls(
            books,
            mass,
            quantization=state["quantization"],
            masked=state["masked"],
            dtype=torch.float64 if state["float64"] else torch.float32,
            device=device,
        )


def columns_of(m: int, n_columns: int, n_codebooks: int, quantization: str) -> slice:
    """Return the columns that one of several codebooks stands for.

    Parameters
    ----------
    m : int
        Number of the codebook, from 0.
    n_columns, n_codebooks : int
        Sizes.
    quantization : {"product", "residual"}
        Products share the columns out evenly, in order.

    Returns
    -------
    columns : slice
        Not empty, if there are as many columns as codebooks.
    """
    if quantization == "residual":
        return slice(0, n_columns)
    return slice(m * n_columns // n_codebooks, (m + 1) * n_columns // n_codebooks)


def code_dtype(n_codes: int) -> torch.dtype:
    """Return the smallest unsigned type that holds the codes of a codebook."""
    for dtype in (torch.uint8, torch.uint16):
        if n_codes - 1 <= torch.iinfo(dtype).max:
            return dtype
    return torch.uint32


def _chunks(n_rows: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, n_rows, _CHUNK)]
