"""On how many cases each model beats each other one."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from .names import label
from .palette import new_figure
from .ranking import wins_ties_losses


def count_wins(frame: pd.DataFrame, models: list[str], by: str) -> np.ndarray:
    """Return wins, ties and losses of every model against every other.

    Returns
    -------
    ndarray of shape (n_models, n_models, 3)
        Entry (i, j) is how model i fares against model j.
    """
    counts = np.zeros((len(models), len(models), 3), dtype=int)
    for i, model in enumerate(models):
        for j, rival in enumerate(models[:i]):
            counts[i, j] = wins_ties_losses(frame, model, rival, by)
            counts[j, i] = counts[i, j][::-1]
    return counts


def win_share(counts: np.ndarray) -> np.ndarray:
    """Return wins and half the ties by the number of cases; nan on the diagonal."""
    total = counts.sum(axis=-1)
    points = counts[..., 0] + counts[..., 1] / 2
    return np.where(total > 0, points / np.maximum(total, 1), np.nan)


def draw_win_matrix(counts: np.ndarray, models: list[str], title: str) -> Figure:
    """Draw wins/ties/losses of rows against columns, colored by the share of wins."""
    names = [label(model) for model in models]
    size = len(models)
    figure = new_figure(0.72 * size + 3, 0.45 * size + 3)
    ax = figure.add_subplot()
    colors = colormaps["PuOr_r"].with_extremes(bad="#f4f4f4")
    share = win_share(counts)
    shown = ax.imshow(share, cmap=colors, vmin=0, vmax=1, aspect="auto")
    for i, j in zip(*np.nonzero(~np.isnan(share)), strict=True):
        dark = abs(share[i, j] - 0.5) > 0.33
        ax.text(
            j,
            i,
            "/".join(map(str, counts[i, j])),
            ha="center",
            va="center",
            fontsize=8,
            color="white" if dark else "#222222",
        )
    ax.set_xticks(range(size), names, rotation=40, ha="left", rotation_mode="anchor")
    ax.set_yticks(range(size), names)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    bar = figure.colorbar(
        shown, ax=ax, location="bottom", shrink=0.6, aspect=40, pad=0.02
    )
    bar.set_label(f"{title}; color: share won by the row, ties half")
    bar.outline.set_visible(False)
    return figure
