"""Whether the mean ranks of models over tables differ by more than chance.

References
----------
.. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data sets",
   Journal of Machine Learning Research 7, 2006.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, studentized_range


class Comparison(NamedTuple):
    """Mean ranks and what can be said about their differences."""

    mean_ranks: pd.Series
    """By model, best first."""
    n_tables: int
    p_value: float
    """Of Friedman's test that no model differs from another."""
    critical_difference: float
    """Mean ranks that are further apart differ by Nemenyi's test."""
    groups: list[list[str]]
    """Models that it cannot tell apart, the largest groups only."""


def compare_ranks(ranks: pd.DataFrame, alpha: float = 0.05) -> Comparison:
    """Compare three models or more by their ranks on two tables or more.

    Parameters
    ----------
    ranks : DataFrame
        One row per table, one column per model; 1 is best. Ranks may be means over
        seeds. These vary less than ranks of one seed, which makes the critical
        difference cautious; Friedman's test ranks them again.
    alpha : float, default=0.05
        Probability of finding any difference where there is none.
    """
    n_tables, n_models = ranks.shape
    if n_models < 3 or n_tables < 2:
        raise ValueError(
            "Ranks must be of at least 3 models on at least 2 tables, got "
            f"{n_models} and {n_tables}; compare two models by wins and losses."
        )
    mean_ranks = ranks.mean().sort_values(kind="stable")
    distance = critical_difference(n_models, n_tables, alpha)
    return Comparison(
        mean_ranks,
        n_tables,
        _friedman(ranks.to_numpy()),
        distance,
        groups_within(mean_ranks, distance),
    )


def _friedman(ranks: np.ndarray) -> float:
    # Its statistic is 0 / 0 where all models tie on every table.
    if (ranks == ranks[:, :1]).all():
        return 1.0
    return float(friedmanchisquare(*ranks.T).pvalue)


def critical_value(n_models: int, alpha: float = 0.05) -> float:
    """Return q of Nemenyi's test, the studentized range divided by the root of 2."""
    return float(studentized_range.ppf(1 - alpha, n_models, np.inf)) / math.sqrt(2)


def critical_difference(n_models: int, n_tables: int, alpha: float = 0.05) -> float:
    """Return how far mean ranks must be apart for two models to differ."""
    spread = math.sqrt(n_models * (n_models + 1) / (6 * n_tables))
    return critical_value(n_models, alpha) * spread


def groups_within(mean_ranks: pd.Series, distance: float) -> list[list[str]]:
    """Return the longest runs of at least two models less than a distance apart."""
    ranks = mean_ranks.sort_values(kind="stable")
    groups: list[list[str]] = []
    reached = 0
    for start, rank in enumerate(ranks):
        end = int((ranks < rank + distance).sum())
        if end > max(reached, start + 1):
            groups.append(list(ranks.index[start:end]))
            reached = end
    return groups
