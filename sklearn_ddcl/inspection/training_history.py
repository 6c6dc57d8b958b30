"""Picture of a training: losses, and the health of the prototypes."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_ddcl.inspection.fitted import prototype_step
from sklearn_ddcl.inspection.style import (
    INK,
    PALETTE,
    SOFT,
    clear_frame,
    import_pyplot,
    name_panel,
)

_BLUE, _ORANGE, _RED, _PURPLE = PALETTE[:4]
_N_PANELS = 6


class TrainingHistoryDisplay:
    """Six curves over the epochs of a training.

    It is recommended to use :meth:`from_estimator` to create the display.

    - *Loss*: what was minimized, the cross-entropy in it and, if there were validation
      rows, the cross-entropy on them. A dot marks the epoch that they chose. Without
      labels, how well rows and their neighborhoods are predicted.
    - *Competition*: reconstruction and diversity, stacked: their sum is the expected
      squared distance of a token to the prototypes that answer for it. Diversity that
      goes to zero means that each token has one prototype.
    - *Temperature*, against the critical one above which prototypes collapse.
    - *Prototypes in use*: the perplexity, with their number as a dotted line.
    - *Closest prototypes*: the smallest distance between two of them; where it falls
      to nothing two have become one. Ticks at the bottom mark epochs in which some
      were placed anew.
    - *Tracking*: how far prototypes are off their tokens; should end below 0.5.
      Without labels prototypes stand still, and this is the share of the variance of
      the rows that the network tells apart.

    Parameters
    ----------
    history : TrainingHistory or list of dict
        One dict per epoch, as in ``history_``.
    n_prototypes : int or None, default=None
        Number of prototypes.
    best_epoch : int or None, default=None
        Epoch that validation chose, counted from 1.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure with the curves.
    axes_ : ndarray of matplotlib Axes
        The six panels, in the order above.

    See Also
    --------
    PrototypeMapDisplay : Where the prototypes ended up.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLClassifier
    >>> from sklearn_ddcl.inspection import TrainingHistoryDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DDCLClassifier(n_prototypes=6, max_epochs=30, random_state=0).fit(X, y)
    >>> display = TrainingHistoryDisplay.from_estimator(clf)
    >>> display.axes_.shape
    (2, 3)
    """

    def __init__(
        self,
        history: Sequence[dict[str, float]],
        *,
        n_prototypes: int | None = None,
        best_epoch: int | None = None,
    ) -> None:
        self.history = history
        self.n_prototypes = n_prototypes
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator: Any, axes: Any = None) -> Self:
        """Draw the training of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted :class:`~sklearn_ddcl.DDCLClassifier`, a pipeline that ends with
            one, or a search over either.
        axes : array-like of 6 matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : TrainingHistoryDisplay
            With everything drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If the estimator has no prototypes, or `axes` are not six.
        """
        import_pyplot(cls.__name__)
        step = prototype_step(estimator)
        display = cls(
            step.history_,
            n_prototypes=len(step.prototypes_),
            best_epoch=getattr(step, "best_epoch_", None),
        )
        return display.plot(axes)

    def plot(self, axes: Any = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        axes : array-like of 6 matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        self : TrainingHistoryDisplay
            The same display.
        """
        plt = import_pyplot(type(self).__name__)
        if axes is None:
            _, axes = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
        self.axes_ = np.asarray(axes)
        if self.axes_.size != _N_PANELS:
            raise ValueError(
                f"axes must be {_N_PANELS} axes, got {self.axes_.size}; make them with "
                "plt.subplots(2, 3)."
            )
        panels = self.axes_.ravel()
        self.figure_ = panels[0].figure
        self._draw_loss(panels[0])
        self._draw_competition(panels[1])
        self._draw_temperature(panels[2])
        self._draw_usage(panels[3])
        self._draw_closest(panels[4])
        self._draw_tracking(panels[5])
        for ax in panels:
            clear_frame(ax)
            if ax.get_legend_handles_labels()[0]:
                # The upper part of a stack is named above the lower one.
                ax.legend(frameon=False, reverse=ax is panels[1])
            ax.set_xlabel("epoch")
            ax.xaxis.get_major_locator().set_params(integer=True)
        return self

    def _column(self, name: str) -> np.ndarray:
        return np.array([epoch.get(name, np.nan) for epoch in self.history])

    def _draw_loss(self, ax: Any) -> None:
        name_panel(ax, "Loss")
        self._line(ax, "loss", SOFT, "objective")
        if self._without_labels:
            self._line(ax, "rebuilding", _BLUE, "rows")
            self._line(ax, "smoothing", _ORANGE, "neighborhoods")
            ax.set_ylim(bottom=0)
            return
        self._line(ax, "task_loss", _BLUE, "cross-entropy")
        self._line(ax, "valid_loss", _ORANGE, "on validation rows")
        if self.best_epoch is not None:
            best = self._column("valid_loss")[self.best_epoch - 1]
            ax.plot(self.best_epoch, best, "o", color=_ORANGE, label="best epoch")
        ax.set_ylim(bottom=0)
        ax.set_ylabel("nats")

    def _draw_competition(self, ax: Any) -> None:
        name_panel(ax, "Competition")
        parts = ["reconstruction", "diversity"]
        ax.stackplot(
            self._column("epoch"),
            [self._column(name) for name in parts],
            labels=parts,
            colors=[_BLUE, _ORANGE],
            alpha=0.8,
            lw=0,
        )
        ax.set_ylim(bottom=0)
        ax.set_ylabel("squared distance")

    def _draw_temperature(self, ax: Any) -> None:
        name_panel(ax, "Temperature")
        self._line(ax, "critical_temperature", _RED, "critical")
        self._line(ax, "temperature", _BLUE, "temperature")
        _log_axis(ax)
        ax.set_ylabel("squared distance")

    def _draw_usage(self, ax: Any) -> None:
        name_panel(ax, "Prototypes in use")
        self._line(ax, "perplexity", _BLUE)
        if self.n_prototypes is not None:
            ax.axhline(self.n_prototypes, color=INK, lw=1, ls=":")
        ax.set_ylim(bottom=0)
        ax.set_ylabel("perplexity")

    def _draw_closest(self, ax: Any) -> None:
        name_panel(ax, "Closest prototypes")
        self._line(ax, "min_prototype_distance", _BLUE)
        _log_axis(ax)
        ax.set_ylabel("distance")
        revived = self._column("epoch")[self._column("n_revived") > 0]
        if len(revived):
            ax.plot(
                revived,
                np.full(len(revived), 0.02),
                "|",
                color=_PURPLE,
                transform=ax.get_xaxis_transform(),
                label="placed anew",
            )

    @property
    def _without_labels(self) -> bool:
        return len(self.history) > 0 and "rebuilding" in self.history[0]

    def _draw_tracking(self, ax: Any) -> None:
        if self._without_labels:
            name_panel(ax, "Variance told apart")
            self._line(ax, "token_variance", _BLUE)
            ax.set_ylim(bottom=0)
            ax.set_ylabel("share of what there is")
            return
        name_panel(ax, "Tracking")
        self._line(ax, "tracking", _BLUE)
        ax.set_ylim(bottom=0)
        ax.set_ylabel("offset / spread of tokens")

    def _line(self, ax: Any, name: str, color: str, label: str | None = None) -> None:
        """Draw a column through the epochs in which it was measured, if any."""
        values = self._column(name)
        measured = np.isfinite(values)
        if not measured.any():
            return
        marker = "o" if measured.sum() == 1 else None
        epochs = self._column("epoch")[measured]
        ax.plot(epochs, values[measured], color=color, label=label, marker=marker)


def _log_axis(ax: Any) -> None:
    """Make the vertical axis logarithmic, with plain numbers at few places."""
    from matplotlib.ticker import LogLocator, NullLocator

    ax.set_yscale("log")
    low, high = ax.get_ylim()
    places = (1.0, 2.0, 5.0) if high < 100 * low else (1.0,)
    ax.yaxis.set_major_locator(LogLocator(subs=places))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter("{x:g}")
