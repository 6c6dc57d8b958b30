"""What vectors of documents are worth: to a linear classifier, and to k-means."""

import warnings

import numpy as np

# Inverse strengths of the penalty, of which cross-validation chooses.
STRENGTHS = tuple(10.0 ** np.arange(-4.0, 1.5, 0.5))


def linear_accuracy(
    train: np.ndarray, y_train: np.ndarray, test: np.ndarray, y_test: np.ndarray
) -> tuple[float, float]:
    """Return accuracy of logistic regression on standardized columns, and its C.

    C is the one of the highest accuracy in three folds of the training rows.

    Parameters
    ----------
    train, test : ndarray of shape (n, d)
        Vectors.
    y_train, y_test : ndarray of shape (n,)
        Classes.
    """
    scores = linear_scores(train, y_train, test, y_test)
    return scores["accuracy"], scores["C"]


def linear_scores(
    train: np.ndarray, y_train: np.ndarray, test: np.ndarray, y_test: np.ndarray
) -> dict[str, float]:
    """Return ``accuracy``, ``log_loss`` and ``C``, as for :func:`linear_accuracy`."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.model_selection import GridSearchCV
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train.astype(np.float64))
    train, test = turned(scaler.transform(train), scaler.transform(test))
    search = GridSearchCV(
        LogisticRegression(tol=1e-3, max_iter=300), {"C": STRENGTHS}, cv=3
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(train, y_train)
    return {
        "accuracy": float(search.score(test, y_test)),
        "log_loss": float(log_loss(y_test, search.predict_proba(test))),
        "C": float(search.best_params_["C"]),
    }


def turned(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows turned into the space that training rows span, if it is smaller.

    A classifier with an L2 penalty says the same in either, up to rounding, and is
    found sooner with fewer columns than rows.
    """
    if train.shape[1] <= len(train):
        return train, test
    _, lengths, axes = np.linalg.svd(train, full_matrices=False)
    axes = axes[lengths > 1e-10 * lengths[0]]
    return train @ axes.T, test @ axes.T


def cluster_scores(vectors: np.ndarray, classes: np.ndarray, seed: int) -> dict:
    """Return how well k-means with one cluster per class finds the classes.

    Returns
    -------
    scores : dict
        ``accuracy`` with the best matching of clusters and classes (Hungarian), and
        ``nmi``, normalized mutual information.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score

    n_classes = int(classes.max()) + 1
    found = KMeans(n_classes, n_init=10, random_state=seed).fit_predict(vectors)
    return {
        "accuracy": matched_accuracy(found, classes),
        "nmi": float(normalized_mutual_info_score(classes, found)),
    }


def matched_accuracy(clusters: np.ndarray, classes: np.ndarray) -> float:
    """Return the share of rows whose cluster is matched with their class."""
    from scipy.optimize import linear_sum_assignment

    counts = np.zeros((int(clusters.max()) + 1, int(classes.max()) + 1))
    np.add.at(counts, (clusters, classes), 1)
    rows, columns = linear_sum_assignment(-counts)
    return float(counts[rows, columns].sum() / len(classes))
