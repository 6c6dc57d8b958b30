"""Ranks, means, wins and losses over the cases that all models have."""

import pytest

from benchmarks.harness.ranking import (
    best_known,
    common_cases,
    summarize,
    wins_ties_losses,
)


def result(name, model, acc, ll, **more):
    scores = {"acc": acc, "bal": acc, "ll": ll, "fit_cpu": 1.0, "pred_cpu": 0.0}
    return {"set": name, "seed": 0, "model": model, **scores, **more}


@pytest.fixture
def cases():
    results = [
        result("iris", "a", 0.9, 0.3, ece=0.1),
        result("iris", "b", 0.8, 0.2, ece=0.1),
        result("wine", "a", 0.7, 0.5, ece=0.3),
        result("wine", "b", 0.7, 0.4),
        result("only a", "a", 0.1, 9.0),
    ]
    return common_cases(best_known(results), ["a", "b"])


def test_only_cases_that_all_models_have_count(cases):
    assert set(cases["set"]) == {"iris", "wine"}


def test_ranks_and_means_by_hand(cases):
    table = summarize(cases)
    # Accuracy: 1 and 2 on iris, shared 1.5 on wine. Log-loss: b is first on both.
    assert table["rank"].to_dict() == {"a": 1.25, "b": 1.75}
    assert table["rank_ll"].to_dict() == {"a": 2.0, "b": 1.0}
    assert table["acc"].to_dict() == pytest.approx({"a": 0.8, "b": 0.75})
    assert list(table.index) == ["a", "b"]


def test_a_score_that_is_missing_somewhere_has_no_mean(cases):
    ece = summarize(cases)["ece"]
    assert ece["a"] == pytest.approx(0.2)
    assert ece.isna()["b"]


def test_wins_ties_and_losses_by_hand(cases):
    assert wins_ties_losses(cases, "a", "b") == (1, 1, 0)
    assert wins_ties_losses(cases, "b", "a") == (0, 1, 1)
    assert wins_ties_losses(cases, "a", "b", by="ll") == (0, 0, 2)


def test_the_last_result_of_a_case_counts():
    known = best_known([result("iris", "a", 0.1, 1.0), result("iris", "a", 0.9, 0.1)])
    assert known["acc"].tolist() == [0.9]


def test_an_error_does_not_hide_a_result():
    error = {"set": "iris", "seed": 0, "model": "a", "error": "ValueError"}
    known = best_known([result("iris", "a", 0.9, 0.1), error])
    assert known["acc"].tolist() == [0.9]
