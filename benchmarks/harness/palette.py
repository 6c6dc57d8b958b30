"""Colors and marks of the model families, distinct also to the color-blind."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

INK = "#333333"
FAINT = "#bbbbbb"
COLORS = {"DDCL": "#d55e00", "deep": "#009e73", "trees": "#0072b2", "other": "#777777"}
MARKERS = {"DDCL": "*", "deep": "o", "trees": "s", "other": "D"}
SIZES = {"DDCL": 13.0, "deep": 7.0, "trees": 6.5, "other": 6.0}
DPI = 150


def new_figure(width: float, height: float) -> Figure:
    """Return a figure of a size in inches that pyplot does not know of."""
    figure = Figure(
        figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white"
    )
    FigureCanvasAgg(figure)
    return figure


def add_legend(figure: Figure, families: set[str]) -> None:
    """Explain the marks of families below the axes."""
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            color=COLORS[name],
            marker=MARKERS[name],
            markersize=SIZES[name],
            label=name,
        )
        for name in COLORS
        if name in families
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        fontsize=9,
        frameon=False,
    )
