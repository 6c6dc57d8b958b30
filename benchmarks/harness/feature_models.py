"""Features without labels before a linear classifier: ours, and the usual ones."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    QuantileTransformer,
    StandardScaler,
)

OURS = "DDCL embedding"
RIVALS = ("raw", "QuantileTransformer", "PCA", "KMeans distances")
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
# Standardized features beyond it are cut, so that no single value decides.
_FARTHEST = 10.0


class FeaturesBeforeLogistic(ClassifierMixin, BaseEstimator):
    """Features learned without labels, standardized, before logistic regression.

    The penalty is chosen by log-loss in three folds of the features of the training
    rows, so that every kind of features gets the one that suits it.

    Parameters
    ----------
    features : transformer
        Fitted in place.
    seed : int, default=0
        Of the folds.

    Attributes
    ----------
    n_columns_ : int
        Number of features.
    C_ : float
        The penalty that was chosen.
    features_cpu_ : float
        Seconds to fit the features, without the classifier.
    """

    def __init__(self, features: Any, seed: int = 0) -> None:
        self.features = features
        self.seed = seed

    def fit(self, X: Any, y: Any) -> "FeaturesBeforeLogistic":
        """Fit the features to rows, then the classifier to rows and classes."""
        began = time.process_time()
        self.features.fit(X)
        self.features_cpu_ = time.process_time() - began
        found = self._features_of(X)
        self.n_columns_ = found.shape[1]
        folds = StratifiedKFold(3, shuffle=True, random_state=self.seed)
        search = GridSearchCV(
            make_pipeline(
                StandardScaler(),
                FunctionTransformer(
                    np.clip, kw_args={"a_min": -_FARTHEST, "a_max": _FARTHEST}
                ),
                LogisticRegression(max_iter=300, tol=1e-3),
            ),
            {"logisticregression__C": PENALTIES},
            scoring="neg_log_loss",
            cv=folds,
        )
        self.classifier_ = search.fit(found, y)
        self.C_ = search.best_params_["logisticregression__C"]
        self.classes_ = search.classes_
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes."""
        return self.classifier_.predict_proba(self._features_of(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable classes."""
        return self.classes_[self.predict_proba(X).argmax(1)]

    def _features_of(self, X: Any) -> np.ndarray:
        return np.asarray(self.features.transform(X), dtype=np.float64)


def encoded(normal: bool = False) -> Any:
    """Return a transformer of tables to numbers, without any model.

    Numbers are imputed and standardized, or mapped to normal quantiles; a column with
    gaps gets a flag; categories become one-hot.
    """
    scaler = _NormalQuantiles() if normal else StandardScaler()
    numbers = make_column_selector(dtype_include="number")
    categories = OneHotEncoder(
        handle_unknown="ignore", sparse_output=False, max_categories=50
    )
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_column_transformer(
        (make_pipeline(impute, scaler), numbers),
        (MissingIndicator(features="missing-only", error_on_new=False), numbers),
        (categories, make_column_selector(dtype_include="category")),
    )


def count_columns(features: pd.DataFrame) -> int:
    """Return how many columns a table has when it is encoded."""
    return encoded().fit(features).transform(features.iloc[:1]).shape[1]


def make_features(spec: str, n_columns: int, seed: int) -> Any:
    """Return a transformer of a table to so many features, not fitted."""
    return FEATURES[spec](n_columns, seed)


def _pca(n_columns: int, seed: int) -> Any:
    from sklearn.decomposition import PCA

    return make_pipeline(encoded(), _AtMost(PCA(random_state=seed), n_columns))


def _kmeans(n_columns: int, seed: int) -> Any:
    from sklearn.cluster import KMeans

    return make_pipeline(encoded(), KMeans(n_columns, n_init=10, random_state=seed))


def _ours(n_columns: int, seed: int, output: str) -> Any:
    from sklearn_ddcl import DDCLTransformer

    size = "n_components" if output == "embedding" else "n_prototypes"
    model = DDCLTransformer(output=output, random_state=seed)
    return model.set_params(**{size: n_columns})


class _NormalQuantiles(TransformerMixin, BaseEstimator):
    """Normal scores by a thousand quantiles, or by as many as there are rows."""

    def fit(self, X: np.ndarray, y: Any = None) -> "_NormalQuantiles":
        self.scaler_ = QuantileTransformer(
            n_quantiles=min(1000, len(X)),
            output_distribution="normal",
            subsample=None,
            random_state=0,
        ).fit(X)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self.scaler_.transform(X)


class _AtMost(TransformerMixin, BaseEstimator):
    """A projection to so many components, or to as many as the rows allow."""

    def __init__(self, projection: Any, n_components: int) -> None:
        self.projection = projection
        self.n_components = n_components

    def fit(self, X: np.ndarray, y: Any = None) -> "_AtMost":
        n_components = min(self.n_components, *X.shape)
        self.projection_ = clone(self.projection).set_params(n_components=n_components)
        self.projection_.fit(X)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return self.projection_.transform(X)


FEATURES: dict[str, Callable[[int, int], Any]] = {
    "raw": lambda n_columns, seed: encoded(),
    "QuantileTransformer": lambda n_columns, seed: encoded(normal=True),
    "PCA": _pca,
    "KMeans distances": _kmeans,
    OURS: lambda n, seed: _ours(n, seed, "embedding"),
    "DDCL distances": lambda n, seed: _ours(n, seed, "distances"),
    "DDCL assignments": lambda n, seed: _ours(n, seed, "assignments"),
}
