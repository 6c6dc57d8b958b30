"""What is measured of numbers of prototypes, found, given and searched for."""

import time
import warnings
from typing import Any

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from .document_data import Documents
from .feature_models import FeaturesBeforeLogistic
from .protocol import Table, evaluate, score, split_rows

COUNTERS = ("auto", "KMeans and silhouette", "Bayesian mixture")
# What rivals may choose from.
_MOST = 25
_BLOB_ROWS = 600
_EMPTY = 0.01


def measure_blobs(case: tuple[int, int, float], counter: str, seed: int) -> dict:
    """Count blobs of a known number in so many dimensions, of a given width."""
    dimensions, true, std = case
    X, _ = make_blobs(
        _BLOB_ROWS, dimensions, centers=true, cluster_std=std, random_state=seed
    )
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = _COUNT[counter](X, seed)
    return {"true": true, "found": found, "fit_cpu": time.process_time() - began}


def _count_codes(X: np.ndarray, seed: int) -> int:
    from sklearn_ddcl import DDCLQuantizer

    return DDCLQuantizer("auto", random_state=seed).fit(X).n_prototypes_


def _count_by_silhouette(X: np.ndarray, seed: int) -> int:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    scores = {}
    for k in range(2, _MOST + 1):
        labels = KMeans(k, n_init=3, random_state=seed).fit_predict(X)
        scores[k] = silhouette_score(X, labels)
    return max(scores, key=scores.__getitem__)


def _count_by_mixture(X: np.ndarray, seed: int) -> int:
    from sklearn.mixture import BayesianGaussianMixture

    model = BayesianGaussianMixture(
        n_components=_MOST, covariance_type="spherical", max_iter=300, random_state=seed
    )
    return int((model.fit(X).weights_ > _EMPTY).sum())


_COUNT = {
    "auto": _count_codes,
    "KMeans and silhouette": _count_by_silhouette,
    "Bayesian mixture": _count_by_mixture,
}


def measure_codebook(X: np.ndarray, size: str, seed: int) -> dict[str, Any]:
    """Return mean squared errors per column of known and of fresh rows."""
    from sklearn_ddcl import DDCLQuantizer

    train, test = train_test_split(X, test_size=0.25, random_state=seed)
    began = time.process_time()
    quantizer = DDCLQuantizer(_size(size), random_state=seed).fit(train)
    fit_cpu = time.process_time() - began
    return {
        "n": len(train),
        "n_prototypes": quantizer.n_prototypes_,
        "train_error": -quantizer.score(train) / train.size,
        "test_error": -quantizer.score(test) / test.size,
        "fit_cpu": fit_cpu,
    }


def measure_classifier(table: Table, size: str, seed: int) -> dict[str, Any]:
    """Score a classifier; ``held_out`` is what it knows of its own log-loss."""
    from sklearn_ddcl import DDCLClassifier

    made: list[Any] = []

    def make() -> Any:
        made.append(DDCLClassifier(_size(size), random_state=seed))
        return made[0]

    train, test = split_rows(table.classes, seed)
    result = evaluate(make, table, train, test)
    model = made[0]
    if "error" not in result:
        result["n_prototypes"] = model.n_prototypes_
        result["held_out"] = float(np.nanmin(model.history_["valid_loss"]))
        result["n_classes"] = len(model.classes_)
        result["used"] = mean_used(model.assign(table.features.iloc[test]))
    return result


def mean_used(assignments: np.ndarray) -> float:
    """Return how many prototypes answer for a row, by perplexity, on the average."""
    logs = np.log(np.maximum(assignments, 1e-30))
    return float(np.exp(-(assignments * logs).sum(1)).mean())


def measure_features(table: Table, model: str, seed: int) -> dict[str, Any]:
    """Score logistic regression on what a transformer makes of the rows."""
    from sklearn_ddcl import DDCLTransformer

    output, size = model.split()
    made: list[FeaturesBeforeLogistic] = []

    def make() -> FeaturesBeforeLogistic:
        transformer = DDCLTransformer(_size(size), output=output, random_state=seed)
        made.append(FeaturesBeforeLogistic(transformer, seed))
        return made[0]

    result = evaluate(make, table, *split_rows(table.classes, seed))
    if "error" not in result:
        result["n_prototypes"] = made[0].features.n_prototypes_
        result["features_cpu"] = made[0].features_cpu_
    return result


def measure_documents(documents: Documents, sizes: str, seed: int) -> dict[str, Any]:
    """Score logistic regression on vectors of documents, learned without classes."""
    from sklearn_ddcl import DDCLDocumentCompressor

    train, test = split_rows(documents.classes, seed)
    levels = tuple(_size(size) for size in sizes.split(","))
    model = DDCLDocumentCompressor(
        levels, segment_length=4, supervised=False, random_state=seed
    )
    began = time.process_time()
    model.fit([documents.tokens[i] for i in train])
    fit_cpu = time.process_time() - began
    vectors = model.transform(documents.tokens)
    classifier = LogisticRegression(C=10.0, max_iter=300, tol=1e-3)
    classifier.fit(vectors[train], documents.classes[train])
    found = score(documents.classes[test], classifier.predict_proba(vectors[test]))
    return found | {
        "n_prototypes": list(model.n_prototypes_),
        "width": vectors.shape[1],
        "fit_cpu": fit_cpu,
    }


def _size(text: str) -> int | str:
    return text if text == "auto" else int(text)
