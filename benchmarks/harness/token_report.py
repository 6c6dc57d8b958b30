"""What the benchmark of token sequences found, as tables in Markdown."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from .markdown import number, table
from .provenance import describe_environments
from .token_models import parse_spec

_MIB = 2**20


def write_report(results: Sequence[dict[str, Any]]) -> str:
    """Return a table per set and the comparisons that the benchmark is for."""
    if not results:
        return "No results."
    frame = summarize(results)
    parts = ["# Token sequences"]
    for name, lines in frame.groupby("set", sort=False):
        parts += [f"## {name}", _scores(lines)]
    parts += ["## Fewer layers with pooling", _savings(frame)]
    parts += ["## Machines and versions", describe_environments(results)]
    return "\n\n".join(parts)


def summarize(results: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return means over seeds: one line per set and model, with ``acc_sd``."""
    frame = pd.DataFrame(results).drop(columns="environment", errors="ignore")
    groups = frame.groupby(["set", "model"], sort=False)
    means = groups.mean(numeric_only=True).drop(columns="seed")
    means["acc_sd"] = groups["acc"].std()
    means["n_seeds"] = groups.size()
    return means.reset_index()


def describe(spec: str) -> str:
    """Return a readable name: "aot, 1 layer, pooled in random order"."""
    name, options = parse_spec(spec)
    n_layers = options.pop("n_layers")
    words = [name, f"{n_layers} layer{'s' if n_layers != 1 else ''}"]
    pool, shuffled = options.pop("pool", None), options.pop("shuffled", 0)
    words += [f"{key} {value}" for key, value in options.items()]
    if pool == "fixed":
        words.append("fixed width")
    elif pool is not None:
        words.append("pooled")
    if shuffled:
        words.append("in random order")
    return ", ".join(words[:-1]) + f" {words[-1]}" if shuffled else ", ".join(words)


def _scores(lines: pd.DataFrame) -> str:
    header = (
        "model", "encoder weights", "accuracy", "sd", "log-loss", "fit CPU s",
        "peak MiB", "seeds",
    )  # fmt: skip
    rows = [
        (
            describe(line.model),
            f"{line.encoder_parameters:,.0f}",
            number(line.acc, 4),
            number(line.acc_sd, 4),
            number(line.ll, 3),
            number(line.fit_cpu, 1),
            number(line.fit_bytes / _MIB, 0),
            line.n_seeds,
        )
        for line in lines.itertuples()
    ]
    return table(header, rows)


def _savings(frame: pd.DataFrame) -> str:
    """Compare k layers with pooling to 2k without, and to the random order."""
    header = (
        "set", "blocks", "layers", "2k without", "k pooled", "k in random order",
        "k fixed width", "weights", "time", "memory",
    )  # fmt: skip
    rows = []
    for (name, kind, k), (many, few) in _pairs(frame).items():
        lines = frame[frame["set"] == name].set_index("model")
        own = f"{kind}:n_layers={k}"
        controls = [f"{own},pool=learned,shuffled=1", f"{own},pool=fixed"]
        accuracies = lines["acc"].reindex([many, few, *controls])
        costs = lines[["encoder_parameters", "fit_cpu", "fit_bytes"]]
        ratios = costs.loc[few] / costs.loc[many]
        rows.append(
            (
                name,
                kind,
                f"{k} for {2 * k}",
                *(number(value, 4) for value in accuracies),
                *(number(ratio, 2) for ratio in ratios),
            )
        )
    note = "The last three are ratios of k layers with pooling to 2k without."
    return f"{note}\n\n{table(header, rows, n_left=3)}"


def _pairs(frame: pd.DataFrame) -> dict[tuple[str, str, int], tuple[str, str]]:
    """Return the models to compare: 2k layers, and k with pooling."""
    pairs = {}
    for name, lines in frame.groupby("set", sort=False):
        models = set(lines["model"])
        for spec in lines["model"]:
            kind, options = parse_spec(spec)
            k = options["n_layers"]
            if spec == f"{kind}:n_layers={k},pool=learned":
                many = f"{kind}:n_layers={2 * k}"
                if many in models:
                    pairs[str(name), kind, k] = many, spec
    return pairs
