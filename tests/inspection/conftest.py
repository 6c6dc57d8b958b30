"""A small fitted classifier that all pictures are drawn of."""

import pytest
from sklearn.datasets import load_iris

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.inspection import (
    ExplanationDisplay,
    PrototypeMapDisplay,
    TrainingHistoryDisplay,
)


@pytest.fixture(scope="session")
def iris():
    """Return (X, y) with class names, without giving column names."""
    bunch = load_iris()
    return bunch.data, bunch.target_names[bunch.target]


@pytest.fixture(scope="session")
def fitted(iris):
    return DDCLClassifier(n_prototypes=6, max_epochs=30, random_state=0).fit(*iris)


def draw_history(estimator, X):
    return TrainingHistoryDisplay.from_estimator(estimator)


@pytest.fixture(
    params=[
        draw_history,
        PrototypeMapDisplay.from_estimator,
        ExplanationDisplay.from_estimator,
    ],
    ids=["history", "map", "explanation"],
)
def draw(request):
    """Return a function of (estimator, X) that draws one of the displays."""
    return request.param
