"""Picture of a codebook: how it cooled, and how its codes are used."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_ddcl.inspection.fitted import last_step
from sklearn_ddcl.inspection.style import (
    INK,
    PALETTE,
    SOFT,
    clear_frame,
    import_pyplot,
    name_panel,
)

_BLUE, _ORANGE = PALETTE[:2]
_N_PANELS = 3


class CodebookDisplay:
    """Three panels on the codebooks of a quantizer.

    It is recommended to use :meth:`from_estimator` to create the display.

    - *Cooling*: the mean assigned squared distance against the temperature, which falls
      from left to right. A quantizer with ``init="mean"`` starts with all codes at one
      place; a second line counts how many have parted.
    - *Passes*: the same distance over the passes, soft ones at the left. A peak is a
      round of relocation, which adds codes, takes others away and settles.
    - *Usage*: the share of the rows that every code stands for, largest first, against
      the share that all would have if they were used alike.

    Parameters
    ----------
    history : TrainingHistory or list of dict
        One dict per pass, as in ``history_``.
    usage : ndarray of shape (n_prototypes,) or (n_codebooks, n_prototypes)
        As in ``codebook_usage_``.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure with the panels.
    axes_ : ndarray of matplotlib Axes
        The three panels, in the order above.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLQuantizer
    >>> from sklearn_ddcl.inspection import CodebookDisplay
    >>> X, _ = load_iris(return_X_y=True)
    >>> quantizer = DDCLQuantizer(6, init="mean", random_state=0).fit(X)
    >>> CodebookDisplay.from_estimator(quantizer).axes_.shape
    (3,)
    """

    def __init__(self, history: Sequence[dict[str, float]], usage: np.ndarray) -> None:
        self.history = history
        self.usage = usage

    @classmethod
    def from_estimator(cls, estimator: Any, axes: Any = None) -> Self:
        """Draw the codebooks of a fitted quantizer.

        Parameters
        ----------
        estimator : estimator
            Fitted :class:`~sklearn_ddcl.DDCLQuantizer`, a pipeline that ends with one,
            or a search over either.
        axes : array-like of 3 matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : CodebookDisplay
            With everything drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If the estimator has no codebook, or `axes` are not three.
        """
        import_pyplot(cls.__name__)
        step = last_step(estimator)
        if not hasattr(step, "codebook_usage_"):
            raise ValueError(
                "expected a fitted DDCLQuantizer, or a pipeline that ends with one, "
                f"got {type(step).__name__}, which has no codebook."
            )
        return cls(step.history_, step.codebook_usage_).plot(axes)

    def plot(self, axes: Any = None) -> Self:
        """Draw the panels.

        Parameters
        ----------
        axes : array-like of 3 matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        self : CodebookDisplay
            The same display.
        """
        plt = import_pyplot(type(self).__name__)
        if axes is None:
            _, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
        self.axes_ = np.asarray(axes)
        if self.axes_.size != _N_PANELS:
            raise ValueError(
                f"axes must be {_N_PANELS} axes, got {self.axes_.size}; make them with "
                "plt.subplots(1, 3)."
            )
        panels = self.axes_.ravel()
        self.figure_ = panels[0].figure
        for ax in panels:
            clear_frame(ax)
        self._draw_cooling(panels[0])
        self._draw_passes(panels[1])
        self._draw_usage(panels[2])
        return self

    def _column(self, name: str) -> np.ndarray:
        return np.array([row.get(name, np.nan) for row in self.history], dtype=float)

    def _draw_cooling(self, ax: Any) -> None:
        name_panel(ax, "Cooling")
        soft = self._column("temperature") > 0
        ax.set_xlabel("temperature")
        ax.set_ylabel("mean squared distance")
        if not soft.any():
            return
        temperature = self._column("temperature")[soft]
        ax.plot(temperature, self._column("loss")[soft], ".-", color=_BLUE, ms=4)
        ax.set_xscale("log")
        ax.set_ylim(bottom=0)
        ax.invert_xaxis()
        parted = self._column("n_distinct")[soft]
        if np.isfinite(parted).any():
            ax.yaxis.label.set_color(_BLUE)
            twin = ax.twinx()
            twin.step(temperature, parted, where="mid", color=_ORANGE)
            twin.set_ylabel("codes that have parted", color=_ORANGE)
            twin.set_ylim(bottom=0)
            twin.spines[["top", "left"]].set_visible(False)
            twin.yaxis.get_major_locator().set_params(integer=True)

    def _draw_passes(self, ax: Any) -> None:
        name_panel(ax, "Passes")
        passes, loss = self._column("epoch"), self._column("loss")
        soft = self._column("temperature") > 0
        ax.plot(passes, loss, color=SOFT, lw=1)
        ax.plot(passes[soft], loss[soft], ".", color=_BLUE, label="soft")
        ax.plot(passes[~soft], loss[~soft], ".", color=_ORANGE, label="hard")
        ax.legend(frameon=False)
        ax.set_ylim(bottom=0)
        ax.set_xlabel("pass over the rows")
        ax.xaxis.get_major_locator().set_params(integer=True)

    def _draw_usage(self, ax: Any) -> None:
        name_panel(ax, "Usage")
        books = np.atleast_2d(self.usage)
        n_codes = books.shape[1]
        for m, shares in enumerate(books):
            ordered = np.sort(shares)[::-1]
            ax.stairs(
                ordered,
                np.arange(n_codes + 1) + 0.5,
                fill=len(books) == 1,
                color=PALETTE[m % len(PALETTE)],
                label=f"codebook {m}",
            )
        ax.axhline(1 / n_codes, color=INK, lw=1, ls=":")
        if 1 < len(books) <= len(PALETTE):
            ax.legend(frameon=False)
        ax.set_ylim(bottom=0)
        ax.set_xlabel("code, by usage")
        ax.set_ylabel("share of the rows")
        ax.xaxis.get_major_locator().set_params(integer=True)
