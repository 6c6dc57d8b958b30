"""How models compare over tables: ranks, means, wins and losses."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

_SCORES = ("acc", "bal", "ll", "ece", "fit_cpu", "pred_cpu")
_TIE = 1e-9


def best_known(results: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the last successful result of every (set, seed, model)."""
    frame = pd.DataFrame(results, columns=["set", "seed", "model", *_SCORES, "error"])
    frame = frame[frame["acc"].notna()]
    return frame.drop_duplicates(["set", "seed", "model"], keep="last")


def common_cases(frame: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Return the results on those (set, seed) that all models have."""
    chosen = frame[frame["model"].isin(models)]
    n_models = chosen.groupby(["set", "seed"])["model"].transform("nunique")
    return chosen[n_models == len(set(models))]


def summarize(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean ranks by accuracy and by log-loss, and mean scores, best rank first.

    A score that a model lacks somewhere is missing in its mean.
    """
    case = frame.groupby(["set", "seed"])
    ranked = frame.assign(
        rank=case["acc"].rank(ascending=False), rank_ll=case["ll"].rank()
    )
    columns = ["rank", "rank_ll", *_SCORES]
    means = ranked.groupby("model")[columns].agg(
        lambda column: column.mean(skipna=False)
    )
    return means.sort_values("rank")


def wins_ties_losses(
    frame: pd.DataFrame, model: str, rival: str, by: str = "acc"
) -> tuple[int, int, int]:
    """Return on how many cases a model wins, ties and loses against a rival."""
    scores = frame.pivot(index=["set", "seed"], columns="model", values=by)
    lead = scores[model] - scores[rival]
    if by != "acc":
        lead = -lead
    wins, losses = int((lead > _TIE).sum()), int((lead < -_TIE).sum())
    return wins, len(lead) - wins - losses, losses
