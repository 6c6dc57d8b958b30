"""Sample and class weights."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight


def check_weights(sample_weight: Any, n_samples: int) -> np.ndarray:
    """Return sample weights as float64, all ones for None.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), number or None
        Importance of the rows.
    n_samples : int
        How many there must be.

    Returns
    -------
    weights : ndarray of shape (n_samples,)
        Finite, non-negative, not all zero.

    Raises
    ------
    ValueError
        If they are not.
    """
    if sample_weight is None:
        return np.ones(n_samples)
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(n_samples, weights)
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got shape {weights.shape}."
        )
    if len(weights) != n_samples:
        raise ValueError(
            f"sample_weight has {len(weights)} values, expected one for each of the "
            f"{n_samples} samples."
        )
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(
            "Negative values or NaN or infinity in data passed to `sample_weight`; "
            "expected finite, non-negative numbers."
        )
    if not weights.any():
        raise ValueError("Sample weights are all zero; at least one must be positive.")
    return weights


def apply_class_weight(
    class_weight: Any, classes: np.ndarray, codes: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return sample weights multiplied by the weights of their classes.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        As in scikit-learn. "balanced" gives every class the same total weight, counted
        in sample weights.
    classes : ndarray of shape (n_classes,)
        Class labels.
    codes : ndarray of shape (n_samples,)
        Class index of every row.
    weights : ndarray of shape (n_samples,)
        Sample weights.

    Returns
    -------
    weights : ndarray of shape (n_samples,)
        Products.

    Raises
    ------
    ValueError
        If a class weight is negative or not finite, or no row is left.
    """
    if class_weight is None:
        return weights
    if isinstance(class_weight, str):
        totals = np.bincount(codes, weights, minlength=len(classes))
        present = totals > 0
        factors = np.zeros(len(classes))
        factors[present] = weights.sum() / (present.sum() * totals[present])
    else:
        factors = compute_class_weight(class_weight, classes=classes, y=classes[codes])
    weights = weights * factors[codes]
    if not np.isfinite(factors).all() or (factors < 0).any() or not weights.any():
        raise ValueError(
            f"class_weight={class_weight!r} must be finite, non-negative numbers, and "
            "positive for a class that occurs."
        )
    return weights


def check_labels(y: Any, n_samples: int) -> np.ndarray:
    """Return labels as a one-dimensional array without missing values.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of any kind that can be sorted.
    n_samples : int
        How many there must be.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        The labels.

    Raises
    ------
    ValueError
        If they are missing, of another number or not discrete.
    """
    if y is None:
        raise ValueError(
            "requires y to be passed, but the target y is None; give one label per row."
        )
    if hasattr(y, "to_numpy") and getattr(y, "ndim", 1) == 1:
        y = y.to_numpy()
    labels = column_or_1d(y, warn=True)
    if len(labels) != n_samples:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[n_samples, len(labels)]}; y must have one label per row of X."
        )
    # Of a list as given: NumPy makes the string "nan" of a NaN among strings.
    missing = np.ravel(pd.isna(y if isinstance(y, list) else labels))
    if labels.dtype.kind == "f":
        missing = missing | np.isinf(labels)
    if missing.any():
        raise ValueError(
            f"Input y contains NaN, infinity or None at row {missing.argmax()}; drop "
            "rows without a label."
        )
    kind = pd.api.types.infer_dtype(labels) if labels.dtype.kind == "O" else None
    if kind in ("integer", "boolean"):
        # scikit-learn does not know what to make of these as objects.
        labels = np.array(labels.tolist())
    return labels
