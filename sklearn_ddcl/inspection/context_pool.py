"""Picture of how widely an encoder pools the columns of a table."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_ddcl.inspection.fitted import last_step
from sklearn_ddcl.inspection.style import (
    SOFT,
    clear_frame,
    import_pyplot,
    name_panel,
)

_MOST_NAMES = 40


class ContextPoolDisplay:
    """Sizes of the neighborhoods that columns take in, by layer.

    It is recommended to use :meth:`from_estimator` to create the display.

    A row is a column of the table, a dot the mean size that a layer predicted for it;
    later layers are darker. With ``context_pool="seriation"`` columns stand in the
    order in which they are neighbors, else in that of the table. More than 40 columns
    are drawn as a curve for each layer, without names.

    Parameters
    ----------
    pool_sizes : ndarray of shape (n_layers, n_features)
        As in ``pool_sizes_``.
    feature_names : sequence of str, default=None
        Names of the columns; by default their numbers.
    feature_order : ndarray of shape (n_features,), default=None
        Order in which they are drawn; by default their own.
    unit : str, default="columns"
        What sizes are measured in.

    Attributes
    ----------
    figure_ : matplotlib Figure
        Figure with the sizes.
    ax_ : matplotlib Axes
        Where they were drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLClassifier
    >>> from sklearn_ddcl.inspection import ContextPoolDisplay
    >>> from sklearn_ddcl.networks import AoTEncoder
    >>> X, y = load_iris(return_X_y=True)
    >>> encoder = AoTEncoder(context_pool="seriation")
    >>> clf = DDCLClassifier(encoder=encoder, max_epochs=5, random_state=0).fit(X, y)
    >>> len(ContextPoolDisplay.from_estimator(clf).ax_.get_yticks())
    4
    """

    def __init__(
        self,
        pool_sizes: np.ndarray,
        *,
        feature_names: Sequence[str] | None = None,
        feature_order: np.ndarray | None = None,
        unit: str = "columns",
    ) -> None:
        self.pool_sizes = pool_sizes
        self.feature_names = feature_names
        self.feature_order = feature_order
        self.unit = unit

    @classmethod
    def from_estimator(cls, estimator: Any, ax: Any = None) -> Self:
        """Draw what a fitted estimator learned.

        Parameters
        ----------
        estimator : estimator
            Fitted :class:`~sklearn_ddcl.DDCLClassifier` or
            :class:`~sklearn_ddcl.DDCLTransformer` whose encoder has a `context_pool`, a
            pipeline that ends with one, or a search over either.
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : ContextPoolDisplay
            With everything drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If the estimator does not pool columns.
        """
        import_pyplot(cls.__name__)
        step = last_step(estimator)
        if not hasattr(step, "pool_sizes_"):
            raise ValueError(
                "expected an estimator whose encoder pools columns, such as "
                'DDCLClassifier(encoder=AoTEncoder(context_pool="seriation")), got '
                f"{type(step).__name__} without pool_sizes_."
            )
        display = cls(
            step.pool_sizes_,
            feature_names=getattr(step, "feature_names_in_", None),
            feature_order=getattr(step, "feature_order_", None),
            unit="distances" if hasattr(step, "feature_distances_") else "columns",
        )
        return display.plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the sizes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        self : ContextPoolDisplay
            The same display.
        """
        plt = import_pyplot(type(self).__name__)
        n_layers, n_columns = self.pool_sizes.shape
        named = n_columns <= _MOST_NAMES
        if ax is None:
            shape = (6, 1.2 + 0.25 * n_columns) if named else (8, 3.5)
            _, ax = plt.subplots(figsize=shape, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        clear_frame(ax)
        name_panel(ax, "Neighborhoods of columns")
        order = self.feature_order
        order = np.arange(n_columns) if order is None else np.asarray(order)
        colors = plt.get_cmap("viridis_r")(np.linspace(0.15, 1, n_layers))
        draw = self._draw_dots if named else self._draw_curves
        for layer, color in enumerate(colors):
            draw(ax, self.pool_sizes[layer, order], color, f"layer {layer + 1}")
        if named:
            self._name_columns(ax, order)
        if n_layers > 1:
            # Beside: dots may be anywhere.
            ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return self

    def _draw_dots(self, ax: Any, sizes: np.ndarray, color: Any, label: str) -> None:
        ax.plot(sizes, np.arange(len(sizes)), "o", color=color, label=label, ms=5)

    def _draw_curves(self, ax: Any, sizes: np.ndarray, color: Any, label: str) -> None:
        ax.plot(sizes, color=color, label=label)
        ax.set(xlabel="column", ylabel=self._axis, xlim=(0, len(sizes) - 1))
        ax.set_ylim(bottom=0)

    def _name_columns(self, ax: Any, order: np.ndarray) -> None:
        names = self.feature_names
        names = [f"column {j}" for j in range(len(order))] if names is None else names
        ax.set_yticks(np.arange(len(order)), [str(names[j]) for j in order])
        ax.set_ylim(len(order) - 0.3, -0.7)
        ax.grid(axis="y", color=SOFT, lw=0.5, alpha=0.5)
        ax.set_axisbelow(True)
        ax.set_xlim(0, 1.05 * self.pool_sizes.max())
        ax.set_xlabel(self._axis)

    @property
    def _axis(self) -> str:
        return f"size of the neighborhood, in {self.unit}"
