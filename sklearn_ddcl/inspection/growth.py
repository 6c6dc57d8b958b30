"""Picture of a network that grew: its heads, and what it missed."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_ddcl.inspection.fitted import last_step
from sklearn_ddcl.inspection.style import (
    INK,
    PALETTE,
    clear_frame,
    import_pyplot,
    name_panel,
)

_MARKS = {"grow": "^", "turn": "D", "prune": "v"}
_LEAST = 1e-5


class GrowthDisplay:
    """How many heads every layer had, and the energy of the best one it missed.

    It is recommended to use :meth:`from_estimator` to create the display.

    - *Heads*, with a triangle where one came, a diamond where one started anew, and a
      triangle upside down where some went.
    - *Missing*: what the best further head would take off the loss, as a share of the
      loss of the first epoch. Above the dotted line a layer gets one.

    Parameters
    ----------
    history : list of dict
        One per epoch and layer, as in ``growth_history_``.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure with the panels.
    axes_ : ndarray of 2 matplotlib Axes
        Heads, and what was missing.

    See Also
    --------
    TrainingHistoryDisplay : Losses and prototypes over the same epochs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLClassifier
    >>> from sklearn_ddcl.inspection import GrowthDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DDCLClassifier(encoder="incrt", max_epochs=5, random_state=0).fit(X, y)
    >>> GrowthDisplay.from_estimator(clf).axes_.shape
    (2,)
    """

    def __init__(self, history: Sequence[dict[str, Any]]) -> None:
        self.history = history

    @classmethod
    def from_estimator(cls, estimator: Any, axes: Any = None) -> Self:
        """Draw the growth of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted with ``encoder="incrt"``, a pipeline that ends with such a one, or a
            search over either.
        axes : array-like of 2 matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : GrowthDisplay
            With everything drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If the estimator does not grow, or `axes` are not two.
        """
        import_pyplot(cls.__name__)
        step = last_step(estimator)
        if not len(getattr(step, "growth_history_", ())):
            raise ValueError(
                'expected an estimator that was fitted with encoder="incrt" and grow='
                f"True, got {type(step).__name__} without growth_history_."
            )
        return cls(step.growth_history_).plot(axes)

    def plot(self, axes: Any = None) -> Self:
        """Draw the panels.

        Parameters
        ----------
        axes : array-like of 2 matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        self : GrowthDisplay
            The same display.
        """
        plt = import_pyplot(type(self).__name__)
        if axes is None:
            _, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
        self.axes_ = np.asarray(axes)
        if self.axes_.size != 2:
            raise ValueError(
                f"axes must be 2 axes, got {self.axes_.size}; make them with "
                "plt.subplots(1, 2)."
            )
        heads, missing = self.axes_.ravel()
        self.figure_ = heads.figure
        layers = sorted({row["layer"] for row in self.history})
        for layer in layers:
            own = [row for row in self.history if row["layer"] == layer]
            color = PALETTE[layer % len(PALETTE)]
            self._draw_heads(heads, own, color, f"layer {layer + 1}")
            self._draw_missing(missing, own, color)
        self._finish(heads, "Heads", "heads")
        heads.set_ylim(0, max(row["n_heads"] for row in self.history) + 0.7)
        heads.yaxis.get_major_locator().set_params(integer=True)
        if len(layers) > 1:
            heads.legend(frameon=False, loc="lower right")
        self._finish(missing, "Missing", "share of the first loss")
        missing.set_yscale("log")
        return self

    def _draw_heads(self, ax: Any, rows: list, color: str, label: str) -> None:
        epochs = [row["epoch"] for row in rows]
        counts = [row["n_heads"] for row in rows]
        ax.step(epochs, counts, where="post", color=color, label=label)
        for action, mark in _MARKS.items():
            at = [row for row in rows if row["action"] == action]
            ax.plot(
                [row["epoch"] for row in at],
                [row["n_heads"] for row in at],
                mark,
                color=color,
                ms=6,
            )

    def _draw_missing(self, ax: Any, rows: list, color: str) -> None:
        epochs = [row["epoch"] for row in rows]
        ax.plot(epochs, [max(row["energy"], _LEAST) for row in rows], color=color)
        ax.plot(epochs, [row["threshold"] for row in rows], ":", color=color)

    def _finish(self, ax: Any, name: str, unit: str) -> None:
        clear_frame(ax)
        name_panel(ax, name)
        ax.set_xlabel("epoch", color=INK)
        ax.set_ylabel(unit, color=INK)
