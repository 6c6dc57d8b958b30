"""What features.py measured, as tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from .caps import holds_for
from .feature_models import FEATURES, OURS, RIVALS
from .markdown import number, table
from .provenance import describe_environments, describe_failures
from .ranking import common_cases, n_cases, ranks_per_table, wins_ties_losses

_CASE = ["set", "seed", "model"]
_MEANS = ("acc", "bal", "ll", "ece", "features_cpu", "fit_cpu")


def describe_features(results: Iterable[Mapping[str, Any]], cap: int) -> str:
    """Return ranks, wins and scores by the number of columns."""
    held = [result for result in results if holds_for(result, cap)]
    parts = ["# Features without labels before logistic regression"]
    widths = sorted({r["width"] for r in held if r["width"] != "own"}, key=int)
    for width in ("own", *widths):
        frame = cases_of(held, width)
        parts += _section(frame, width)
    parts += ["## Failures", describe_failures(held)]
    parts += ["## Machines and versions", describe_environments(held)]
    return "\n\n".join(parts)


def cases_of(results: Iterable[Mapping[str, Any]], width: str) -> pd.DataFrame:
    """Return the last success of every case that has a width.

    What has as many columns as the table anyway counts for every width.
    """
    rows = [
        result
        for result in results
        if "error" not in result
        and (result["width"] == width or result["model"] in ("raw", RIVALS[1]))
    ]
    columns = [*_CASE, *_MEANS, "n_columns", "own_columns"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.drop_duplicates(_CASE, keep="last")


def _section(frame: pd.DataFrame, width: str) -> Sequence[str]:
    known = [spec for spec in FEATURES if (frame["model"] == spec).any()]
    five = [spec for spec in known if spec == OURS or spec in RIVALS]
    if OURS not in five or len(five) == 1 or common_cases(frame, five).empty:
        return ()
    title = "As many columns as the encoded table" if width == "own" else ""
    parts = [f"## {title or f'{width} columns'}", summarize(frame, five)]
    parts += [f"### {OURS} against each", describe_wins(frame, five)]
    if len(known) > len(five) and not common_cases(frame, known).empty:
        parts += ["### All features", summarize(frame, known)]
    parts += ["### Tables", describe_tables(frame, five)]
    return parts


def summarize(frame: pd.DataFrame, models: Sequence[str]) -> str:
    """Return mean ranks over tables and mean scores, best rank by accuracy first."""
    cases = common_cases(frame, models)
    means = cases.groupby(["model", "set"])[list(_MEANS)].mean().groupby("model").mean()
    means.insert(0, "rank", ranks_per_table(cases, "acc").mean())
    means.insert(1, "rank_ll", ranks_per_table(cases, "ll").mean())
    rows = [
        (
            spec,
            *(number(line[field], 2) for field in ("rank", "rank_ll")),
            *(number(line[field], 4) for field in ("acc", "bal", "ll", "ece")),
            *(number(line[field], 2) for field in ("features_cpu", "fit_cpu")),
        )
        for spec, line in means.sort_values("rank").iterrows()
    ]
    header = ("features", "rank acc", "rank ll", "accuracy", "balanced acc.")
    header += ("log-loss", "ECE", "features CPU s", "with classifier")
    n_tables = cases["set"].nunique()
    note = (
        f"{n_cases(cases)} cases, which are {n_tables} tables and their seeds; ranks "
        "and scores are means over the seeds of a table first."
    )
    return f"{note}\n\n{table(header, rows)}"


def describe_wins(frame: pd.DataFrame, models: Sequence[str]) -> str:
    """Return on how many tables and seeds ours wins, ties and loses, and the lead."""
    rows = []
    for rival in models:
        if rival == OURS:
            continue
        pair = common_cases(frame, [OURS, rival])
        counts = (
            "/".join(map(str, wins_ties_losses(pair, OURS, rival, by)))
            for by in ("acc", "ll")
        )
        scores = pair.pivot_table(index="set", columns="model", values=["acc", "ll"])
        leads = (
            f"{(scores[by, OURS] - scores[by, rival]).mean():+.4f}"
            for by in ("acc", "ll")
        )
        rows.append((rival, *counts, *leads))
    header = ("against", "wins/ties/losses acc", "wins/ties/losses ll")
    header += ("mean lead in accuracy", "mean lead in log-loss")
    return table(header, rows)


def describe_tables(frame: pd.DataFrame, models: Sequence[str]) -> str:
    """Return accuracy and log-loss of every table, means over its seeds."""
    cases = common_cases(frame, models)
    means = cases.pivot_table(index="set", columns="model", values=["acc", "ll"])
    columns = cases.groupby("set")["own_columns"].max()
    rows = [
        (
            name,
            int(columns[name]),
            *(f"{line['acc', spec]:.4f} / {line['ll', spec]:.4f}" for spec in models),
        )
        for name, line in means.iterrows()
    ]
    return table(("table", "columns", *models), rows)
