"""Why a row was classified as it was: the prototypes that decided."""

from typing import Any

import numpy as np

from sklearn_ddcl.estimators.likeness import Likeness


class Explanation(Likeness):
    """The whole decision of some rows, as a sum over prototypes.

    Parameters
    ----------
    weights : ndarray of shape (n_samples, n_prototypes)
        How much each prototype answers for each row; rows sum to one.
    votes : ndarray of shape (n_prototypes, n_classes)
        Class distribution of every prototype; rows sum to one.
    classes : ndarray of shape (n_classes,)
        Class labels.
    prototype_indices : ndarray of shape (n_prototypes,)
        Training row that stands for each prototype.
    prototype_examples : array or frame of shape (n_prototypes, n_features)
        Those rows.

    Attributes
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        ``weights @ votes``, what ``predict_proba`` answers, to rounding.
    predictions : ndarray of shape (n_samples,)
        Most probable class.

    Notes
    -----
    The frame of :meth:`to_frame` has a column ``evidence_<class>`` for every class.
    """

    def __init__(
        self,
        weights: np.ndarray,
        votes: np.ndarray,
        classes: np.ndarray,
        prototype_indices: np.ndarray,
        prototype_examples: Any,
    ) -> None:
        super().__init__(weights, prototype_indices, prototype_examples)
        self.votes = votes
        self.classes = classes
        self.probabilities = weights @ votes
        self.predictions = classes[self.probabilities.argmax(1)]

    def __repr__(self) -> str:
        n_prototypes, n_classes = self.votes.shape
        return f"Explanation({len(self)} rows, {n_prototypes=}, {n_classes=})"

    @property
    def evidence(self) -> np.ndarray:
        """Probability that each prototype adds to each class, (n, K, C).

        Its sum over the prototypes is `probabilities`: nothing else takes part.
        """
        return self.weights[:, :, None] * self.votes

    def _more_columns(self, rows: np.ndarray, prototypes: np.ndarray) -> dict:
        weights = self.weights[rows, prototypes]
        return {
            f"evidence_{label}": weights * self.votes[prototypes, c]
            for c, label in enumerate(self.classes)
        }

    def _headline(self, row: int) -> str:
        best = self.probabilities[row].argmax()
        probability = self.probabilities[row, best]
        return f"{self.classes[best]} with probability {probability:.1%}"

    def _nature(self, k: int) -> str:
        favored = self.votes[k].argmax()
        share = self.votes[k, favored]
        return f"which is {self.classes[favored]} in {share:.1%} of cases, "
