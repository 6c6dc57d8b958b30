"""Map of rows and prototypes in the plane."""

from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state

from sklearn_ddcl.inspection.fitted import prototype_step, rows_for_prototype_step
from sklearn_ddcl.inspection.label_placement import (
    group_close,
    join_numbers,
    place_labels,
    text_extent,
)
from sklearn_ddcl.inspection.projection import principal_plane
from sklearn_ddcl.inspection.style import (
    INK,
    class_colors,
    clear_frame,
    import_pyplot,
    legend_above,
)

_POINTS_PER_MASS = 2500.0  # marker area, in square points, of a prototype with all rows
_SMALLEST_MARKER = 14.0
_LABEL_SIZE = 7.0


class PrototypeMapDisplay:
    r"""Rows and prototypes of a fitted estimator in two dimensions.

    It is recommended to use :meth:`from_estimator` to create the display.

    A row is placed where its prototypes pull it, at their mean weighted by the
    assignments, :math:`\hat z_i = \sum_k \bar q_{ik} p_k`; the picture is the plane
    in which these points spread most. A prototype is placed amid the rows that it
    answers for, at their mean :math:`\sum_i \bar q_{ik} \hat z_i / \sum_i \bar
    q_{ik}`. Rows around a prototype are decided by it, rows between two by both.
    Prototypes on one spot answer for the same rows; one label names them all.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, 2)
        Positions of the rows.
    row_codes : ndarray of shape (n_rows,)
        Class of each row, as an index into `classes`.
    prototypes : ndarray of shape (n_prototypes, 2)
        Positions of the prototypes.
    prototype_codes : ndarray of shape (n_prototypes,)
        Class that each prototype votes for most.
    mass : ndarray of shape (n_prototypes,)
        Share of all rows that each prototype answers for; sums to one.
    classes : ndarray of shape (n_classes,)
        Class labels.
    explained : ndarray of shape (2,)
        Share of the variance of the rows along each axis.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure with the map.
    ax_ : matplotlib Axes
        Axes with the map.
    row_markers_, prototype_markers_ : matplotlib PathCollection
        The points. Prototypes are drawn heaviest first.
    labels_ : list of matplotlib Text
        Numbers of the prototypes.

    See Also
    --------
    ExplanationDisplay : How prototypes decide on one row.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLClassifier
    >>> from sklearn_ddcl.inspection import PrototypeMapDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DDCLClassifier(n_prototypes=6, max_epochs=30, random_state=0).fit(X, y)
    >>> display = PrototypeMapDisplay.from_estimator(clf, X, y)
    >>> display.rows.shape, display.prototypes.shape
    ((150, 2), (6, 2))
    """

    def __init__(
        self,
        rows: np.ndarray,
        row_codes: np.ndarray,
        prototypes: np.ndarray,
        prototype_codes: np.ndarray,
        mass: np.ndarray,
        classes: np.ndarray,
        explained: np.ndarray,
    ) -> None:
        self.rows = rows
        self.row_codes = row_codes
        self.prototypes = prototypes
        self.prototype_codes = prototype_codes
        self.mass = mass
        self.classes = classes
        self.explained = explained

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        ax: Any = None,
        *,
        max_rows: int = 2000,
        random_state: Any = 0,
    ) -> Self:
        """Draw the map of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted :class:`~sklearn_ddcl.DDCLClassifier`, a pipeline that ends with
            one, or a search over either.
        X : array-like or frame of shape (n_samples, n_features)
            Rows to place on the map.
        y : array-like of shape (n_samples,), default=None
            Their classes, for their colors; by default those that are predicted.
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.
        max_rows : int, default=2000
            Of more rows a random sample is drawn. All of them count for the plane and
            for the sizes of the prototypes.
        random_state : int, RandomState instance or None, default=0
            Draws the sample.

        Returns
        -------
        display : PrototypeMapDisplay
            With everything drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If the estimator has no prototypes, or `y` does not fit.
        """
        import_pyplot(cls.__name__)
        step = prototype_step(estimator)
        assignments = step.assign(rows_for_prototype_step(estimator, X))
        votes = step.prototype_votes_
        if y is None:
            codes = (assignments @ votes).argmax(1)
        else:
            codes = _class_codes(y, step.classes_, len(assignments))
        positions = assignments @ step.prototypes_
        plane = principal_plane(positions)
        centers = _centers(positions, assignments, step.prototypes_)
        # In random order no class hides another one.
        shuffled = check_random_state(random_state).permutation(len(positions))
        shown = shuffled[:max_rows]
        display = cls(
            plane.apply(positions[shown]),
            codes[shown],
            plane.apply(centers),
            votes.argmax(1),
            assignments.mean(0),
            step.classes_,
            plane.explained,
        )
        return display.plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        self : PrototypeMapDisplay
            The same display.
        """
        plt = import_pyplot(type(self).__name__)
        if ax is None:
            _, ax = plt.subplots(figsize=(7.5, 6), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        colors = np.array(class_colors(len(self.classes)), dtype=object)
        self.row_markers_ = ax.scatter(
            *self.rows.T, c=list(colors[self.row_codes]), s=9, alpha=0.5, lw=0
        )
        heaviest_first = np.argsort(-self.mass, kind="stable")
        areas = (_POINTS_PER_MASS * self.mass).clip(_SMALLEST_MARKER)
        self.prototype_markers_ = ax.scatter(
            *self.prototypes[heaviest_first].T,
            c=list(colors[self.prototype_codes[heaviest_first]]),
            s=areas[heaviest_first],
            edgecolors=INK,
            linewidths=0.9,
            zorder=3,
        )
        self._frame(ax)
        legend_above(ax, self._legend_handles(colors))
        self.labels_ = self._number(ax, areas)
        return self

    def _frame(self, ax: Any) -> None:
        clear_frame(ax)
        ax.margins(0.09)
        ax.set_aspect("equal", adjustable="datalim")
        ax.set(xticks=[], yticks=[])
        for axis, name, share in zip(
            (ax.xaxis, ax.yaxis), ("first", "second"), self.explained, strict=True
        ):
            axis.set_label_text(f"{name} direction, {share:.0%} of the variance")

    def _legend_handles(self, colors: np.ndarray) -> list[Any]:
        from matplotlib.lines import Line2D

        def dot(color: Any, size: float, edge: Any, label: str) -> Any:
            return Line2D(
                [], [], ls="", marker="o", ms=size, mfc=color, mec=edge, label=label
            )

        used = np.union1d(self.row_codes, self.prototype_codes)
        handles = [dot(colors[c], 7, "none", str(self.classes[c])) for c in used[:12]]
        if len(used) > len(handles):
            handles.append(dot("none", 7, "none", f"... {len(used) - 12} more"))
        return [
            *handles,
            dot(INK, 3, "none", "row"),
            dot("none", 9, INK, "prototype (area: share of rows)"),
        ]

    def _number(self, ax: Any, areas: np.ndarray) -> list[Any]:
        """Write the numbers of the prototypes, one label where several lie."""
        from matplotlib.patheffects import withStroke

        ax.apply_aspect()
        scale = 72 / ax.figure.dpi  # pixels to points
        points = ax.transData.transform(self.prototypes) * scale
        radii = np.sqrt(areas / np.pi)
        groups = group_close(points, areas, reach=3.5)
        centers = [group[0] for group in groups]
        texts = [join_numbers(sorted(group)) for group in groups]
        offsets = place_labels(
            points[centers],
            radii[centers],
            np.array([text_extent(text, _LABEL_SIZE) for text in texts]),
            np.hstack([points - radii[:, None], points + radii[:, None]]),
            tuple(ax.bbox.extents * scale),
        )
        return [
            ax.annotate(
                text,
                self.prototypes[center],
                xytext=offset,
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=_LABEL_SIZE,
                color=INK,
                zorder=4,
                path_effects=[withStroke(linewidth=2, foreground="white")],
            )
            for text, center, offset in zip(texts, centers, offsets, strict=True)
        ]


def _centers(
    positions: np.ndarray, assignments: np.ndarray, prototypes: np.ndarray
) -> np.ndarray:
    """Return the mean of the rows that each prototype answers for, (K, d)."""
    mass = assignments.sum(0)
    used = mass > 0
    centers = prototypes.copy()  # for those that answer for none
    centers[used] = assignments.T[used] @ positions / mass[used, None]
    return centers


def _class_codes(y: Any, classes: np.ndarray, n_rows: int) -> np.ndarray:
    """Return class indices of the labels of rows."""
    y = np.asarray(y)
    if y.shape != (n_rows,):
        raise ValueError(
            f"y must have one label for each of the {n_rows} rows of X, got shape "
            f"{y.shape}."
        )
    known = {label: code for code, label in enumerate(classes.tolist())}
    unknown = sorted({str(label) for label in y.tolist() if label not in known})
    if unknown:
        raise ValueError(
            f"y has labels that the estimator has not seen: {unknown[:5]}; it knows "
            f"{classes.tolist()[:10]}."
        )
    return np.array([known[label] for label in y.tolist()])
