"""Critical-difference diagram: mean ranks, and bars over what does not differ."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .names import family, label
from .palette import COLORS, INK, new_figure
from .significance import Comparison

_ROW = 0.62
_BAR = 0.28
_SCALE = 2.1
_INCHES_OF_SCALE = 4.5
_INCHES_PER_LETTER = 0.085


def draw_rank_diagram(comparison: Comparison, title: str) -> Figure:
    """Draw the mean ranks of models on a line, best to the left.

    Bars join models that Nemenyi's test cannot tell apart.
    """
    ranks, groups = comparison.mean_ranks, comparison.groups
    n_models = len(ranks)
    n_left = math.ceil(n_models / 2)
    top = -_BAR * (len(groups) + 1.5)
    height = _SCALE + _ROW * n_left - top
    names = max(len(label(model)) for model in ranks.index) * _INCHES_PER_LETTER + 0.6
    figure = new_figure(_INCHES_OF_SCALE + 2 * names, 0.42 * height + 0.4)
    ax = figure.add_subplot()
    ax.set_title(title, fontsize=11)
    ax.set_axis_off()
    _draw_scale(ax, n_models, comparison.critical_difference)
    for level, group in enumerate(groups, start=1):
        ends = [ranks[group[0]] - 0.04, ranks[group[-1]] + 0.04]
        ax.plot(ends, [-_BAR * level] * 2, color=INK, lw=4, solid_capstyle="round")
    rank_per_inch = (n_models - 1) / _INCHES_OF_SCALE
    margin = 0.25 * rank_per_inch
    for place, (model, rank) in enumerate(ranks.items()):
        left = place < n_left
        row = place if left else n_models - 1 - place
        end = 1 - margin if left else n_models + margin
        y = top - _ROW * row
        color = COLORS[family(model)]
        ax.plot([rank, rank, end], [0, y, y], color=color, lw=1.2)
        name = f"{label(model)}  {rank:.2f}" if left else f"{rank:.2f}  {label(model)}"
        ax.text(
            end + (-0.08 if left else 0.08) * rank_per_inch,
            y,
            name,
            ha="right" if left else "left",
            va="center",
            color=color,
            fontsize=10,
            fontweight="bold" if model == "ddcl" else "normal",
        )
    room = names * rank_per_inch + margin
    right = max(n_models + room, 1 + comparison.critical_difference + margin)
    ax.set_xlim(1 - room, right)
    ax.set_ylim(top - _ROW * (n_left - 0.4), _SCALE)
    return figure


def _draw_scale(ax: Axes, n_models: int, distance: float) -> None:
    ax.plot([1, n_models], [0, 0], color=INK, lw=1.2)
    for rank in range(1, n_models + 1):
        ax.plot([rank, rank], [0, 0.15], color=INK, lw=1.2)
        ax.text(rank, 0.25, str(rank), ha="center", va="bottom", fontsize=9, color=INK)
    ends = [1, 1 + distance]
    ax.plot(ends, [1.25, 1.25], color=INK, lw=1.6, marker="|", ms=7)
    ax.text(
        1,
        1.45,
        f"critical difference {distance:.2f}",
        ha="left",
        va="bottom",
        fontsize=9,
        color=INK,
    )
