"""Points in the plane that shows most of their spread."""

from typing import NamedTuple

import numpy as np


class Projection(NamedTuple):
    """Principal component analysis in two dimensions."""

    center: np.ndarray
    """(d,)"""
    directions: np.ndarray
    """(2, d); zero where the points do not spread any further."""
    explained: np.ndarray
    """(2,), share of the variance along each direction; at most 1 in sum."""

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Return points (n, d) in the plane, (n, 2)."""
        return (points - self.center) @ self.directions.T


def principal_plane(points: np.ndarray) -> Projection:
    """Return the plane in which points spread most.

    The sign of each direction is chosen so that its largest entry is positive: the
    same points always give the same picture.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        At least one point.

    Returns
    -------
    projection : Projection
        Through the mean of the points.

    Examples
    --------
    >>> import numpy as np
    >>> plane = principal_plane(np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]))
    >>> plane.explained.tolist()
    [1.0, 0.0]
    """
    center = points.mean(0)
    n_dims = points.shape[1]
    scatter = (points - center).T @ (points - center)
    variances, vectors = np.linalg.eigh(scatter)
    order = np.argsort(-variances)[:2]
    variances, vectors = variances[order].clip(0), vectors[:, order].T

    directions, explained = np.zeros((2, n_dims)), np.zeros(2)
    total = np.trace(scatter)
    for i, (variance, vector) in enumerate(zip(variances, vectors, strict=True)):
        if variance > 1e-12 * total:
            directions[i] = vector * np.sign(vector[np.abs(vector).argmax()])
            explained[i] = variance / total
    return Projection(center, directions, explained)
