"""How good predicted probabilities are."""

import numpy as np

N_BINS = 15


def accuracy(proba: np.ndarray, y: np.ndarray) -> float:
    """Return the share of rows whose most probable class is right.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    y : ndarray of shape (n_rows,)
        Index of the true class.

    Returns
    -------
    score : float
        Between 0 and 1, higher is better.
    """
    return float(np.mean(proba.argmax(axis=1) == y))


def balanced_accuracy(proba: np.ndarray, y: np.ndarray) -> float:
    """Return the mean over the classes that occur of their accuracy.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    y : ndarray of shape (n_rows,)
        Index of the true class.

    Returns
    -------
    score : float
        Between 0 and 1, higher is better.
    """
    right = proba.argmax(axis=1) == y
    return float(np.mean([right[y == c].mean() for c in np.unique(y)]))


def log_loss(proba: np.ndarray, y: np.ndarray) -> float:
    """Return the mean negative logarithm of the probability of the true class.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities; zero counts as the rounding unit, 2.2e-16.
    y : ndarray of shape (n_rows,)
        Index of the true class.

    Returns
    -------
    loss : float
        In nats, lower is better.
    """
    true = proba[np.arange(len(y)), y]
    return float(-np.log(np.maximum(true, np.finfo(np.float64).eps)).mean())


def calibration_error(proba: np.ndarray, y: np.ndarray) -> float:
    """Return the expected calibration error.

    Rows are sorted into 15 bins of equal width by the probability of their most
    probable class. In each bin the mean of that probability is compared with the share
    of right answers; the error is the mean difference, weighted by rows.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_classes)
        Class probabilities.
    y : ndarray of shape (n_rows,)
        Index of the true class.

    Returns
    -------
    error : float
        Between 0 and 1, lower is better.
    """
    confidence, right = proba.max(axis=1), proba.argmax(axis=1) == y
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, right - confidence, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(y))
