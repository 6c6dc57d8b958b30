"""Why a row was classified as it was: the prototypes that decided."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import _safe_indexing


class Explanation:
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
    """

    def __init__(
        self,
        weights: np.ndarray,
        votes: np.ndarray,
        classes: np.ndarray,
        prototype_indices: np.ndarray,
        prototype_examples: Any,
    ) -> None:
        self.weights = weights
        self.votes = votes
        self.classes = classes
        self.prototype_indices = prototype_indices
        self.prototype_examples = prototype_examples
        self.probabilities = weights @ votes
        self.predictions = classes[self.probabilities.argmax(1)]

    def __len__(self) -> int:
        return len(self.weights)

    def __repr__(self) -> str:
        n_prototypes, n_classes = self.votes.shape
        return f"Explanation({len(self)} rows, {n_prototypes=}, {n_classes=})"

    @property
    def evidence(self) -> np.ndarray:
        """Probability that each prototype adds to each class, (n, K, C).

        Its sum over the prototypes is `probabilities`: nothing else takes part.
        """
        return self.weights[:, :, None] * self.votes

    def top(self, n: int = 3) -> np.ndarray:
        """Return the prototypes that weigh most, heaviest first.

        Parameters
        ----------
        n : int, default=3
            How many per row.

        Returns
        -------
        prototypes : ndarray of shape (n_samples, n)
            Prototype numbers.
        """
        return np.argsort(-self.weights, axis=1, kind="stable")[:, :n]

    def to_frame(self, n: int = 3) -> pd.DataFrame:
        """Return one line per row and prototype, heaviest first.

        Parameters
        ----------
        n : int, default=3
            Prototypes per row.

        Returns
        -------
        frame : DataFrame
            Columns `row`, `rank`, `prototype`, `weight`, one `evidence_<class>` per
            class and `training_row`, the index of the training row that stands for the
            prototype.
        """
        prototypes = self.top(n)
        n_ranks = prototypes.shape[1]
        rows = np.repeat(np.arange(len(self)), n_ranks)
        flat = prototypes.ravel()
        weights = self.weights[rows, flat]
        columns: dict[str, Any] = {
            "row": rows,
            "rank": np.tile(np.arange(1, n_ranks + 1), len(self)),
            "prototype": flat,
            "weight": weights,
        }
        for c, label in enumerate(self.classes):
            columns[f"evidence_{label}"] = weights * self.votes[flat, c]
        columns["training_row"] = self.prototype_indices[flat]
        return pd.DataFrame(columns)

    def describe(self, row: int = 0, n: int = 3, max_columns: int = 6) -> str:
        """Return the decision on one row in words.

        Parameters
        ----------
        row : int, default=0
            Position of the row.
        n : int, default=3
            How many prototypes to name.
        max_columns : int, default=6
            How many columns of each example to show.

        Returns
        -------
        text : str
            Several lines.
        """
        best = self.probabilities[row].argmax()
        lines = [
            f"{self.classes[best]} with probability {self.probabilities[row, best]:.1%}"
        ]
        for k in self.top(n)[row]:
            favored = self.votes[k].argmax()
            lines.append(
                f"  {self.weights[row, k]:6.1%} from prototype {k}, which is "
                f"{self.classes[favored]} in {self.votes[k, favored]:.1%} of cases, "
                f"like training row {self.prototype_indices[k]}"
                f"{self._example(k, max_columns)}"
            )
        rest = 1 - self.weights[row, self.top(n)[row]].sum()
        lines.append(f"  {max(0.0, rest):6.1%} from all others together")
        return "\n".join(lines)

    def _example(self, k: int, max_columns: int) -> str:
        examples = self.prototype_examples
        names = getattr(examples, "columns", None)
        if names is None:
            values = np.asarray(examples)[k]
            names = [f"x{j}" for j in range(len(values))]
        else:
            line = _safe_indexing(examples, [int(k)])
            values = [line[name].to_numpy()[0] for name in names]
        shown = list(zip(names, values, strict=True))[:max_columns]
        return (
            " (" + ", ".join(f"{name} {_short(value)}" for name, value in shown) + ")"
        )


def _short(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return "missing"
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
