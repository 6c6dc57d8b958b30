"""What rows are like among their neighbors."""

from typing import NamedTuple, Self

import numpy as np
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

N_NEIGHBORS = 10
_SCALE_NEIGHBOR = 7
STEPS = (4, 16)
"""How often rows are averaged over their neighbors, nearly the row and its region."""


class Frame(NamedTuple):
    """Where smoothed rows lie and how far they spread, for every size."""

    centers: np.ndarray
    """(S, D), means."""
    scales: np.ndarray
    """(S,), roots of the mean variances."""

    @classmethod
    def of(cls, smoothed: np.ndarray, weights: np.ndarray) -> Self:
        """Return the frame in which smoothed rows (n, S, D) are standardized."""
        shares = weights / weights.sum()
        centers = np.einsum("n,nsd->sd", shares, smoothed)
        squares = (smoothed - centers) ** 2
        scales = np.sqrt(np.einsum("n,nsd->s", shares, squares) / smoothed.shape[2])
        return cls(centers, np.where(scales < 1e-12, 1.0, scales))

    def standardize(self, smoothed: np.ndarray) -> np.ndarray:
        """Return smoothed rows (n, S, D) relative to the frame."""
        return (smoothed - self.centers) / self.scales[:, None]


def transitions(
    rows: np.ndarray, weights: np.ndarray, n_neighbors: int = N_NEIGHBORS
) -> sparse.csr_array:
    r"""Return how much each row takes in of itself and of its neighbors.

    Rows :math:`i, j`, of which one is among the nearest of the other, are joined with
    :math:`w_j \exp(-\lVert x_i - x_j \rVert^2 / s_i s_j)`, where :math:`s_i` is the
    distance of the seventh neighbor, so that dense and thin regions are treated alike.

    Parameters
    ----------
    rows : ndarray of shape (n, D)
        Different rows.
    weights : ndarray of shape (n,)
        Their importance, positive.
    n_neighbors : int, default=10
        Neighbors of each row.

    Returns
    -------
    transitions : csr_array of shape (n, n)
        Rows sum to one.

    References
    ----------
    .. [1] L. Zelnik-Manor and P. Perona, "Self-tuning spectral clustering", NeurIPS
       2004.
    .. [2] R. R. Coifman and S. Lafon, "Diffusion maps", Applied and Computational
       Harmonic Analysis 21(1), 2006.
    """
    n_rows = len(rows)
    k = min(n_neighbors, n_rows - 1)
    if k < 1:
        return sparse.csr_array(np.ones((n_rows, n_rows)))
    search = NearestNeighbors(n_neighbors=k).fit(rows)
    distances, neighbors = search.kneighbors()
    scales = distances[:, min(_SCALE_NEIGHBOR, k) - 1]
    scales = np.maximum(scales, 1e-12)
    affinities = np.exp(-(distances**2) / (scales[:, None] * scales[neighbors]))
    shape = (n_rows, n_rows)
    starts = np.arange(0, n_rows * k + 1, k)
    graph = sparse.csr_array((affinities.ravel(), neighbors.ravel(), starts), shape)
    graph = graph.maximum(graph.T) + sparse.eye_array(n_rows)
    graph = graph.tocsr() @ sparse.diags_array(weights)
    return sparse.csr_array(sparse.diags_array(1 / graph.sum(1)) @ graph)


def smooth(
    rows: np.ndarray,
    weights: np.ndarray,
    steps: tuple[int, ...] = STEPS,
    n_neighbors: int = N_NEIGHBORS,
) -> np.ndarray:
    """Average rows over their neighbors, again and again.

    Parameters
    ----------
    rows : ndarray of shape (n, D)
        Different rows.
    weights : ndarray of shape (n,)
        Their importance, positive.
    steps : tuple of int, default=(4, 16)
        After how many times the result is kept, increasing.
    n_neighbors : int, default=10
        Neighbors of each row.

    Returns
    -------
    smoothed : ndarray of shape (n, S, D)
        One result for every number of steps.
    """
    matrix = transitions(rows, weights, n_neighbors)
    smoothed = np.empty((len(rows), len(steps), rows.shape[1]))
    now = rows
    for step in range(1, max(steps) + 1):
        now = matrix @ now
        if step in steps:
            smoothed[:, steps.index(step)] = now
    return smoothed
