"""Tables as a network sees them that has to rebuild them, and back."""

from typing import Any, Self

import numpy as np

from sklearn_ddcl.estimators.row_space import RowSpace, column_moments
from sklearn_ddcl.estimators.table_encoder import EncodedTable

SCALINGS = ("common", "columns")


class TableSpace(RowSpace):
    """Learn how a table becomes standardized numbers and category codes.

    The numbers of a table without categories are centered and divided by one common
    scale, so that errors keep the proportions of their units, or each by its own; see
    :class:`RowSpace` for a table with categories.

    Parameters
    ----------
    allow_nan : bool, default=False
        Whether numbers may be missing.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        As for :class:`TableEncoder`.
    scaling : {"common", "columns"}, default="common"
        Whether the columns of a table without categories share a scale.
    limit : float, default=inf
        Standardized numbers are clipped to this size.

    Attributes
    ----------
    centers : ndarray of shape (F,)
        Means of the columns of a table without categories.
    scale : float or ndarray of shape (F,)
        Root of their mean variance, or of each variance.
    """

    centers: np.ndarray
    scale: Any = 1.0

    def __init__(
        self,
        allow_nan: bool = False,
        categorical_features: Any = "from_dtype",
        scaling: str = "common",
        limit: float = np.inf,
    ) -> None:
        super().__init__(allow_nan, categorical_features)
        self.scaling = scaling
        self.limit = limit

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
            if self.scaling == "common":
                self.scale = float(np.sqrt(variances.mean())) or 1.0
            else:
                self.scale = np.sqrt(variances)
                self.scale[self.scale == 0] = 1.0
        numbers = self._clipped((points - self.centers) / self.scale)
        return EncodedTable(numbers, np.empty((len(points), 0), dtype=np.int64))

    def _of_table(self, encoded: EncodedTable) -> EncodedTable:
        numbers = self._clipped(self._standardized(encoded.numbers))
        return EncodedTable(numbers, encoded.codes)

    def _clipped(self, numbers: np.ndarray) -> np.ndarray:
        if np.isinf(self.limit):
            return numbers
        return numbers.clip(-self.limit, self.limit)

    def get_state(self) -> dict[str, Any]:
        """Return what was learned as plain values."""
        state = super().get_state()
        state["limit"] = self.limit if np.isfinite(self.limit) else None
        if self.table is None:
            scale = np.asarray(self.scale).tolist()
            state |= {"centers": self.centers.tolist(), "scale": scale}
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return a space that has learned `state`."""
        space = super().from_state(state)
        limit = state.get("limit")
        space.limit = np.inf if limit is None else limit
        if space.table is None:
            space.centers = np.array(state["centers"], dtype=np.float64)
            scale = state["scale"]
            space.scale = np.array(scale) if isinstance(scale, list) else scale
        return space
