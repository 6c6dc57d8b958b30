"""What the benchmark of growth found, as tables in Markdown."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from .markdown import number, table
from .provenance import describe_environments


def write_report(results: Sequence[dict[str, Any]]) -> str:
    """Return a table per part of the benchmark that has results."""
    if not results:
        return "No results."
    frame = pd.DataFrame(results).drop(columns="environment", errors="ignore")
    parts = ["# Growth"]
    for part, (title, describe) in _PARTS.items():
        lines = frame[frame["part"] == part].dropna(axis=1, how="all")
        if len(lines):
            parts += [f"## {title}", describe(lines)]
    parts += ["## Machines and versions", describe_environments(results)]
    return "\n\n".join(parts)


def _ranks(lines: pd.DataFrame) -> str:
    error = ((lines["found"] - lines["rank"]).abs() / lines["rank"]).mean()
    foreseen = ((lines["predicted"] - lines["found"]).abs() / lines["found"]).mean()
    rows = [
        (
            f"{rank:.0f}",
            *(
                " ".join(f"{v:.0f}" for v in own[name])
                for name in ("found", "predicted")
            ),
            number(own["bound"].mean(), 1),
            number(own["loss"].mean(), 3),
            number(own["loss_fixed"].mean(), 3),
        )
        for rank, own in lines.groupby("rank")
    ]
    header = ("rank", "found", "predicted", "bound", "loss", "same size from scratch")
    return (
        f"{table(header, rows)}\n\nHeads found are off by {error:.1%} of the rank on "
        f"the average; heads predicted by {foreseen:.1%} of those found."
    )


def _sizes(lines: pd.DataFrame) -> str:
    means = lines.groupby("model", sort=False).mean(numeric_only=True)
    heads = lines.groupby("model", sort=False)["n_heads"].agg(
        lambda own: sum(map(sum, own)) / sum(map(len, own))
    )
    first, cases = means.index[0], lines["model"].value_counts()
    rows = [
        (
            model,
            cases[model],
            number(row["acc"], 4),
            number(row["ll"], 4),
            number(heads[model], 2),
            f"{row['block_parameters']:,.0f}",
            number(row["block_parameters"] / means.loc[first, "block_parameters"], 2),
            number(row["fit_cpu"], 1),
        )
        for model, row in means.iterrows()
    ]
    header = (
        "encoder", "cases", "accuracy", "log-loss", "heads per block",
        "weights of the blocks", "of the first", "fit CPU s",
    )  # fmt: skip
    changed = lines[lines["actions"].map(bool)]["model"].value_counts()
    grew = "; ".join(f"{model} {n}" for model, n in changed.items()) or "none"
    note = f"Cases in which heads came, turned or went: {grew}."
    return f"{table(header, rows)}\n\n{note}"


def _separation(lines: pd.DataFrame) -> str:
    lines = lines.assign(
        step=lines["separation_after"] / lines["separation_before"] - 1,
        signal=lines["energy_after"] - lines["energy_before"],
    )
    rows = [
        (
            rule,
            "a head came" if grew else "nothing came",
            len(own),
            f"{own['step'].mean():+.2%}",
            f"{(own['step'] > 0).mean():.0%}",
            f"{100 * own['signal'].mean():+.3f}",
            f"{(own['signal'] > 0).mean():.0%}",
        )
        for (rule, grew), own in lines.groupby(["rule", "grew"], sort=False)
    ]
    header = (
        "heads come by", "look", "looks", "separation", "rises", "energy, points",
        "rises",
    )  # fmt: skip
    return table(header, rows, n_left=2)


def _rules(lines: pd.DataFrame) -> str:
    rows = [
        (
            rule,
            f"{rank:.0f}",
            " ".join(f"{v:.0f}" for v in own["found"]),
            number(own["loss"].mean(), 3),
        )
        for (rank, rule), own in lines.groupby(["rank", "rule"], sort=False)
    ]
    return table(("rule", "rank", "found", "loss"), rows)


_PARTS = {
    "rank": ("Tasks of known rank", _ranks),
    "tables": ("Tables", _sizes),
    "tokens": ("Token embeddings of SST-2", _sizes),
    "folds": ("Training sentences of SST-2 in four folds", _sizes),
    "narrow": ("Narrow heads on tables", _sizes),
    "separation": ("Do growth and separation reinforce each other?", _separation),
    "rules": ("Rules of growth", _rules),
    "blocks": ("Behind attention", _sizes),
}
