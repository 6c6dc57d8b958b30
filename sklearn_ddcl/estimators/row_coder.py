"""Rows to codes and back, by codebooks in the space of the rows themselves."""

from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.estimators.row_space import RowSpace, check_squares
from sklearn_ddcl.functional import min_prototype_distance
from sklearn_ddcl.training import one_thread
from sklearn_ddcl.training.quantization import (
    Codebooks,
    assignment_temperature,
    squared_errors,
)

_CHUNK = 2**14


class RowCoder:
    """Answer questions about rows with codebooks.

    What :meth:`read` returns is what the other methods take as rows; here points, one
    number per dimension.

    Parameters
    ----------
    space : RowSpace
        Turns tables into points.
    codebooks : Codebooks
        The codes.
    temperatures : ndarray of shape (n_codebooks,)
        Of the soft assignments.
    """

    def __init__(
        self, space: RowSpace, codebooks: Codebooks, temperatures: np.ndarray
    ) -> None:
        self.space = space
        self.codebooks = codebooks
        self.temperatures = temperatures

    @classmethod
    def fitted_to(
        cls,
        space: RowSpace,
        codebooks: Codebooks,
        points: np.ndarray,
        weights: np.ndarray,
    ) -> Self:
        """Return a coder whose temperatures suit some rows best.

        Parameters
        ----------
        space : RowSpace
            Turns tables into points.
        codebooks : Codebooks
            The codes.
        points : ndarray of shape (n, d)
            Rows.
        weights : ndarray of shape (n,)
            Their importance.

        Returns
        -------
        coder : RowCoder
            See :func:`assignment_temperature`.
        """
        coder = cls(space, codebooks, np.ones(codebooks.n_codebooks))
        errors = np.zeros(codebooks.n_codebooks)
        for start in range(0, len(points), _CHUNK):
            part = slice(start, start + _CHUNK)
            left, codes = points[part], coder.encode(points[part])
            for m in range(codebooks.n_codebooks):
                columns = codebooks.columns(m)
                after = left[:, columns] - coder.books[m][codes[:, m]][:, columns]
                squares = after.astype(np.float64) ** 2
                errors[m] += weights[part] @ coder._masked(squares)
                if codebooks.quantization == "residual":
                    left = after
        widths = [
            len(range(*codebooks.columns(m).indices(points.shape[1])))
            for m in range(codebooks.n_codebooks)
        ]
        found = [
            assignment_temperature(error, weights.sum(), width)
            for error, width in zip(errors, widths, strict=True)
        ]
        coder.temperatures = np.array(found)
        return coder

    @property
    def books(self) -> np.ndarray:
        """The codes, (M, K, d)."""
        return self.codebooks.books.numpy()

    @property
    def mass(self) -> np.ndarray:
        """Weight that every code stood for, (M, K), float64."""
        return self.codebooks.mass.double().numpy()

    @property
    def min_distances(self) -> np.ndarray:
        """Smallest distance between two codes of each codebook, (M,)."""
        books = self.codebooks
        return np.array(
            [
                float(min_prototype_distance(book[:, books.columns(m)].double()))
                for m, book in enumerate(books.books)
            ]
        )

    def read(self, estimator: Any, X: Any) -> np.ndarray:
        """Return the rows of a table as points, (n, d)."""
        points = self.space.transform(estimator, X)
        # What the first codes stand for; they are zero in columns of other codebooks.
        first = self.books[:, 0].sum(0)
        check_squares(points, points.shape[1], self.codebooks.dtype, first)
        return points

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """Return the codes of rows, (n, M), in the smallest unsigned type."""
        with one_thread(), torch.inference_mode():
            return self.codebooks.encode(as_tensor(rows)).numpy()

    def decode(self, codes: np.ndarray, dtype: Any) -> Any:
        """Return the table that codes (n, M) stand for."""
        with torch.inference_mode():
            points = self.codebooks.decode(torch.from_numpy(codes)).numpy()
        return self.space.inverse(points.astype(dtype))

    def mix(self, assignments: np.ndarray, dtype: Any) -> Any:
        """Return the table that soft assignments (n, M * K) stand for."""
        with one_thread(), torch.inference_mode():
            points = self.codebooks.mix(torch.from_numpy(assignments)).numpy()
        return self.space.inverse(points.astype(dtype))

    def distances(self, rows: np.ndarray) -> np.ndarray:
        """Return Euclidean distances of rows to all codes, (n, M * K)."""
        with one_thread(), torch.inference_mode():
            return self.codebooks.distances(as_tensor(rows)).sqrt_().numpy()

    def assign(self, rows: np.ndarray) -> np.ndarray:
        """Return soft assignments of rows, (n, M * K), M distributions a row."""
        with one_thread(), torch.inference_mode():
            distances = self.codebooks.distances(as_tensor(rows))
            shape = len(rows), self.codebooks.n_codebooks, self.codebooks.n_codes
            logits = -distances.reshape(shape).double()
            logits /= torch.from_numpy(self.temperatures)[:, None]
            return torch.softmax(logits, 2).flatten(1).numpy()

    def squared_errors(
        self, rows: np.ndarray, codes: np.ndarray, weights: np.ndarray
    ) -> float:
        """Return the weighted sum of squared errors of rows that were coded."""
        with one_thread(), torch.inference_mode():
            return squared_errors(
                self.codebooks,
                as_tensor(rows),
                torch.from_numpy(codes),
                torch.from_numpy(weights),
            )

    def _masked(self, squares: np.ndarray) -> np.ndarray:
        if not self.codebooks.masked:
            return squares.sum(1)
        n_present = np.maximum(1, (~np.isnan(squares)).sum(1))
        return np.nansum(squares, axis=1) * (squares.shape[1] / n_present)

    def get_state(self) -> dict[str, Any]:
        """Return everything as plain values and NumPy arrays."""
        return {
            "space": self.space.get_state(),
            "codebooks": self.codebooks.get_state(),
            "temperatures": self.temperatures.tolist(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> Self:
        """Return the coder that `state` describes."""
        return cls(
            RowSpace.from_state(state["space"]),
            Codebooks.from_state(state["codebooks"], device),
            np.array(state["temperatures"], dtype=np.float64),
        )


def as_tensor(points: np.ndarray) -> Tensor:
    """Return points as a tensor that shares their memory where torch allows it.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Not written to.

    Returns
    -------
    points : Tensor of shape (n, d)
        A copy of arrays that are read-only or have a negative stride.
    """
    shared = points.flags.writeable and min(points.strides, default=0) >= 0
    return torch.from_numpy(points if shared else points.copy())
