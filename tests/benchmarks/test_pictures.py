"""Pictures hold every model once, and names do not cover each other."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation, Text

from benchmarks.harness.pareto import draw_pareto, frontier, within_reach
from benchmarks.harness.rank_diagram import draw_rank_diagram
from benchmarks.harness.ranking import best_known
from benchmarks.harness.significance import compare_ranks
from benchmarks.harness.win_matrix import count_wins, draw_win_matrix, win_share

MODELS = (
    "ddcl",
    "realmlp",
    "tabm",
    "catboost",
    "lgbm",
    "xgb",
    "histgb",
    "rf",
    "logreg",
)


@pytest.fixture
def means():
    """Many models of almost the same score and cost, and one far off."""
    rng = np.random.default_rng(0)
    n = len(MODELS)
    frame = pd.DataFrame(index=list(MODELS))
    frame["acc"] = 0.85 + 0.004 * rng.random(n)
    frame["ll"] = 0.35 + 0.02 * rng.random(n)
    frame["fit_cpu"] = 10 ** (0.3 * rng.random(n))
    frame["pred_cpu"] = frame["fit_cpu"] / 100
    frame.loc["logreg", ["acc", "ll"]] = 0.4, 3.0
    return frame


def test_the_frontier_by_hand():
    cost, loss = [3.0, 1.0, 2.0, 4.0, 1.0], [0.1, 0.5, 0.7, 0.1, 0.4]
    # (2, .7) is worse than (1, .4), and (4, .1) dearer than (3, .1).
    assert frontier(cost, loss) == [4, 0]


def test_one_model_far_off_is_moved_to_the_edge():
    scores = pd.Series([0.9, 0.8, 0.85, 0.1])
    assert within_reach(scores, "acc") == pytest.approx([0.9, 0.8, 0.85, 0.78])
    losses = pd.Series([0.1, 0.2, 0.15, 0.9])
    assert within_reach(losses, "ll") == pytest.approx([0.1, 0.2, 0.15, 0.22])
    near = pd.Series([0.9, 0.8, 0.85, 0.75])
    assert (within_reach(near, "acc") == near).all()
    # One that is far ahead is what the picture is about.
    ahead = pd.Series([0.9, 0.5, 0.51, 0.52])
    assert (within_reach(ahead, "acc") == ahead).all()


@pytest.mark.parametrize("cost", ["fit_cpu", "pred_cpu"])
def test_both_panels_hold_every_model_with_its_name(means, cost):
    figure = draw_pareto(means, cost)

    assert len(figure.axes) == 2
    for ax in figure.axes:
        points = [line for line in ax.lines if line.get_label() != "frontier"]
        assert [line.get_xdata()[0] for line in points] == means[cost].tolist()
        names = [text.get_text() for text in ax.texts]
        assert len(names) == len(MODELS)
        assert {"DDCL", "RealMLP-TD", "HistGradientBoosting"} <= set(names)
        assert ax.get_xscale() == "log"
        (hollow,) = (p for p in points if p.get_markerfacecolor() == "white")
        assert hollow is points[-1]
    assert "logistic regression at 0.400" in [
        t.get_text() for t in figure.axes[0].texts
    ]


def test_names_cover_neither_each_other_nor_points_nor_the_frame(means):
    figure = draw_pareto(means, "fit_cpu")
    renderer = figure.canvas.get_renderer()
    for ax in figure.axes:
        boxes = [
            Text.get_window_extent(text, renderer)
            for text in ax.texts
            if isinstance(text, Annotation)
        ]
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
        frame = ax.get_window_extent(renderer)
        for box in boxes:
            assert frame.x0 <= box.x0
            assert box.x1 <= frame.x1
            assert frame.y0 <= box.y0
            assert box.y1 <= frame.y1
        for line in ax.lines:
            if line.get_label() != "frontier":
                center = ax.transData.transform(line.get_xydata())[0]
                assert not any(box.contains(*center) for box in boxes)


@pytest.fixture
def comparison():
    # a and b swap places on 20 tables, c and d too, but always behind.
    ranks = [[1, 2, 3, 4], [2, 1, 4, 3]] * 10
    return compare_ranks(pd.DataFrame(ranks, columns=["ddcl", "rf", "lgbm", "ftt"]))


def test_a_rank_diagram_has_a_name_per_model_and_a_bar_per_group(comparison):
    ax = draw_rank_diagram(comparison, "ranks").axes[0]

    texts = [text.get_text() for text in ax.texts]
    assert {"DDCL  1.50", "random forest  1.50"} <= set(texts)
    assert {"3.50  LightGBM", "3.50  FT-Transformer"} <= set(texts)
    assert any("critical difference 1.0" in text for text in texts)
    bars = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 4]
    assert len(bars) == 2
    assert bars[0] == pytest.approx([1.5, 1.5], abs=0.1)
    assert bars[1] == pytest.approx([3.5, 3.5], abs=0.1)


def test_long_names_stay_inside_a_rank_diagram(comparison):
    long = {
        name: f"ddcl:encoder__numerical=piecewise{i}" for i, name in enumerate("abcd")
    }
    ranks = comparison.mean_ranks.set_axis(list(long.values()))
    figure = draw_rank_diagram(
        comparison._replace(mean_ranks=ranks, groups=[]), "ranks"
    )

    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    for text in figure.axes[0].texts:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1


@pytest.fixture
def cases():
    scores = {"iris": (0.9, 0.8, 0.8), "wine": (0.5, 0.7, 0.7), "soy": (0.3, 0.3, 0.9)}
    return best_known(
        {"set": name, "seed": 0, "model": model, "acc": acc, "ll": 1 - acc}
        for name, accs in scores.items()
        for model, acc in zip(("ddcl", "rf", "lgbm"), accs, strict=True)
    )


def test_wins_are_counted_by_hand(cases):
    counts = count_wins(cases, ["ddcl", "rf", "lgbm"], "acc")
    assert counts.tolist() == [
        [[0, 0, 0], [1, 1, 1], [1, 0, 2]],
        [[1, 1, 1], [0, 0, 0], [0, 2, 1]],
        [[2, 0, 1], [1, 2, 0], [0, 0, 0]],
    ]
    assert (count_wins(cases, ["ddcl", "rf", "lgbm"], "ll") == counts).all()
    assert win_share(counts)[0] == pytest.approx([np.nan, 1 / 2, 1 / 3], nan_ok=True)


def test_a_win_matrix_tells_every_pair(cases):
    models = ["ddcl", "rf", "lgbm"]
    counts = count_wins(cases, models, "acc")

    ax = draw_win_matrix(counts, models, "by accuracy").axes[0]

    told = {text.get_position(): text.get_text() for text in ax.texts}
    assert told == {
        (1, 0): "1/1/1",
        (2, 0): "1/0/2",
        (0, 1): "1/1/1",
        (2, 1): "0/2/1",
        (0, 2): "2/0/1",
        (1, 2): "1/2/0",
    }
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names == ["DDCL", "random forest", "LightGBM"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == names
