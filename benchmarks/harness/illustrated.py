"""The sections of a report that are pictures, which they leave beside it."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from .markdown import image, table
from .names import label
from .pareto import draw_pareto
from .rank_diagram import draw_rank_diagram
from .ranking import ranks_per_table, summarize
from .significance import compare_ranks
from .win_matrix import count_wins, draw_win_matrix

_BY = {"acc": "accuracy", "ll": "log-loss"}


def illustrate_ranks(cases: pd.DataFrame, folder: Path, prefix: str = "") -> str:
    """Draw critical-difference diagrams, and tell Friedman's test."""
    parts = []
    for by, name in _BY.items():
        ranks = ranks_per_table(cases, by)
        if ranks.shape[0] < 2 or ranks.shape[1] < 3:
            return "Tests of ranks need three models and two tables."
        result = compare_ranks(ranks)
        title = f"mean rank by {name} over {result.n_tables} tables"
        picture = _save(draw_rank_diagram(result, title), folder, f"{prefix}ranks_{by}")
        doubt = (
            "" if result.p_value < 0.05 else ", so no difference between them is shown"
        )
        parts.append(
            f"By {name}: Friedman's test that all models are alike has "
            f"p = {result.p_value:.2g}{doubt}. Bars join models whose mean ranks are "
            f"less than the critical difference of {result.critical_difference:.2f} "
            f"apart (Nemenyi, 5 %).\n\n{image(title, picture)}"
        )
    return "\n\n".join(parts)


def illustrate_costs(cases: pd.DataFrame, folder: Path) -> str:
    """Draw scores against CPU seconds of fits and predictions."""
    means = summarize(cases)
    parts = [
        "The line is the frontier: no model is both cheaper and better than one on it. "
        "A hollow mark is a model too far off to be drawn in place."
    ]
    for cost, name in (("fit_cpu", "fit"), ("pred_cpu", "predict")):
        picture = _save(draw_pareto(means, cost), folder, f"pareto_{name}")
        parts.append(image(f"scores against CPU seconds to {name}", picture))
    return "\n\n".join(parts)


def illustrate_wins(cases: pd.DataFrame, folder: Path) -> str:
    """Draw and list wins, ties and losses of every pair of models."""
    parts = ["Wins/ties/losses of the model of the row, over all cases."]
    models = list(summarize(cases).index)
    names = [label(model) for model in models]
    for by, name in _BY.items():
        counts = count_wins(cases, models, by)
        figure = draw_win_matrix(counts, models, f"wins/ties/losses by {name}")
        picture = _save(figure, folder, f"wins_{by}")
        rows = [
            (
                names[i],
                *(
                    "" if i == j else "/".join(map(str, counts[i, j]))
                    for j in range(len(models))
                ),
            )
            for i in range(len(models))
        ]
        listed = table((f"by {name}", *names), rows)
        parts.append(f"{image(f'wins by {name}', picture)}\n\n{listed}")
    return "\n\n".join(parts)


def _save(figure: Figure, folder: Path, name: str) -> str:
    figure.savefig(folder / f"{name}.png", dpi="figure")
    return f"{name}.png"
