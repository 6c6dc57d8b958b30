"""Tables as an autoencoder sees them, and back."""

from typing import Any, Self

import numpy as np

from sklearn_ddcl.estimators.row_space import RowSpace, column_moments
from sklearn_ddcl.estimators.table_encoder import EncodedTable


class TableSpace(RowSpace):
    """Learn how a table becomes standardized numbers and category codes.

    The numbers of a table without categories are centered and divided by one common
    scale, so that errors keep the proportions of their units; see :class:`RowSpace` for
    a table with categories.

    Attributes
    ----------
    centers : ndarray of shape (F,)
        Means of the columns of a table without categories.
    scale : float
        Root of their mean variance.
    """

    centers: np.ndarray
    scale: float = 1.0

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Number of codes of every categorical column."""
        categories = [] if self.table is None else self.table.categories
        return tuple(len(known) + 1 for known in categories)

    def inverse(self, points: EncodedTable) -> Any:
        """Return the rows that an encoded table stands for."""
        if self.table is None:
            return points.numbers * self.scale + self.centers
        return self._frame(points.numbers, list(points.codes.T))

    def _of_numbers(
        self, points: np.ndarray, weights: np.ndarray | None = None
    ) -> EncodedTable:
        if weights is not None:
            self.centers, variances = column_moments(points, weights)
            self.scale = float(np.sqrt(variances.mean())) or 1.0
        numbers = (points - self.centers) / self.scale
        return EncodedTable(numbers, np.empty((len(points), 0), dtype=np.int64))

    def _of_table(self, encoded: EncodedTable) -> EncodedTable:
        return EncodedTable(self._standardized(encoded.numbers), encoded.codes)

    def get_state(self) -> dict[str, Any]:
        """Return what was learned as plain values."""
        state = super().get_state()
        if self.table is None:
            state |= {"centers": self.centers.tolist(), "scale": self.scale}
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return a space that has learned `state`."""
        space = super().from_state(state)
        if space.table is None:
            space.centers = np.array(state["centers"], dtype=np.float64)
            space.scale = state["scale"]
        return space
