"""What counted prototypes cost and save, in tables and a picture."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .count_scores import COUNTERS
from .markdown import number, table
from .palette import COLORS, DPI, FAINT, INK, new_figure

AUTO, DEFAULT = "auto", "32"
_DESCRIBE = ("blobs", "codebook", "classifier", "features", "documents")


def describe_counts(results: list[dict[str, Any]]) -> str:
    """Return the report of all parts that were measured, in Markdown."""
    known = pd.DataFrame(results)
    parts = []
    for part in _DESCRIBE:
        own = known[known["part"] == part] if len(known) else known
        if len(own):
            parts.append(f"## {part.capitalize()}\n\n{_REPORTS[part](own)}")
    return "\n\n".join(parts)


def describe_blobs(known: pd.DataFrame) -> str:
    """Return how often and by how much every counter is wrong."""
    rows = []
    dimensions = known["set"].str.extract(r"d=(\d+)")[0]
    for counter in COUNTERS:
        for d in sorted(dimensions.unique(), key=int):
            own = known[(known["model"] == counter) & (dimensions == d)]
            wrong = own["found"] - own["true"]
            exact = int((wrong == 0).sum())
            rows.append(
                [
                    counter,
                    d,
                    f"{exact} of {len(own)}",
                    number(wrong.abs().mean(), 2),
                    number(own["fit_cpu"].median(), 2),
                ]
            )
    header = ("counter", "dimensions", "right", "mean error", "median CPU s")
    return table(header, rows)


def describe_codebooks(known: pd.DataFrame) -> str:
    """Return errors of known and fresh rows, by the number of codes."""
    rows = [
        [
            r["set"],
            r["model"],
            int(r["n_prototypes"]),
            number(r["train_error"], 3),
            number(r["test_error"], 3),
            number(r["fit_cpu"], 2),
        ]
        for _, r in known.iterrows()
    ]
    header = ("table", "asked for", "codes", "error", "of fresh rows", "CPU s")
    return table(header, rows)


def choices(known: pd.DataFrame) -> pd.DataFrame:
    """Return one row per case and way to choose a number of prototypes.

    Only cases count for which all numbers were tried.
    """
    rows = []
    n_models = known["model"].nunique()
    for (name, seed), own in known.groupby(["set", "seed"]):
        if len(own) < n_models:
            continue
        grid = own[own["model"] != AUTO]
        chosen = {
            "auto": (own[own["model"] == AUTO].iloc[0], None),
            "32, the default": (_given(grid, DEFAULT), None),
            "grid search": (grid.loc[grid["held_out"].idxmin()], grid["fit_cpu"].sum()),
            "best of the grid in hindsight": (grid.loc[grid["ll"].idxmin()], None),
        } | {f"{size}": (_given(grid, size), None) for size in grid["model"]}
        for way, (found, cpu) in chosen.items():
            record = {"set": name, "seed": seed, "way": way}
            for column in ("n_prototypes", "acc", "ll", "used"):
                record[column] = found[column]
            record["fit_cpu"] = found["fit_cpu"] if cpu is None else cpu
            rows.append(record)
    return pd.DataFrame(rows)


def describe_classifiers(known: pd.DataFrame) -> str:
    """Return means over tables and seeds, and what was found on every table."""
    known = known[known["error"].isna()] if "error" in known else known
    found = choices(known)
    if found.empty:
        return "No table was tried with all numbers."
    means = found.groupby("way", sort=False).mean(numeric_only=True)
    rows = [
        [
            way,
            number(r["acc"], 4),
            number(r["ll"], 4),
            number(r["n_prototypes"], 1),
            number(r["used"], 1),
            number(r["fit_cpu"], 1),
        ]
        for way, r in means.iterrows()
    ]
    header = ("n_prototypes", "accuracy", "log-loss", "found", "per row", "CPU s")
    n_cases = len(found[["set", "seed"]].drop_duplicates())
    own = known[known["model"] == AUTO]
    lines = [
        [name, int(cases["n_classes"].iloc[0]), _listed(cases["n_prototypes"])]
        for name, cases in own.groupby("set", sort=False)
    ]
    return f"Means of {n_cases} cases.\n\n{table(header, rows)}\n\n" + table(
        ("table", "classes", "found"), lines
    )


def describe_features(known: pd.DataFrame) -> str:
    """Return scores behind a linear classifier, by output and number."""
    known = known[known["error"].isna()] if "error" in known else known
    rows = [
        [
            model,
            len(own),
            number(own["acc"].mean(), 4),
            number(own["ll"].mean(), 4),
            _listed(own["n_prototypes"]),
        ]
        for model, own in known.groupby("model", sort=False)
    ]
    return table(("output", "cases", "accuracy", "log-loss", "prototypes"), rows)


def describe_documents(known: pd.DataFrame) -> str:
    """Return scores behind a linear classifier, by the levels."""
    rows = [
        [
            r["model"],
            ", ".join(map(str, r["n_prototypes"])),
            int(r["width"]),
            number(r["acc"], 4),
            number(r["ll"], 4),
            number(r["fit_cpu"], 1),
        ]
        for _, r in known.iterrows()
    ]
    header = ("levels", "prototypes", "width", "accuracy", "log-loss", "CPU s")
    return table(header, rows)


_REPORTS = {
    "blobs": describe_blobs,
    "codebook": describe_codebooks,
    "classifier": describe_classifiers,
    "features": describe_features,
    "documents": describe_documents,
}


def draw_counts(results: list[dict[str, Any]]) -> Figure:
    """Draw log-loss over the number of prototypes, found and given, table by table."""
    known = pd.DataFrame([r for r in results if r["part"] == "classifier"])
    names = list(dict.fromkeys(known["set"]))
    n_columns = min(4, len(names))
    n_rows = -(-len(names) // n_columns)
    figure = new_figure(2.5 * n_columns, 2.2 * n_rows + 0.3)
    axes = np.atleast_1d(figure.subplots(n_rows, n_columns, squeeze=False)).ravel()
    for ax, name in zip(axes, names, strict=False):
        for _, own in known[known["set"] == name].groupby("seed"):
            grid = own[own["model"] != AUTO].sort_values("n_prototypes")
            auto = own[own["model"] == AUTO]
            ax.plot(grid["n_prototypes"], grid["ll"], color=FAINT, marker=".")
            ax.plot(auto["n_prototypes"], auto["ll"], "*", color=COLORS["DDCL"], ms=11)
        ax.set_xscale("log", base=2)
        ax.set_xticks([2, 8, 32, 128], ["2", "8", "32", "128"])
        ax.minorticks_off()
        ax.set_title(name, fontsize=9, color=INK)
        ax.tick_params(labelsize=7)
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes[len(names) :]:
        ax.set_visible(False)
    figure.supxlabel("prototypes: found (stars) and given (dots)", fontsize=9)
    figure.supylabel("log-loss of test rows", fontsize=9)
    figure.dpi = DPI
    return figure


def _given(grid: pd.DataFrame, size: str) -> pd.Series:
    own = grid[grid["model"] == size]
    return (own if len(own) else grid).iloc[0]


def _listed(numbers: pd.Series) -> str:
    return ", ".join(str(int(value)) for value in numbers)
