"""Rows to codes and back, by codebooks in the latent space of an autoencoder."""

from typing import Any, Self

import numpy as np
import torch

from sklearn_ddcl.estimators.fitted_autoencoder import FittedAutoencoder
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.estimators.table_space import TableSpace
from sklearn_ddcl.functional import min_prototype_distance
from sklearn_ddcl.training.quantization import code_dtype


class LearnedCoder:
    """Answer questions about rows with an autoencoder and its codebooks.

    What :meth:`read` returns is what the other methods take as rows; here encoded
    tables.

    Parameters
    ----------
    space : TableSpace
        Turns tables into what the autoencoder sees.
    autoencoder : FittedAutoencoder
        Encoder, codebooks and decoder.
    mass : ndarray of shape (n_codebooks, n_codes)
        Weight that every code stood for.
    """

    def __init__(
        self, space: TableSpace, autoencoder: FittedAutoencoder, mass: np.ndarray
    ) -> None:
        self.space = space
        self.autoencoder = autoencoder
        self.mass = mass

    @classmethod
    def fitted_to(
        cls,
        space: TableSpace,
        autoencoder: FittedAutoencoder,
        rows: EncodedTable,
        weights: np.ndarray,
    ) -> Self:
        """Return a coder that knows how some rows use the codes.

        Parameters
        ----------
        space : TableSpace
            Turns tables into what the autoencoder sees.
        autoencoder : FittedAutoencoder
            Encoder, codebooks and decoder.
        rows : EncodedTable
            Rows.
        weights : ndarray of shape (n,)
            Their importance.

        Returns
        -------
        coder : LearnedCoder
        """
        n_codes = autoencoder.prototypes.shape[1]
        codes = autoencoder.encode(rows)
        mass = [np.bincount(own, weights, minlength=n_codes) for own in codes.T]
        return cls(space, autoencoder, np.array(mass))

    @property
    def network(self) -> torch.nn.Module:
        """The network, which training changes in place."""
        return self.autoencoder.network

    @property
    def books(self) -> np.ndarray:
        """The codes, (M, K, d)."""
        return self.autoencoder.prototypes

    @property
    def temperatures(self) -> np.ndarray:
        """Of the soft assignments, (M,)."""
        return self.autoencoder.temperature.astype(np.float64)

    @property
    def min_distances(self) -> np.ndarray:
        """Smallest distance between two codes of each codebook, (M,)."""
        books = torch.from_numpy(self.books).double()
        return np.array([float(min_prototype_distance(book)) for book in books])

    def read(self, estimator: Any, X: Any) -> EncodedTable:
        """Return the rows of a table as the autoencoder sees them."""
        return self.space.transform(estimator, X)

    def encode(self, rows: EncodedTable) -> np.ndarray:
        """Return the codes of rows, (n, M), in the smallest unsigned type."""
        codes = torch.from_numpy(self.autoencoder.encode(rows))
        return codes.to(code_dtype(self.books.shape[1])).numpy()

    def decode(self, codes: np.ndarray, dtype: Any) -> Any:
        """Return the table that codes (n, M) stand for."""
        return self._inverse(self.autoencoder.decode(codes), dtype)

    def mix(self, assignments: np.ndarray, dtype: Any) -> Any:
        """Return the table that soft assignments (n, M * K) stand for."""
        shape = len(assignments), *self.books.shape[:2]
        own = assignments.reshape(shape)
        return self._inverse(self.autoencoder.decode_assignments(own), dtype)

    def distances(self, rows: EncodedTable) -> np.ndarray:
        """Return Euclidean distances of latents to all codes, (n, M * K)."""
        squared = self.autoencoder.distances(rows)
        return np.sqrt(squared).reshape(len(squared), -1)

    def assign(self, rows: EncodedTable) -> np.ndarray:
        """Return soft assignments of rows, (n, M * K), M distributions a row."""
        own = self.autoencoder.assign(rows).astype(np.float64)
        own /= own.sum(2, keepdims=True)
        return own.reshape(len(own), -1)

    def squared_errors(
        self, rows: EncodedTable, codes: np.ndarray, weights: np.ndarray
    ) -> float:
        """Return the weighted sum of what is lost of rows by their codes.

        Squared errors in the units of a table of numbers; of a table with categories
        the squared errors of standardized numbers and the nats of categories.
        """
        return self._loss(rows, weights, soft=False)

    def hardening_gap(
        self, rows: EncodedTable, weights: np.ndarray, error: float
    ) -> float:
        """Return the share of the error of hard codes that soft assignments spare."""
        soft = self._loss(rows, weights, soft=True)
        return 1 - soft / error if error > 0 else 0.0

    def _loss(self, rows: EncodedTable, weights: np.ndarray, *, soft: bool) -> float:
        losses = self.autoencoder.losses(rows, soft=soft).astype(np.float64)
        n_columns = rows.numbers.shape[1] + rows.codes.shape[1]
        return float(weights @ losses) * n_columns * self.space.scale**2

    def _inverse(self, encoded: EncodedTable, dtype: Any) -> Any:
        rows = self.space.inverse(encoded)
        return rows.astype(dtype) if isinstance(rows, np.ndarray) else rows

    def get_state(self) -> dict[str, Any]:
        """Return everything as plain values and NumPy arrays."""
        return {
            "space": self.space.get_state(),
            "autoencoder": self.autoencoder.get_state(),
            "mass": self.mass,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> Self:
        """Return the coder that `state` describes."""
        return cls(
            TableSpace.from_state(state["space"]),
            FittedAutoencoder.from_state(state["autoencoder"], device),
            np.array(state["mass"]),
        )
