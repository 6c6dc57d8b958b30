"""How all pictures look; matplotlib's own settings are left alone."""

from typing import Any

import numpy as np

INK = "#333333"
SOFT = "#94a4a2"

# M. A. Petroff, "Accessible color sequences for data visualization",
# arXiv:2107.02270, 2021: ten colors that color-blind people can tell apart.
PALETTE = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#832db6",
    "#a96b59",
    "#92dadd",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#94a4a2",
)


def import_pyplot(needed_by: str) -> Any:
    """Return ``matplotlib.pyplot``, or say how to install it.

    Parameters
    ----------
    needed_by : str
        What to name in the error.

    Returns
    -------
    pyplot : module

    Raises
    ------
    ImportError
        If matplotlib is missing.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{needed_by} needs matplotlib, which is not installed; get it with "
            "`pip install sklearn-ddcl[plot]`."
        ) from error
    return plt


def class_colors(n_classes: int) -> list[Any]:
    """Return a color for every class.

    Parameters
    ----------
    n_classes : int
        Up to ten get colors that can be told apart, more get shades in order.

    Returns
    -------
    colors : list
        As matplotlib takes them.
    """
    if n_classes <= len(PALETTE):
        return list(PALETTE[:n_classes])
    from matplotlib import colormaps

    return list(colormaps["viridis"](np.linspace(0, 1, n_classes)))


def clear_frame(ax: Any) -> None:
    """Take away the lines above and to the right of an axes."""
    ax.spines[["top", "right"]].set_visible(False)


def legend_above(ax: Any, handles: list[Any], n_columns: int = 6) -> Any:
    """Put a legend over an axes, where it hides nothing, and return it."""
    # matplotlib fills column after column; people read line after line.
    by_column = [handle for c in range(n_columns) for handle in handles[c::n_columns]]
    return ax.legend(
        handles=by_column,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=n_columns,
        frameon=False,
        fontsize="small",
        borderaxespad=0.2,
        columnspacing=1.4,
        handletextpad=0.5,
    )


def name_panel(ax: Any, text: str) -> None:
    """Write the name of a panel above it, at the left.

    Parameters
    ----------
    ax : matplotlib Axes
        The panel.
    text : str
        Its name.
    """
    ax.set_title(text, loc="left", fontweight="bold")
