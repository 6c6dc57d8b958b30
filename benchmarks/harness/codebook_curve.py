"""What distortion costs: options of ours and numbers of starts of k-means."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .codebook_models import COMPETITORS, OURS, RELOCATIONS
from .palette import COLORS, MARKERS, SIZES, new_figure
from .pareto import within_reach

_KMEANS = "KMeans:n_init="
_LINES = {
    "DDCL": [f"{OURS}:n_relocations={n}" for n in RELOCATIONS] + [OURS],
    "other": [spec for spec in COMPETITORS if spec.startswith(_KMEANS)],
}
_TITLES = {"DDCL": "DDCLQuantizer, by relocations", "other": "KMeans, by n_init"}
_OFFSETS = {"DDCL": (-4, -13), "other": (2, 6)}
_ALONE = "MiniBatchKMeans"


def draw_curves(ratios: pd.DataFrame) -> Figure:
    """Draw inertia against CPU seconds, a panel per size of the codebook.

    Parameters
    ----------
    ratios : DataFrame
        ``inertia`` and ``fit_cpu`` relative to a reference, indexed by ``set``,
        ``n_codes`` and ``model``. Points are geometric means over sets. One that is far
        off stands at the edge, with its value beside it.
    """
    sizes = sorted(set(ratios.index.get_level_values("n_codes")))
    figure = new_figure(4 * len(sizes) + 1, 4.2)
    panels = figure.subplots(1, len(sizes), squeeze=False)[0]
    for ax, size in zip(panels, sizes, strict=True):
        logs = np.log(ratios.xs(size, level="n_codes")).groupby("model").mean()
        _draw_panel(ax, np.exp(logs))
        ax.set_title(f"K = {size}", fontsize=10)
    panels[0].set_ylabel("inertia / KMeans n_init=10")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside lower center", ncols=3, fontsize=9, frameon=False
    )
    return figure


def _draw_panel(ax: Axes, means: pd.DataFrame) -> None:
    # On lines nothing is moved, however far off.
    within = pd.Series(within_reach(means["inertia"], "ll"), means.index)
    shown = means.assign(y=within.where(means.index == _ALONE, means["inertia"]))
    for family, specs in _LINES.items():
        points = shown.reindex(specs).dropna()
        style = {"color": COLORS[family], "ms": SIZES[family] * 0.8}
        style["label"] = _TITLES[family]
        ax.plot(points["fit_cpu"], points["y"], "-" + MARKERS[family], **style)
        for spec, point in points.iterrows():
            option = spec.rpartition("=")[2] if "=" in spec else "auto"
            _name(ax, point, option, family)
    if _ALONE in shown.index:
        point = shown.loc[_ALONE]
        style = {"color": COLORS["trees"], "label": _ALONE}
        ax.plot(point["fit_cpu"], point["y"], "x", **style)
        if point["y"] != point["inertia"]:
            _name(ax, point, f"at {point['inertia']:.3f}", "other")
    _dress(ax)


def _name(ax: Axes, point: pd.Series, text: str, family: str) -> None:
    ax.annotate(
        text,
        (point["fit_cpu"], point["y"]),
        xytext=_OFFSETS[family],
        textcoords="offset points",
        fontsize=8,
        color=COLORS[family],
    )


def _dress(ax: Axes) -> None:
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.margins(x=0.12, y=0.12)
    ax.grid(which="major", color="#eeeeee", lw=0.8, zorder=0)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_xlabel("CPU seconds / KMeans n_init=10")
