"""Picture of one decision: which prototypes gave how much to which class."""

from typing import Any, Self

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from sklearn_ddcl.estimators.explanation import Explanation
from sklearn_ddcl.inspection.fitted import prototype_step, rows_for_prototype_step
from sklearn_ddcl.inspection.style import (
    INK,
    class_colors,
    clear_frame,
    import_pyplot,
    legend_above,
)

_MAX_CLASSES_IN_LEGEND = 6


class ExplanationDisplay:
    r"""The decision on one row as stacked bars, one for each prototype.

    It is recommended to use :meth:`from_estimator` to create the display.

    The length of a bar is the weight :math:`\bar q_k` of a prototype, its colors split
    it by the classes that the prototype votes for. All bars together, the last one for
    the prototypes that are not shown included, have length one, and all pieces of one
    color have the probability of that class, which stands in the legend.

    Parameters
    ----------
    explanation : Explanation
        What :meth:`sklearn_ddcl.DDCLClassifier.explain` returned.
    row : int, default=0
        Row of the explanation.
    n : int, default=5
        How many prototypes get a bar of their own.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure with the bars.
    ax_ : matplotlib Axes
        Axes with the bars.
    bars_ : list of matplotlib BarContainer
        One per class, in their order; each has one patch per prototype, heaviest
        first, and one for all others.

    See Also
    --------
    PrototypeMapDisplay : All rows and prototypes at once.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLClassifier
    >>> from sklearn_ddcl.inspection import ExplanationDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DDCLClassifier(n_prototypes=6, max_epochs=30, random_state=0).fit(X, y)
    >>> display = ExplanationDisplay.from_estimator(clf, X, row=70, n=3)
    >>> len(display.bars_), len(display.bars_[0])
    (3, 4)
    """

    def __init__(self, explanation: Explanation, row: int = 0, n: int = 5) -> None:
        self.explanation = explanation
        self.row = row
        self.n = n

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, row: int = 0, n: int = 5, ax: Any = None
    ) -> Self:
        """Draw the decision of a fitted estimator on one row.

        Parameters
        ----------
        estimator : estimator
            Fitted :class:`~sklearn_ddcl.DDCLClassifier`, a pipeline that ends with
            one, or a search over either.
        X : array-like or frame of shape (n_samples, n_features)
            Rows.
        row : int, default=0
            Position of the row in `X`.
        n : int, default=5
            How many prototypes get a bar of their own.
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : ExplanationDisplay
            With everything drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        IndexError
            If `X` has no such row.
        ValueError
            If the estimator has no prototypes.
        """
        import_pyplot(cls.__name__)
        step = prototype_step(estimator)
        n_rows = _num_samples(X)
        if not -n_rows <= row < n_rows:
            raise IndexError(f"X has {n_rows} rows, got row={row}.")
        one_row = _safe_indexing(X, [row % n_rows])
        explanation = step.explain(rows_for_prototype_step(estimator, one_row))
        return cls(explanation, n=n).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        self : ExplanationDisplay
            The same display.
        """
        plt = import_pyplot(type(self).__name__)
        names, pieces = self._pieces()
        if ax is None:
            height = 1.5 + 0.42 * len(names)
            _, ax = plt.subplots(figsize=(7.5, height), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        places = np.arange(len(names))
        starts = pieces.cumsum(1) - pieces
        colors = class_colors(pieces.shape[1])
        self.bars_ = [
            ax.barh(places, pieces[:, c], left=starts[:, c], height=0.66, color=color)
            for c, color in enumerate(colors)
        ]
        for place, weight in zip(places, pieces.sum(1), strict=True):
            ax.annotate(
                f"{weight:.1%}",
                (weight, place),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=INK,
            )
        self._frame(ax, names, pieces.sum(1).max())
        legend_above(ax, self._legend_handles())
        return self

    def _pieces(self) -> tuple[list[str], np.ndarray]:
        """Return names and (bars, classes) of what is drawn; sums to one."""
        explanation = self.explanation
        evidence = explanation.evidence[self.row]
        top = explanation.top(self.n)[self.row]
        names = [
            f"prototype {k}\nlike training row {explanation.prototype_indices[k]}"
            for k in top
        ]
        pieces = evidence[top]
        if len(top) < len(evidence):
            others = np.delete(evidence, top, axis=0)
            names.append(f"{len(others)} others")
            pieces = np.vstack([pieces, others.sum(0)])
        return names, pieces

    def _frame(self, ax: Any, names: list[str], longest: float) -> None:
        from matplotlib.ticker import PercentFormatter

        clear_frame(ax)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.set_yticks(np.arange(len(names)), names, fontsize="small")
        ax.invert_yaxis()
        ax.set_xlim(0, 1.12 * longest)
        ax.locator_params(axis="x", nbins=6)
        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
        ax.set_xlabel("probability, by prototype and class")

    def _legend_handles(self) -> list[Any]:
        """Return the most probable classes, in their order."""
        from matplotlib.patches import Patch

        proba = self.explanation.probabilities[self.row]
        classes, colors = self.explanation.classes, class_colors(len(proba))
        shown = np.sort(np.argsort(-proba, kind="stable")[:_MAX_CLASSES_IN_LEGEND])
        return [
            Patch(color=colors[c], label=f"{classes[c]}: {proba[c]:.1%}") for c in shown
        ]
