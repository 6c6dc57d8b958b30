"""A fitted codebook and the space of rows that it lives in."""

from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.estimators.row_space import RowSpace
from sklearn_ddcl.training import one_thread
from sklearn_ddcl.training.quantization import Codebooks, squared_errors


class FittedQuantizer:
    """Answer questions about points with codebooks.

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

    def encode(self, points: np.ndarray) -> np.ndarray:
        """Return the codes of points, (n, M), in the smallest unsigned type."""
        with one_thread(), torch.inference_mode():
            return self.codebooks.encode(as_tensor(points)).numpy()

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Return the points that codes stand for, (n, d)."""
        with torch.inference_mode():
            return self.codebooks.decode(torch.from_numpy(codes)).numpy()

    def mix(self, assignments: np.ndarray) -> np.ndarray:
        """Return the points that soft assignments (n, M * K) stand for, (n, d)."""
        with one_thread(), torch.inference_mode():
            return self.codebooks.mix(torch.from_numpy(assignments)).numpy()

    def distances(self, points: np.ndarray) -> np.ndarray:
        """Return Euclidean distances of points to all codes, (n, M * K)."""
        with one_thread(), torch.inference_mode():
            return self.codebooks.distances(as_tensor(points)).sqrt_().numpy()

    def assign(self, points: np.ndarray) -> np.ndarray:
        """Return soft assignments of points, (n, M * K), M distributions a row."""
        with one_thread(), torch.inference_mode():
            distances = self.codebooks.distances(as_tensor(points))
            shape = len(points), self.codebooks.n_codebooks, self.codebooks.n_codes
            logits = -distances.reshape(shape).double()
            logits /= torch.from_numpy(self.temperatures)[:, None]
            return torch.softmax(logits, 2).flatten(1).numpy()

    def squared_errors(
        self, points: np.ndarray, codes: np.ndarray, weights: np.ndarray
    ) -> float:
        """Return the weighted sum of squared errors of points that were coded."""
        with one_thread(), torch.inference_mode():
            return squared_errors(
                self.codebooks,
                as_tensor(points),
                torch.from_numpy(codes),
                torch.from_numpy(weights),
            )

    def get_state(self) -> dict[str, Any]:
        """Return everything as plain values and NumPy arrays."""
        return {
            "space": self.space.get_state(),
            "codebooks": self.codebooks.get_state(),
            "temperatures": self.temperatures.tolist(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device) -> Self:
        """Return the quantizer that `state` describes."""
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
