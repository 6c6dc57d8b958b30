"""What clustering.py measured, as tables."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from .clustering_data import SETS
from .clustering_dual import SOLVERS
from .clustering_models import MODELS, OURS
from .markdown import number, short, table
from .names import label
from .provenance import describe_environments, describe_failures

_CASE = ["part", "set", "seed", "model", "n_columns"]
_SCORES = ["acc", "nmi", "ari", "fit_cpu", "inertia"]
_NAMES = {
    "acc": "Matched accuracy",
    "nmi": "Normalized mutual information",
    "ari": "Adjusted Rand index",
}


def write_report(results: Iterable[Mapping[str, Any]], folder: Path) -> Path:
    """Leave ``clustering.md`` in a folder, and return its path."""
    results = list(results)
    frame = successes(results)
    parts = ["# Clusters beside classes that they were not told"]
    for part, title in (("all rows", "All rows"), ("held out", "Rows held out")):
        here = frame[frame["part"] == part]
        if here.empty:
            continue
        parts += [f"## {title}"]
        for score, name in _NAMES.items():
            parts += [f"### {name}", describe_means(here, score)]
        parts += ["### Spread over the seeds", describe_spread(here)]
        parts += ["### CPU seconds", describe_means(here, "fit_cpu")]
    dual = frame[frame["part"] == "dual"]
    if not dual.empty:
        parts += ["## Few rows with many columns", describe_dual(dual)]
    parts += ["## Failures", describe_failures(results)]
    parts += ["## Machines and versions", describe_environments(results)]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "clustering.md"
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def successes(results: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the last success of every case."""
    frame = pd.DataFrame(
        [result for result in results if "error" not in result],
        columns=[*_CASE, *_SCORES],
    )
    return frame.drop_duplicates(_CASE, keep="last")


def describe_means(frame: pd.DataFrame, score: str) -> str:
    """Return means over the seeds by set and model, and over the sets of all models.

    The mean of a model that lacks sets is left out; ``common`` is over the sets that
    every model has.
    """
    means = frame.pivot_table(index="set", columns="model", values=score)
    models = [spec for spec in MODELS if spec in means]
    means = means.reindex(index=_in_order(means.index), columns=models)
    digits = 3 if score != "fit_cpu" else 2
    rows = [_line(name, line, digits) for name, line in means.iterrows()]
    rows.append(_line("mean", means.mean(skipna=False), digits))
    common = means.dropna()
    if 0 < len(common) < len(means):
        rows.append(_line(f"mean of {len(common)} in common", common.mean(), digits))
    n_seeds = frame.groupby(["set", "model"])["seed"].nunique()
    least, most = n_seeds.min(), n_seeds.max()
    seeds = f"{most}" if least == most else f"{least} to {most}"
    header = ("set", *map(label, models))
    return f"Means over {seeds} seeds.\n\n{table(header, rows)}"


def describe_spread(frame: pd.DataFrame) -> str:
    """Return standard deviations of the matched accuracy over the seeds."""
    spread = frame.groupby(["set", "model"])["acc"].std(ddof=1).unstack("model")
    models = [spec for spec in MODELS if spec in spread]
    spread = spread.reindex(index=_in_order(spread.index), columns=models)
    rows = [_line(name, line, 4) for name, line in spread.iterrows()]
    rows.append(_line("mean", spread.mean(skipna=False), 4))
    note = "Standard deviations of the matched accuracy."
    if OURS in spread:
        lower = (spread.drop(columns=OURS).gt(spread[OURS], axis=0)).sum()
        beaten = (f"{label(spec)} on {lower[spec]}" for spec in lower.index)
        note += f" {label(OURS)} has less than " + ", ".join(beaten) + "."
    return f"{note}\n\n{table(('set', *map(label, models)), rows)}"


def describe_dual(frame: pd.DataFrame) -> str:
    """Return accuracy, inertia beside the best and seconds by columns and solver."""
    models = [spec for spec in SOLVERS if (frame["model"] == spec).any()]
    best = frame.groupby(["n_columns", "seed"])["inertia"].transform("min")
    frame = frame.assign(ratio=frame["inertia"] / best)
    rows = []
    for n_columns, here in frame.groupby("n_columns"):
        of = here.groupby("model")
        for spec in models:
            mean, spread = of["acc"].mean()[spec], of["acc"].std(ddof=1)[spec]
            accuracy = f"{mean:.3f} ± {number(spread, 3)}"
            ratio = number(of["ratio"].mean()[spec], 4)
            rows.append(
                (
                    n_columns,
                    label(spec),
                    accuracy,
                    ratio,
                    short(of["fit_cpu"].mean()[spec]),
                )
            )
    note = (
        "Two clusters of 100 rows of make_classification with five informative "
        "columns. Inertia is beside the least that any solver reached on the same rows."
    )
    header = ("columns", "solver", "matched accuracy", "inertia / least", "CPU s")
    return f"{note}\n\n{table(header, rows, n_left=2)}"


def _line(name: str, line: pd.Series, digits: int) -> Sequence[str]:
    return (name, *(number(value, digits) for value in line))


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: [*SETS, name].index(name))
