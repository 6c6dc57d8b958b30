"""Two clusters of few rows with many columns: three ways to find them, and k-means."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.datasets import make_classification
from sklearn.preprocessing import StandardScaler

N_ROWS = 100
COLUMNS = (10, 50, 200, 1000, 5000)


def few_rows(n_columns: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 100 standardized rows of two classes, and the classes.

    Five of the columns tell the classes apart, the others are noise.
    """
    X, y = make_classification(
        n_samples=N_ROWS,
        n_features=n_columns,
        n_informative=5,
        n_redundant=0,
        n_clusters_per_class=1,
        class_sep=2.0,
        random_state=seed,
    )
    return StandardScaler().fit_transform(X), y


def make_solver(spec: str, seed: int) -> Any:
    """Return an estimator of two clusters with ``labels_`` and ``inertia_``."""
    return SOLVERS[spec](seed)


def _ours(seed: int, solver: str) -> Any:
    from sklearn_ddcl import DDCLQuantizer

    return DDCLQuantizer(
        2, solver=solver, precision="float64", device="cpu", random_state=seed
    )


def _kmeans(seed: int) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(2, n_init=10, random_state=seed)


SOLVERS: dict[str, Callable[[int], Any]] = {
    **{
        f"DDCLQuantizer:solver={name}": partial(_ours, solver=name)
        for name in ("em", "gradient", "dual")
    },
    "KMeans:n_init=10": _kmeans,
}
