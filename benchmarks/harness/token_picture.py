"""Picture of accuracy against the weights of an encoder, one panel per set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from .palette import FAINT, INK, new_figure
from .token_models import parse_spec
from .token_report import summarize

_KINDS = {
    "transformer": ("#0072b2", "s"),
    "attention alone": ("#d55e00", "o"),
    "one projection": ("#e69f00", "D"),
    "pooled": ("#009e73", "^"),
    "random order": ("#777777", "v"),
    "fixed width": ("#cc79a7", "P"),
}


def draw_sizes(path: Path, results: Sequence[dict[str, Any]]) -> None:
    """Save the picture; marks that belong together are joined by their depth."""
    frame = summarize(results)
    names = list(dict.fromkeys(frame["set"]))
    figure = new_figure(3.1 * len(names), 3.6)
    axes = figure.subplots(1, len(names), squeeze=False)[0]
    for ax, name in zip(axes, names, strict=True):
        _draw_set(ax, frame[frame["set"] == name])
        ax.set_title(name, fontsize=10, color=INK)
        ax.set_xlabel("thousand weights in the encoder", fontsize=9)
        ax.grid(color=FAINT, linewidth=0.4, alpha=0.6)
        ax.tick_params(labelsize=8)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    axes[0].set_ylabel("accuracy", fontsize=9)
    handles = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles[label] = handle
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        fontsize=9,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _draw_set(ax: Any, lines: pd.DataFrame) -> None:
    lines = lines.assign(kind=[_kind(spec) for spec in lines["model"]])
    for (kind, name), group in lines.groupby(["kind", lines["model"].map(_blocks)]):
        color, marker = _KINDS.get(kind, (INK, "x"))
        group = group.sort_values("encoder_parameters")
        ax.errorbar(
            group["encoder_parameters"] / 1000,
            group["acc"],
            group["acc_sd"].fillna(0.0),
            color=color,
            marker=marker,
            markersize=6,
            # Hollow where the blocks are those of a transformer.
            markerfacecolor=color if name != "transformer" else "white",
            linewidth=1.0,
            elinewidth=0.8,
            capsize=2,
            label=kind if name != "transformer" or kind == "transformer" else None,
        )


def _blocks(spec: str) -> str:
    return parse_spec(spec)[0]


def _kind(spec: str) -> str:
    name, options = parse_spec(spec)
    if options.get("shuffled"):
        return "random order"
    if options.get("pool") == "fixed":
        return "fixed width"
    if "pool" in options:
        return "pooled"
    if name != "aot":
        return name
    if options.get("projection") == "shared":
        return "one projection"
    return "attention alone"
