"""Who makes codebooks of rows: ours with options, and the usual ones."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

OURS = "ddcl"
REFERENCE = "KMeans:n_init=10"
QUICK_REFERENCE = "KMeans:n_init=1"
RELOCATIONS = (0, 1, 2, 5)


class Codebook(NamedTuple):
    """What a fit leaves."""

    codes: np.ndarray
    """(K, d)."""
    n_passes: int
    """Passes over the rows; of KMeans, of the best of its runs."""


def fit_codebook(spec: str, X: np.ndarray, n_codes: int, seed: int) -> Codebook:
    """Fit one of the competitors to rows of float32 or float64, and in their type."""
    return COMPETITORS[spec](X, n_codes, seed)


def _ours(X: np.ndarray, n_codes: int, seed: int, **params: Any) -> Codebook:
    from sklearn_ddcl import DDCLQuantizer

    params |= {"precision": str(X.dtype), "device": "cpu", "random_state": seed}
    model = DDCLQuantizer(n_codes, **params).fit(X)
    return Codebook(model.cluster_centers_, model.n_iter_)


def _kmeans(X: np.ndarray, n_codes: int, seed: int, n_init: int) -> Codebook:
    from sklearn.cluster import KMeans

    model = KMeans(n_codes, n_init=n_init, random_state=seed).fit(X)
    return Codebook(model.cluster_centers_, model.n_iter_)


def _minibatch(X: np.ndarray, n_codes: int, seed: int) -> Codebook:
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(n_codes, n_init=3, random_state=seed).fit(X)
    return Codebook(model.cluster_centers_, model.n_iter_)


COMPETITORS: dict[str, Callable[[np.ndarray, int, int], Codebook]] = {
    OURS: _ours,
    **{
        f"{OURS}:n_relocations={n}": partial(_ours, n_relocations=n)
        for n in RELOCATIONS
    },
    **{f"KMeans:n_init={n}": partial(_kmeans, n_init=n) for n in (1, 3, 10, 30)},
    "MiniBatchKMeans": _minibatch,
}
