"""Who clusters rows: ours, and the usual ones on rows encoded alike."""

from collections.abc import Callable
from functools import partial
from typing import Any

from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from .clustering_data import Labeled
from .feature_models import encoded

OURS = "ddcl"
MERGED = "ddcl:merged"
REFERENCE = "KMeans:n_init=10"
# More rows take spectral clustering too long or too much memory.
MOST_SPECTRAL_ROWS = 7000
# A full covariance of all pixels has more numbers than there are rows.
_MOST_FULL_COLUMNS = 100
_N_PIXEL_COMPONENTS = 50
_N_FINE = 128
_LEAST_ROWS_OF_FINE = 4


def make_clustering(spec: str, data: Labeled, seed: int) -> Any:
    """Return what has ``fit_predict`` or ``fit`` and ``predict``, for as many clusters
    as there are classes.
    """
    return MODELS[spec](data, seed)


def reason_to_skip(spec: str, data: Labeled, held_out: bool) -> str | None:
    """Return why a model has no result on a set, None if it has one."""
    if spec == "SpectralClustering":
        if held_out:
            return "it answers no new rows"
        if len(data.classes) > MOST_SPECTRAL_ROWS:
            return f"more than {MOST_SPECTRAL_ROWS} rows"
    if spec.endswith("quantiles") and data.same_unit:
        return "pixels need no scale of their own"
    return None


def _ours(data: Labeled, seed: int, merged: bool = False) -> Any:
    from sklearn_ddcl import DDCLTransformer

    scaling = "common" if data.same_unit else "columns"
    if not merged:
        return DDCLTransformer(data.n_classes, scaling=scaling, random_state=seed)
    n_fine = min(_N_FINE, len(data.classes) // _LEAST_ROWS_OF_FINE)
    return DDCLTransformer(
        n_fine, n_clusters=data.n_classes, scaling=scaling, random_state=seed
    )


def _kmeans(data: Labeled, seed: int, n_init: int, normal: bool = False) -> Pipeline:
    from sklearn.cluster import KMeans

    model = KMeans(data.n_classes, n_init=n_init, random_state=seed)
    return make_pipeline(_rows(data, normal), model)


def _mixture(data: Labeled, seed: int, normal: bool = False) -> Pipeline:
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    steps = [_rows(data, normal)]
    if data.features.shape[1] > _MOST_FULL_COLUMNS:
        steps.append(PCA(_N_PIXEL_COMPONENTS, random_state=seed))
    model = GaussianMixture(data.n_classes, reg_covar=1e-3, random_state=seed)
    return make_pipeline(*steps, model)


def _spectral(data: Labeled, seed: int) -> Pipeline:
    from sklearn.cluster import SpectralClustering

    model = SpectralClustering(
        data.n_classes,
        affinity="nearest_neighbors",
        n_neighbors=10,
        assign_labels="kmeans",
        random_state=seed,
    )
    return make_pipeline(_rows(data), model)


def _rows(data: Labeled, normal: bool = False) -> Any:
    return FunctionTransformer() if data.same_unit else encoded(normal)


MODELS: dict[str, Callable[[Labeled, int], Any]] = {
    OURS: _ours,
    MERGED: partial(_ours, merged=True),
    "KMeans:n_init=1": partial(_kmeans, n_init=1),
    REFERENCE: partial(_kmeans, n_init=10),
    "KMeans:n_init=10,quantiles": partial(_kmeans, n_init=10, normal=True),
    "GaussianMixture": _mixture,
    "GaussianMixture:quantiles": partial(_mixture, normal=True),
    "SpectralClustering": _spectral,
}
