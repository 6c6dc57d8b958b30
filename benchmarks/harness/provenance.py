"""Where results come from: machines, versions, failures, and times of the same run."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from .markdown import short, table
from .names import label


def cost_ratios(frame: pd.DataFrame, models: Sequence[str], first: str) -> pd.DataFrame:
    """Return median ratios of CPU seconds to those of the first model.

    Parameters
    ----------
    frame : DataFrame
        All successful results, with the ``run`` that they were measured in.
    models : sequence of str
        What to compare.
    first : str
        What to compare with.

    Returns
    -------
    DataFrame
        One row per model: ``fit``, ``predict``, the number of ``cases``, and whether
        they are of the ``same_run``. Only where there is none of those, the last
        results of different runs are compared.
    """
    rows = {model: _ratio(frame, model, first) for model in models if model != first}
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["fit", "predict", "cases", "same_run"]
    )


def _ratio(frame: pd.DataFrame, model: str, first: str) -> tuple:
    for same_run in (True, False):
        case = ["set", "seed", "run"] if same_run else ["set", "seed"]
        ours, theirs = (
            frame[frame["model"] == name]
            .dropna(subset=case)
            .drop_duplicates(case, keep="last")
            .set_index(case)[["fit_cpu", "pred_cpu"]]
            for name in (first, model)
        )
        ratios = (theirs / ours).dropna()
        if len(ratios):
            break
    return *ratios.median(), len(ratios), same_run


def describe_costs(ratios: pd.DataFrame, first: str) -> str:
    """Return the ratios as a table that says what they rest on."""
    rows = [
        (
            label(model),
            short(row["fit"]),
            short(row["predict"]),
            row["cases"],
            "same run" if row["same_run"] else "different runs",
        )
        for model, row in ratios.iterrows()
        if row["cases"]
    ]
    if not rows:
        return "There is nothing to compare."
    note = (
        "Median over cases of a model's CPU seconds divided by those of "
        f"{label(first)}. "
        "Results of one run share machine, versions and load; ratios of different runs "
        "are less certain."
    )
    header = ("model", "fit", "predict", "cases", "measured in")
    return f"{note}\n\n{table(header, rows)}"


def describe_failures(results: Iterable[Mapping[str, Any]]) -> str:
    """Return the cases that failed and never succeeded afterwards."""
    last: dict[tuple, str | None] = {}
    for result in results:
        case = (result["model"], result["set"], result["seed"])
        # A success stays one: a later failure does not hide it.
        if "error" not in result:
            last[case] = None
        else:
            last[case] = last.get(case, result["error"]) and result["error"]
    rows = [
        (label(model), name, seed, error)
        for (model, name, seed), error in last.items()
        if error is not None
    ]
    if not rows:
        return "None."
    return table(("model", "table", "seed", "error"), rows, n_left=4)


def describe_environments(results: Iterable[Mapping[str, Any]]) -> str:
    """Return machines and versions, each with the number of its results."""
    counts: Counter[tuple[str, str]] = Counter()
    runs: dict[tuple[str, str], set] = {}
    for result in results:
        environment = result.get("environment") or {}
        place = _machine(environment), _versions(environment)
        counts[place] += 1
        runs.setdefault(place, set()).add(environment.get("date"))
    rows = [
        (machine, versions, len(runs[machine, versions]), n_results)
        for (machine, versions), n_results in counts.most_common()
    ]
    return table(("machine", "versions", "runs", "results"), rows, n_left=2)


def _machine(environment: Mapping[str, Any]) -> str:
    if not environment:
        return "unknown"
    threads = environment.get("torch_threads")
    parts = (
        environment.get("cpu", ""),
        f"{environment.get('cores')} cores",
        f"{threads} thread{'' if threads == 1 else 's'}",
        environment.get("system", ""),
    )
    return ", ".join(filter(None, parts))


def _versions(environment: Mapping[str, Any]) -> str:
    versions = environment.get("versions", {})
    return ", ".join(f"{name} {version}" for name, version in versions.items())
