"""How the cost of a sequence grows with its length, as tables and a picture."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .markdown import number, short, table
from .palette import FAINT, new_figure
from .provenance import describe_environments

# Growth is that between sequences at least so long, where constant costs hardly count.
_LONG = 2000
_MIB = 2**20


def growth(tokens: Iterable[float], costs: Iterable[float]) -> float:
    """Return the exponent of the power of the length that a cost grows with."""
    known = [(t, c) for t, c in zip(tokens, costs, strict=True) if t >= _LONG and c > 0]
    if len(known) < 2:
        return float("nan")
    x, y = np.log(np.array(known)).T
    return float(np.polyfit(x, y, 1)[0])


def report(results: Sequence[dict[str, Any]], d_token: int, n_heads: int) -> str:
    """Return tables of seconds and mebibytes, each with its growth."""
    if not results:
        return "No results."
    frame = pd.DataFrame(results)
    frame["MiB"] = frame["bytes"] / _MIB
    lengths = sorted(frame["tokens"].unique())
    parts = [
        "# Cost of a sequence",
        f"One sequence of tokens of width {d_token}, {n_heads} heads, one thread. The "
        f"exponent is that of the length, from {_LONG:,} tokens on.",
    ]
    for field, title in (("cpu", "CPU seconds"), ("MiB", "Peak memory, MiB")):
        rows = []
        for (name, which), lines in frame.groupby(["module", "pass"], sort=False):
            costs = lines.set_index("tokens")[field].reindex(lengths)
            cells = [short(cost) for cost in costs]
            rows.append((name, which, *cells, number(growth(lengths, costs), 2)))
        header = ("module", "pass", *(f"{n:,}" for n in lengths), "exponent")
        parts += [f"## {title}", table(header, rows, n_left=2)]
    parts += ["## Machines and versions", describe_environments(results)]
    return "\n\n".join(parts)


def draw(path: Path, results: Sequence[dict[str, Any]], which: str) -> None:
    """Save a picture of both costs of one kind of pass."""
    frame = pd.DataFrame(results)
    frame = frame[frame["pass"] == which]
    figure = new_figure(9.0, 3.8)
    axes = figure.subplots(1, 2)
    colors = ("#d55e00", "#e69f00", "#0072b2", "#009e73", "#56b4e9")
    for ax, field, unit, title in (
        (axes[0], "cpu", 1, "CPU seconds"),
        (axes[1], "bytes", _MIB, "peak memory, MiB"),
    ):
        for color, (name, lines) in zip(
            colors, frame.groupby("module", sort=False), strict=False
        ):
            ax.loglog(
                lines["tokens"], lines[field] / unit, "o-", color=color, label=name,
                markersize=4,
            )  # fmt: skip
        ax.set_xlabel("tokens")
        ax.set_ylabel(title)
        ax.set_xticks(sorted(frame["tokens"].unique()))
        ax.xaxis.set_major_formatter("{x:,.0f}")
        ax.minorticks_off()
        ax.grid(color=FAINT, linewidth=0.4, alpha=0.6)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
