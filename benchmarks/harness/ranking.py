"""How models compare over tables: ranks, means, wins and losses.

Seeds of one table are not independent, so whatever is averaged is averaged over the
seeds of a table first.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from .caps import DEFAULT_CAP, holds_for

SCORES = ("acc", "bal", "ll", "ece", "fit_cpu", "pred_cpu")
_KEY = ["set", "seed", "model"]
_SHAPE = ["n", "d", "cat", "classes"]
_HIGHER_IS_BETTER = ("acc", "bal")
_TIE = 1e-9
_ENOUGH_CASES = 0.9


def successes(
    results: Iterable[Mapping[str, Any]], cap: int = DEFAULT_CAP
) -> pd.DataFrame:
    """Return all successful results that hold for a cap on the rows.

    ``run`` is the date of their environment. What one result does not tell of its
    table is taken from others on the same one.
    """
    rows = [
        {**result, "run": (result.get("environment") or {}).get("date")}
        for result in results
        if holds_for(result, cap)
    ]
    frame = pd.DataFrame(rows, columns=[*_KEY, *SCORES, *_SHAPE, "run"])
    frame = frame[frame["acc"].notna()]
    shape = frame[_SHAPE].astype("float64")
    told = shape.groupby(frame["set"]).transform("first")
    return frame.assign(**shape.fillna(told))


def best_known(
    results: Iterable[Mapping[str, Any]], cap: int = DEFAULT_CAP
) -> pd.DataFrame:
    """Return the last successful result of every (set, seed, model) under a cap."""
    return successes(results, cap).drop_duplicates(_KEY, keep="last")


def common_cases(frame: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Return the results on those (set, seed) that all models have."""
    chosen = frame[frame["model"].isin(models)]
    n_models = chosen.groupby(["set", "seed"])["model"].transform("nunique")
    return chosen[n_models == len(set(models))]


def n_cases(frame: pd.DataFrame) -> int:
    """Return the number of (set, seed)."""
    return len(frame.drop_duplicates(["set", "seed"]))


def part_incomplete(
    frame: pd.DataFrame, models: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return the models that have about all cases, and those that lack some.

    The usual cases are those of the first model that half of the others have too. Who
    has nine tenths of them is complete.
    """
    has = frame.pivot_table(
        index=["set", "seed"], columns="model", values="acc", aggfunc="size"
    ).reindex(columns=list(models))
    has = has.notna()
    first, *others = models
    usual = has[has[first] & (has[others].sum(axis=1) >= len(others) / 2)]
    enough = usual.sum() >= _ENOUGH_CASES * len(usual)
    complete = [model for model in models if model == first or enough[model]]
    return complete, [model for model in models if model not in complete]


def ranks_per_table(frame: pd.DataFrame, by: str = "acc") -> pd.DataFrame:
    """Return mean ranks over the seeds: tables are rows, models columns, 1 is best.

    Equal scores share the mean of their ranks.
    """
    rank = frame.groupby(["set", "seed"])[by].rank(
        ascending=by not in _HIGHER_IS_BETTER
    )
    return frame.assign(rank=rank).pivot_table(
        index="set", columns="model", values="rank"
    )


def summarize(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean ranks by accuracy and by log-loss, and mean scores, best rank first.

    A score that a model lacks somewhere is missing in its mean.
    """
    scores = list(SCORES)
    per_table = frame.groupby(["model", "set"])[scores].agg(_strict_mean)
    means = per_table.groupby("model").agg(_strict_mean)
    means.insert(0, "rank", ranks_per_table(frame, "acc").mean())
    means.insert(1, "rank_ll", ranks_per_table(frame, "ll").mean())
    return means.sort_values("rank")


def _strict_mean(column: pd.Series) -> float:
    return column.mean(skipna=False)


def wins_ties_losses(
    frame: pd.DataFrame, model: str, rival: str, by: str = "acc"
) -> tuple[int, int, int]:
    """Return on how many cases a model wins, ties and loses against a rival."""
    scores = frame.pivot(index=["set", "seed"], columns="model", values=by)
    lead = scores[model] - scores[rival]
    if by not in _HIGHER_IS_BETTER:
        lead = -lead
    wins, losses = int((lead > _TIE).sum()), int((lead < -_TIE).sum())
    return wins, len(lead) - wins - losses, losses


def lead_per_table(
    frame: pd.DataFrame, model: str, rival: str, by: str = "acc"
) -> pd.Series:
    """Return how much higher a model scores than a rival, averaged over the seeds.

    Only cases that both have count; one value per table.
    """
    cases = common_cases(frame, [model, rival])
    scores = cases.pivot(index=["set", "seed"], columns="model", values=by)
    if scores.empty:
        return pd.Series(dtype="float64")
    return (scores[model] - scores[rival]).groupby("set").mean()
