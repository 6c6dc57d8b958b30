"""Pipelines from numbers to a linear classifier by way of a codebook."""

from collections.abc import Callable
from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


class OneHotCodes(TransformerMixin, BaseEstimator):
    """The code of every row, one-hot.

    Parameters
    ----------
    codebook : estimator with ``fit`` and ``predict``
        Fitted in place.
    n_codes : int
        Size of the codebook.
    """

    def __init__(self, codebook: Any, n_codes: int) -> None:
        self.codebook = codebook
        self.n_codes = n_codes

    def fit(self, X: Any, y: Any = None) -> "OneHotCodes":
        """Fit the codebook."""
        self.codebook.fit(X)
        self.encoder_ = OneHotEncoder(categories=[range(self.n_codes)])
        self.encoder_.fit([[0]])
        return self

    def transform(self, X: Any) -> Any:
        """Return a sparse matrix of shape (n_rows, n_codes)."""
        return self.encoder_.transform(self.codebook.predict(X)[:, None].astype(int))


def make_pipeline_with(spec: str, n_codes: int, seed: int) -> Any:
    """Return scaler, codebook and logistic regression; the classifier is the same."""
    step = STEPS[spec](n_codes, seed)
    parts = [StandardScaler(), *([] if step is None else [step])]
    return make_pipeline(*parts, LogisticRegression(max_iter=1000))


def _kmeans(n_codes: int, seed: int) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(n_codes, n_init=10, random_state=seed)


def _ours(n_codes: int, seed: int, output: str = "codes") -> Any:
    from sklearn_ddcl import DDCLQuantizer

    return DDCLQuantizer(n_codes, output=output, device="cpu", random_state=seed)


# The first has no codebook; it tells what the others add.
STEPS: dict[str, Callable[[int, int], Any]] = {
    "columns alone": lambda n_codes, seed: None,
    "KMeans distances": _kmeans,
    "KMeans one-hot": lambda n, seed: OneHotCodes(_kmeans(n, seed), n),
    "DDCL distances": lambda n, seed: _ours(n, seed, "distances"),
    "DDCL assignments": lambda n, seed: _ours(n, seed, "assignments"),
    "DDCL one-hot": lambda n, seed: OneHotCodes(_ours(n, seed), n),
}
