"""Prototypes that share rows, merged into clusters."""

import numpy as np
from sklearn.cluster import spectral_clustering
from sklearn.utils import check_random_state

_NEAREST = 5
_FAINT = 1e-6


def merge_prototypes(
    squared_distances: np.ndarray,
    between: np.ndarray,
    weights: np.ndarray,
    n_clusters: int,
    seed: int,
) -> np.ndarray:
    """Return the cluster of every prototype.

    Two prototypes belong together if many rows lie between them: each row is shared
    by its nearest prototypes, and those that share rows are joined. The graph is
    cut where the fewest joints are.

    Parameters
    ----------
    squared_distances : ndarray of shape (n, K)
        Of rows to the prototypes.
    between : ndarray of shape (K, K)
        Squared distances between the prototypes.
    weights : ndarray of shape (n,)
        Importance of the rows.
    n_clusters : int
        Number of clusters, at most K.
    seed : int
        Seed of the cut.

    Returns
    -------
    clusters : ndarray of shape (K,), int64
        Numbered by their lowest prototype.

    References
    ----------
    .. [1] P. Barbiero, G. Ciravegna, V. Randazzo, E. Pasero and G. Cirrincione,
       "Topological gradient-based competitive learning", arXiv:2008.09477, 2020.
    .. [2] U. von Luxburg, "A tutorial on spectral clustering", Statistics and Computing
       17(4), 2007.
    """
    n_prototypes = squared_distances.shape[1]
    if n_clusters >= n_prototypes:
        return np.arange(n_prototypes)
    shares = share_rows(squared_distances)
    mass = weights @ shares
    joint = shares.T @ (shares * weights[:, None])
    norm = np.sqrt(np.maximum(mass, 1e-12))
    # Pieces that share no rows are joined a little all the same, the more the nearer:
    # the cut needs a graph of one piece.
    nearness = np.exp(-between / max(np.median(between), 1e-12))
    affinity = joint / (norm[:, None] * norm) + _FAINT * nearness
    labels = spectral_clustering(
        affinity,
        n_clusters=n_clusters,
        assign_labels="cluster_qr",
        random_state=check_random_state(seed),
    )
    _, first = np.unique(labels, return_index=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[labels]


def share_rows(squared_distances: np.ndarray) -> np.ndarray:
    """Return how each row is shared by its nearest prototypes, (n, K).

    Parameters
    ----------
    squared_distances : ndarray of shape (n, K)
        Of rows to the prototypes.

    Returns
    -------
    shares : ndarray of shape (n, K)
        Rows sum to one; zero but for the nearest five.
    """
    n_prototypes = squared_distances.shape[1]
    n_nearest = min(_NEAREST, n_prototypes)
    nearest = np.argsort(squared_distances, axis=1, kind="stable")
    gaps = np.take_along_axis(squared_distances, nearest, axis=1)
    # As soft as the row is far from prototypes that do not share it.
    reach = (gaps[:, [min(n_nearest, n_prototypes - 1)]] - gaps[:, [0]]) / 2 + 1e-12
    q = np.exp(-(gaps[:, :n_nearest] - gaps[:, [0]]) / reach)
    shares = np.zeros_like(squared_distances)
    q /= q.sum(1, keepdims=True)
    np.put_along_axis(shares, nearest[:, :n_nearest], q, axis=1)
    return shares
