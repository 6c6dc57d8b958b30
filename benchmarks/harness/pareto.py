"""What a score costs: models by mean score and mean CPU seconds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .label_placement import place_labels
from .names import family, label
from .palette import COLORS, FAINT, MARKERS, SIZES, add_legend, new_figure

_SECONDS = {
    "fit_cpu": "mean CPU seconds of a fit",
    "pred_cpu": "mean CPU seconds of a prediction",
}
_SCORES = {"acc": "mean accuracy", "ll": "mean log-loss (nats)"}
_SHORTEST = 1e-4


def frontier(cost: Sequence[float], loss: Sequence[float]) -> list[int]:
    """Return who is beaten by nobody in both cost and loss, cheapest first."""
    order = np.lexsort((loss, cost))
    best, front = np.inf, []
    for i in order:
        if loss[i] < best:
            best = loss[i]
            front.append(int(i))
    return front


def draw_pareto(means: pd.DataFrame, cost: str) -> Figure:
    """Draw accuracy and log-loss against a cost, with the frontier.

    A model that is far off stands hollow at the edge, with its score beside it.

    Parameters
    ----------
    means : DataFrame
        One row per model with ``acc``, ``ll`` and the cost.
    cost : {"fit_cpu", "pred_cpu"}
        The column with the cost.
    """
    figure = new_figure(12, 5)
    panels = dict(zip(_SCORES, figure.subplots(1, 2), strict=True))
    for score, ax in panels.items():
        _draw_panel(ax, means, cost, score)
    add_legend(figure, set(map(family, means.index)))
    # Names go where the layout has settled, and it must not move afterwards.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for score, ax in panels.items():
        y, shown = means[score].to_numpy(), within_reach(means[score], score)
        names = [
            label(model) if yi == at else f"{label(model)} at {yi:.3f}"
            for model, yi, at in zip(means.index, y, shown, strict=True)
        ]
        x = _seconds(means, cost)
        steps = _steps(x, shown, score)
        place_labels(ax, x, shown, names, corners=steps, fontsize=8.5)
    return figure


def _steps(x: np.ndarray, y: np.ndarray, score: str) -> np.ndarray:
    """Return the corners of the frontier."""
    front = frontier(x, -y if score == "acc" else y)
    right = np.repeat(x[front], 2)[1:]
    up = np.repeat(y[front], 2)[:-1]
    return np.column_stack([right, up])


def within_reach(scores: pd.Series, score: str) -> np.ndarray:
    """Return scores with those moved to the edge that would squeeze all others.

    As long as leaving out the worst model more than halves the range, it is left out.
    """
    loss = -scores.to_numpy() if score == "acc" else scores.to_numpy()
    kept = np.sort(loss)
    while len(kept) > 3 and kept[-1] - kept[0] > 2 * (kept[-2] - kept[0]) > 0:
        kept = kept[:-1]
    edge = kept[-1] + 0.2 * (kept[-1] - kept[0])
    moved = np.where(loss > kept[-1], edge, loss)
    return -moved if score == "acc" else moved


def _seconds(means: pd.DataFrame, cost: str) -> np.ndarray:
    return means[cost].clip(lower=_SHORTEST).to_numpy()


def _draw_panel(ax: Axes, means: pd.DataFrame, cost: str, score: str) -> None:
    x, y = _seconds(means, cost), within_reach(means[score], score)
    moved = y != means[score].to_numpy()
    ax.plot(*_steps(x, y, score).T, color=FAINT, lw=1.5, zorder=1, label="frontier")
    for model, xi, yi, off in zip(means.index, x, y, moved, strict=True):
        kind = family(model)
        style = {"color": COLORS[kind], "ms": SIZES[kind], "zorder": 3}
        style |= {"mfc": "white"} if off else {}
        ax.plot(xi, yi, MARKERS[kind], **style)
    ax.set_xscale("log")
    between = (1, 2, 5) if x.max() < 1000 * x.min() else (1,)
    ax.xaxis.set_major_locator(LogLocator(subs=between))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.margins(x=0.12, y=0.1)
    ax.grid(which="major", color="#eeeeee", lw=0.8, zorder=0)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_xlabel(_SECONDS[cost])
    ax.set_ylabel(_SCORES[score])
    better = "up and left" if score == "acc" else "down and left"
    ax.set_title(f"{_SCORES[score]}: better is {better}", fontsize=10)
