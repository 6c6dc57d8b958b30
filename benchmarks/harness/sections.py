"""The sections of a report that are tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .markdown import mean_and_error, number, short, table
from .names import label
from .ranking import (
    common_cases,
    lead_per_table,
    n_cases,
    ranks_per_table,
    summarize,
    wins_ties_losses,
)

_SCORE_NAMES = ("accuracy", "balanced acc.", "log-loss", "ECE")
_COSTS = ("fit CPU s", "predict CPU s")
_UNKNOWN = "unknown"


def describe_summary(cases: pd.DataFrame) -> str:
    """Return mean ranks, scores and CPU seconds over the cases of all models."""
    header = ("model", "rank acc.", "rank log-loss", *_SCORE_NAMES, *_COSTS, "cases")
    rows = [
        (
            label(model),
            number(means["rank"], 2),
            number(means["rank_ll"], 2),
            *(number(means[field], 4) for field in ("acc", "bal", "ll", "ece")),
            *(short(means[field]) for field in ("fit_cpu", "pred_cpu")),
            n_cases(cases),
        )
        for model, means in summarize(cases).iterrows()
    ]
    return table(header, rows)


def describe_incomplete(frame: pd.DataFrame, models: Sequence[str], first: str) -> str:
    """Compare models with the first one, each on the cases that both have."""
    if not models:
        return "None."
    rows = []
    for model in models:
        cases = common_cases(frame, [first, model])
        if cases.empty:
            rows.append((label(model), 0, *[""] * 8))
            continue
        means = summarize(cases)
        pairs = [
            f"{number(means[by][model], 4)} / {number(means[by][first], 4)}"
            for by in ("acc", "bal", "ll", "ece")
        ]
        costs = [
            f"{short(means[by][model])} / {short(means[by][first])}"
            for by in ("fit_cpu", "pred_cpu")
        ]
        counts = [
            "/".join(map(str, wins_ties_losses(cases, model, first, by)))
            for by in ("acc", "ll")
        ]
        rows.append((label(model), n_cases(cases), *pairs, *costs, *counts))
    header = ("model", "cases", *_SCORE_NAMES, *_COSTS, "w/t/l acc.", "w/t/l log-loss")
    note = (
        f"Every cell is the model's mean / that of {label(first)} on the cases that "
        "both have; wins, ties and losses are the model's."
    )
    return f"{note}\n\n{table(header, rows)}"


def describe_groups(cases: pd.DataFrame) -> str:
    """Return mean accuracy and mean rank on groups of tables."""
    tables = cases.groupby("set")[["n", "d", "cat", "classes"]].first()
    ranks = ranks_per_table(cases)
    accuracy = cases.pivot_table(index="set", columns="model", values="acc")
    models = list(ranks.mean().sort_values(kind="stable").index)
    header, columns, unknown = ["model"], [], []
    for kind in (_size(tables), _columns(tables), _classes(tables)):
        unknown.append(set(kind.index[kind == _UNKNOWN]))
        for group in [name for name in kind.cat.categories if (kind == name).any()]:
            names = kind.index[kind == group]
            if group == _UNKNOWN:
                continue
            header.append(f"{group} ({len(names)})")
            mean, rank = accuracy.loc[names].mean(), ranks.loc[names].mean()
            columns.append([f"{mean[m]:.4f} ({rank[m]:.1f})" for m in models])
    note = (
        "Mean accuracy, and in brackets the mean rank; after the name of a group its "
        "number of tables. Rows are those used, for training and test."
    )
    if missing := set.union(*unknown):
        note += f" Not everything is known of {', '.join(sorted(missing))}."
    rows = [(label(m), *(c[i] for c in columns)) for i, m in enumerate(models)]
    return f"{note}\n\n{table(header, rows)}"


def _size(tables: pd.DataFrame) -> pd.Series:
    # A quarter of the rows, rounded up, was held out.
    rows = np.ceil(tables["n"] * 4 / 3)
    return _choose(
        {
            "under 1,000 rows": rows < 1000,
            "1,000 to 2,999 rows": rows.between(1000, 2999),
            "3,000 rows or more": rows >= 3000,
        }
    )


def _columns(tables: pd.DataFrame) -> pd.Series:
    return _choose(
        {
            "numeric": tables["cat"] == 0,
            "mixed": (tables["cat"] > 0) & (tables["cat"] < tables["d"]),
            "categorical": (tables["cat"] > 0) & (tables["cat"] == tables["d"]),
        }
    )


def _classes(tables: pd.DataFrame) -> pd.Series:
    return _choose(
        {"binary": tables["classes"] == 2, "multiclass": tables["classes"] > 2}
    )


def _choose(masks: dict[str, pd.Series]) -> pd.Series:
    """Return for every table the name of the mask that holds, or "unknown"."""
    names = np.select([m.to_numpy() for m in masks.values()], list(masks), _UNKNOWN)
    kind = pd.CategoricalDtype([*masks, _UNKNOWN])
    return pd.Series(names, index=next(iter(masks.values())).index).astype(kind)


def describe_price(frame: pd.DataFrame) -> str:
    """Compare the default readout by prototypes with a linear head, table by table."""
    ours, plain = "ddcl", "ddcl:readout=mean"
    points = 100 * lead_per_table(frame, ours, plain, "acc")
    nats = lead_per_table(frame, ours, plain, "ll")
    if points.empty:
        return f"There are no cases with both {label(ours)} and {label(plain)}."
    rows = [(name, f"{points[name]:+.2f}", f"{nats[name]:+.4f}") for name in nats.index]
    rows.append(
        (
            "**mean and standard error**",
            mean_and_error(points, 2),
            mean_and_error(nats, 4),
        )
    )
    rows.append(("smallest", f"{points.min():+.2f}", f"{nats.min():+.4f}"))
    rows.append(("largest", f"{points.max():+.2f}", f"{nats.max():+.4f}"))
    note = (
        f"{label(ours)} minus {label(plain)}, each the mean over the seeds of a table. "
        f"Prototypes are ahead in accuracy on {(points > 0).sum()} of {len(points)} "
        f"tables, and in log-loss, where less is better, on {(nats < 0).sum()}."
    )
    header = ("table", "points of accuracy", "nats of log-loss")
    return f"{note}\n\n{table(header, rows)}"


def describe_variants(frame: pd.DataFrame, variants: Sequence[str]) -> str:
    """Return what the defaults gain over each variant, paired over tables."""
    rows: list[tuple[Any, ...]] = []
    for variant in variants:
        points = 100 * lead_per_table(frame, "ddcl", variant, "acc")
        nats = lead_per_table(frame, "ddcl", variant, "ll")
        if variant != "ddcl" and not points.empty:
            name = variant.partition(":")[2]
            rows.append(
                (name, mean_and_error(points, 2), mean_and_error(nats, 4), len(points))
            )
    if not rows:
        return "There are no results of variants."
    header = ("variant", "points of accuracy", "nats of log-loss", "tables")
    note = (
        "Defaults minus variant, mean and standard error over tables: positive "
        "accuracy and negative log-loss speak for the defaults."
    )
    return f"{note}\n\n{table(header, rows)}"
