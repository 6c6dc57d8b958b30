"""From what users hold, such as a pipeline, to the estimator that has prototypes."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def prototype_step(estimator: Any) -> Any:
    """Return the fitted estimator with prototypes that stands at the end.

    Parameters
    ----------
    estimator : estimator
        A fitted :class:`~sklearn_ddcl.DDCLClassifier`, a pipeline that ends with one,
        or a search over either.

    Returns
    -------
    step : estimator
        With prototypes and a history.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    ValueError
        If it has no prototypes.
    """
    last = last_step(estimator)
    readout = getattr(last, "readout", None)
    if readout in {"mean", "cls"}:
        raise ValueError(
            f"{type(last).__name__} with {readout=} has no prototypes to show; fit it "
            'with readout="ddcl".'
        )
    if not hasattr(last, "prototypes_"):
        raise ValueError(
            "expected a fitted DDCLClassifier, or a pipeline that ends with one, got "
            f"{type(last).__name__}, which has no prototypes."
        )
    return last


def last_step(estimator: Any) -> Any:
    """Return the fitted estimator at the end of what a user holds.

    Parameters
    ----------
    estimator : estimator
        An estimator, a pipeline that ends with one, or a search over either.

    Returns
    -------
    step : estimator
        The last one.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    check_is_fitted(estimator)
    return _steps(estimator)[-1]


def rows_for_prototype_step(estimator: Any, X: Any) -> Any:
    """Return rows as :func:`prototype_step` takes them, past the steps before it.

    Parameters
    ----------
    estimator : estimator
        As for :func:`prototype_step`.
    X : array-like or frame of shape (n_samples, n_features)
        Rows as `estimator` takes them.

    Returns
    -------
    X : array-like or frame
        As many rows.
    """
    steps = _steps(estimator)
    return steps[:-1].transform(X) if len(steps) > 1 else X


def _steps(estimator: Any) -> Pipeline:
    """Return an estimator as a pipeline, that of a fitted search included."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        return estimator
    return Pipeline([("estimator", estimator)])
