"""What a codebook is worth, computed alike for whoever made it."""

from typing import Any

import numpy as np

_BLOCK = 2048
# Closer than this share of the mean distance of a row to its code, codes are one.
_SAME = 0.01


def score_codebook(X: np.ndarray, codebook: np.ndarray) -> dict[str, Any]:
    """Return distortion, utilization and distinctness in float64.

    Every row counts with its nearest code, whatever code its owner gave it.

    Parameters
    ----------
    X : ndarray of shape (n_rows, d)
    codebook : ndarray of shape (n_codes, d)

    Returns
    -------
    dict
        ``inertia``, the sum of squared distances; the numbers of codes that are
        ``used`` by some row and that are ``distinct``; ``perplexity``.
    """
    X, codebook = (np.asarray(A, dtype=np.float64) for A in (X, codebook))
    labels = nearest(X, codebook)
    inertia = float(np.square(X - codebook[labels]).sum())
    counts = np.bincount(labels, minlength=len(codebook))
    shares = counts[counts > 0] / len(X)
    return {
        "inertia": inertia,
        "used": int((counts > 0).sum()),
        "distinct": count_distinct(codebook, _SAME * np.sqrt(inertia / len(X))),
        "perplexity": float(np.exp(-(shares * np.log(shares)).sum())),
    }


def nearest(X: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Return the position of the nearest code of every row."""
    # Without the mean, |x|^2 - 2 x.c + |c|^2 loses no digits to a common offset.
    center = X.mean(0)
    codes = codebook - center
    norms = np.square(codes).sum(1)
    blocks = (X[i : i + _BLOCK] - center for i in range(0, len(X), _BLOCK))
    found = [(norms - 2 * (block @ codes.T)).argmin(1) for block in blocks]
    return np.concatenate(found)


def count_distinct(codebook: np.ndarray, gap: float) -> int:
    """Return how many codes remain when all within a gap of a kept one are dropped."""
    kept = np.empty_like(codebook)
    n_kept = 0
    for code in codebook:
        distances = np.square(kept[:n_kept] - code).sum(1)
        if not (distances <= gap**2).any():
            kept[n_kept] = code
            n_kept += 1
    return n_kept
