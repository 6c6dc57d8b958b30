"""Which prototypes a row is like, and how much."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import _safe_indexing


class Likeness:
    """How much each prototype answers for some rows, with real rows to look at.

    Parameters
    ----------
    weights : ndarray of shape (n_samples, n_prototypes)
        How much each prototype answers for each row; rows sum to one.
    prototype_indices : ndarray of shape (n_prototypes,)
        Training row that stands for each prototype.
    prototype_examples : array or frame of shape (n_prototypes, n_features)
        Those rows.
    """

    def __init__(
        self,
        weights: np.ndarray,
        prototype_indices: np.ndarray,
        prototype_examples: Any,
    ) -> None:
        self.weights = weights
        self.prototype_indices = prototype_indices
        self.prototype_examples = prototype_examples

    def __len__(self) -> int:
        return len(self.weights)

    def __repr__(self) -> str:
        n_prototypes = self.weights.shape[1]
        return f"{type(self).__name__}({len(self)} rows, {n_prototypes=})"

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
            Columns `row`, `rank`, `prototype`, `weight` and `training_row`, the index
            of the training row that stands for the prototype.
        """
        prototypes = self.top(n)
        n_ranks = prototypes.shape[1]
        rows = np.repeat(np.arange(len(self)), n_ranks)
        flat = prototypes.ravel()
        columns: dict[str, Any] = {
            "row": rows,
            "rank": np.tile(np.arange(1, n_ranks + 1), len(self)),
            "prototype": flat,
            "weight": self.weights[rows, flat],
            **self._more_columns(rows, flat),
            "training_row": self.prototype_indices[flat],
        }
        return pd.DataFrame(columns)

    def describe(self, row: int = 0, n: int = 3, max_columns: int = 6) -> str:
        """Return what one row is like, in words.

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
        lines = [self._headline(row)]
        for k in self.top(n)[row]:
            lines.append(
                f"  {self.weights[row, k]:6.1%} from prototype {k}, {self._nature(k)}"
                f"like training row {self.prototype_indices[k]}"
                f"{self._example(k, max_columns)}"
            )
        rest = 1 - self.weights[row, self.top(n)[row]].sum()
        lines.append(f"  {max(0.0, rest):6.1%} from all others together")
        return "\n".join(lines)

    def _more_columns(self, rows: np.ndarray, prototypes: np.ndarray) -> dict:
        """Return further columns of the frame, for pairs of rows and prototypes."""
        return {}

    def _headline(self, row: int) -> str:
        return f"Answered for by {self.weights.shape[1]} prototypes"

    def _nature(self, k: int) -> str:
        """Return what is known of a prototype beside its example."""
        return ""

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
