"""How well clusters agree with classes that they were not told."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix


def matched_accuracy(classes: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of rows whose cluster is matched to their class.

    Each cluster is matched to at most one class and each class to at most one cluster,
    such that the share is as large as possible (the Hungarian method).
    """
    counts = contingency_matrix(classes, labels)
    chosen = linear_sum_assignment(counts, maximize=True)
    return float(counts[chosen].sum() / len(classes))


def score_clusters(classes: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return matched accuracy, normalized mutual information and Rand index."""
    return {
        "acc": matched_accuracy(classes, labels),
        "nmi": float(normalized_mutual_info_score(classes, labels)),
        "ari": float(adjusted_rand_score(classes, labels)),
        "n_clusters": len(np.unique(labels)),
    }
