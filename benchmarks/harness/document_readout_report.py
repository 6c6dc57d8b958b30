"""The results of the benchmark of readouts as Markdown, with a picture."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from .document_report import mean_and_sd
from .markdown import table
from .palette import COLORS, FAINT, INK, new_figure

_USUAL_RATIO = 10.0
_SHADES = {2: "#56b4e9", 4: "#0072b2", 8: "#e69f00", 16: "#d55e00"}


def write_report(results: list[dict[str, Any]], folder: Path) -> str:
    """Write readout_text.md and its picture, and return the text."""
    if not results:
        return "There are no results yet."
    folder.mkdir(parents=True, exist_ok=True)
    parts = ["# Readouts of a transformer on SST-2", _readouts(results)]
    ratios = _ratios(results)
    if ratios:
        _draw(results, folder / "readout_text.png")
        parts += [ratios, "![](readout_text.png)"]
    text = "\n\n".join(parts) + "\n"
    (folder / "readout_text.md").write_text(text, encoding="utf-8")
    return text


def grouped(results: list[dict[str, Any]], field: str) -> dict[tuple, list[float]]:
    """Return the values of all seeds by readout, size and ratio."""
    found: dict[tuple, list[float]] = defaultdict(list)
    for result in results:
        if field in result:
            key = result["readout"], result["n_prototypes"], result["lr_ratio"]
            found[key].append(result[field])
    return found


def _readouts(results: list[dict[str, Any]]) -> str:
    accuracy = grouped(results, "accuracy")
    sizes = sorted({size for _, size, _ in accuracy if size})
    rows = []
    for name in dict.fromkeys(name for name, _, _ in accuracy):
        if name in ("mean", "cls"):
            rows.append([name, mean_and_sd(accuracy[name, 0, 1.0]), *[""] * len(sizes)])
            continue
        found = [accuracy.get((name, size, _USUAL_RATIO), []) for size in sizes]
        rows.append([name, "", *(mean_and_sd(own) if own else "" for own in found)])
    head = ["readout", "no prototypes", *(f"K = {size}" for size in sizes)]
    return (
        f"## Accuracy, percent, prototypes {_USUAL_RATIO:g} times as fast\n\n"
        + table(head, rows)
    )


def _ratios(results: list[dict[str, Any]]) -> str:
    own = [r for r in results if r["readout"] == "assignments"]
    accuracy = grouped(own, "accuracy")
    if len({ratio for _, _, ratio in accuracy}) < 2:
        return ""
    separation, perplexity = (grouped(own, f) for f in ("separation", "perplexity"))
    rows = [
        [
            size,
            f"{ratio:g}",
            mean_and_sd(accuracy[key]),
            f"{np.mean(separation[key]):.2f}",
            f"{np.mean(perplexity[key]):.1f}",
        ]
        for key in sorted(accuracy, key=lambda key: key[1:])
        for _, size, ratio in [key]
    ]
    head = ["K", "ratio of rates", "accuracy", "separation", "prototypes in use"]
    return (
        "## Time scales, mean assignments as readout\n\nSeparation: the smallest "
        "distance of two prototypes, relative to the spread of the tokens.\n\n"
        + table(head, rows, 0)
    )


def _draw(results: list[dict[str, Any]], path: Path) -> None:
    own = [r for r in results if r["readout"] == "assignments"]
    figure = new_figure(8.5, 3.4)
    axes = figure.subplots(1, 2)
    for ax, field, factor in zip(
        axes, ("accuracy", "separation"), (100, 1), strict=True
    ):
        found = grouped(own, field)
        for size in sorted({size for _, size, _ in found}):
            keys = sorted((key for key in found if key[1] == size), key=lambda k: k[2])
            means = np.array([factor * np.mean(found[key]) for key in keys])
            color = _SHADES.get(size, COLORS["DDCL"])
            ax.plot([k[2] for k in keys], means, "o-", color=color, label=f"K = {size}")
        ax.set_xscale("log")
        ax.set_xlabel("rate of the prototypes / rate of the encoder")
        ax.spines[["top", "right"]].set_visible(False)
    both = grouped(results, "accuracy")
    for name, style in (("mean", "--"), ("cls", ":")):
        if (name, 0, 1.0) in both:
            level = 100 * np.mean(both[name, 0, 1.0])
            axes[0].axhline(level, color=FAINT, linestyle=style, zorder=0, label=name)
    axes[0].set_ylabel("accuracy, percent", color=INK)
    axes[1].set_ylabel("separation", color=INK)
    axes[1].set_ylim(bottom=0)
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside right center",
        frameon=False,
        fontsize=8,
    )
    figure.savefig(path)
