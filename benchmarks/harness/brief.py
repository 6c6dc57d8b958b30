"""Fits of a few epochs, whose time matters and whose quality does not."""

import warnings
from typing import Any

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.training import CollapseWarning, TimeScaleWarning


def fit_briefly(X: Any, y: Any, n_epochs: int, **params: Any) -> DDCLClassifier:
    """Return a classifier fitted on the CPU, without warnings of its brevity."""
    estimator = DDCLClassifier(
        max_epochs=n_epochs, device="cpu", random_state=0, **params
    )
    with warnings.catch_warnings():
        for category in (CollapseWarning, TimeScaleWarning):
            warnings.simplefilter("ignore", category)
        return estimator.fit(X, y)
