"""Ranks, means, wins and losses over the cases that all models have."""

import pandas as pd
import pytest

from benchmarks.harness.ranking import (
    best_known,
    common_cases,
    lead_per_table,
    n_cases,
    part_incomplete,
    ranks_per_table,
    successes,
    summarize,
    wins_ties_losses,
)


def result(name, model, acc, ll=1.0, **more):
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


def test_results_of_another_cap_do_not_count():
    results = [
        result("iris", "a", 0.1, n=2250),
        result("iris", "a", 0.2, n=9000, cap=0),
        result("wine", "a", 0.3, n=60, cap=0),
    ]
    assert best_known(results)["acc"].tolist() == [0.1, 0.3]
    assert best_known(results, cap=0)["acc"].tolist() == [0.2, 0.3]


def test_the_shape_of_a_table_is_taken_from_whoever_tells_it():
    results = [
        result("iris", "a", 0.1),
        result("iris", "b", 0.2, n=60, d=4, cat=1, classes=3),
        result("wine", "a", 0.3),
    ]
    frame = successes(results).set_index(["set", "model"])
    assert frame.loc[("iris", "a"), ["n", "d", "cat", "classes"]].tolist() == [
        60,
        4,
        1,
        3,
    ]
    assert frame.loc["wine", ["n", "cat"]].isna().all(axis=None)


def test_a_result_is_of_the_run_with_its_environment():
    frame = successes(
        [
            result("iris", "a", 0.1, environment={"date": "today"}),
            result("wine", "a", 0.1, environment=None),
        ]
    )
    assert frame["run"].fillna("unknown").tolist() == ["today", "unknown"]


def test_no_results_make_an_empty_frame():
    assert best_known([]).empty
    assert best_known([{"set": "iris", "seed": 0, "model": "a", "error": "no"}]).empty


@pytest.fixture
def uneven():
    """Iris has three seeds, on all of which b wins; on wine, with one, a wins."""
    seeds = [
        result("iris", m, s, 1 - s, seed=k)
        for m, s in (("a", 0.5), ("b", 0.7))
        for k in range(3)
    ]
    wine = [result("wine", "a", 0.9, 0.1), result("wine", "b", 0.8, 0.2)]
    return best_known([*seeds, *wine])


def test_ranks_and_means_are_averaged_per_table_first(uneven):
    table = summarize(uneven)
    assert table["rank"].to_dict() == {"a": 1.5, "b": 1.5}
    assert table["rank_ll"].to_dict() == {"a": 1.5, "b": 1.5}
    assert table["acc"].to_dict() == pytest.approx({"a": 0.7, "b": 0.75})


def test_ranks_of_the_seeds_of_a_table_are_averaged():
    results = [
        result("iris", "a", 0.9, 0.1, seed=0),
        result("iris", "b", 0.8, 0.1, seed=0),
        result("iris", "a", 0.1, 0.1, seed=1),
        result("iris", "b", 0.2, 0.3, seed=1),
    ]
    frame = best_known(results)
    assert ranks_per_table(frame).loc["iris"].to_dict() == {"a": 1.5, "b": 1.5}
    assert ranks_per_table(frame, "ll").loc["iris"].to_dict() == {"a": 1.25, "b": 1.75}


def test_a_lead_is_averaged_per_table_over_the_cases_that_both_have(uneven):
    lead = lead_per_table(uneven, "a", "b")
    assert lead.to_dict() == pytest.approx({"iris": -0.2, "wine": 0.1})
    lonely = pd.concat([uneven, best_known([result("only a", "a", 0.1)])])
    assert lead_per_table(lonely, "a", "b").index.tolist() == ["iris", "wine"]
    assert lead_per_table(uneven, "a", "absent").empty


def test_who_has_less_than_nine_tenths_of_the_usual_cases_is_incomplete():
    results = [
        *(result(f"table {i}", "ours", 0.5) for i in range(30)),
        *(result(f"table {i}", "full", 0.5) for i in range(20)),
        *(result(f"table {i}", "twin", 0.5) for i in range(20)),
        *(result(f"table {i}", "nearly", 0.5) for i in range(18)),
        *(result(f"table {i}", "short", 0.5) for i in range(17)),
        # On tables that the first model lacks.
        *(result(f"other {i}", "short", 0.5) for i in range(20)),
    ]
    frame = best_known(results)
    models = ["ours", "full", "twin", "nearly", "short"]

    complete, lacking = part_incomplete(frame, models)

    assert (complete, lacking) == (models[:4], ["short"])
    assert n_cases(common_cases(frame, complete)) == 18


def test_a_model_alone_is_complete():
    assert part_incomplete(best_known([result("iris", "a", 0.5)]), ["a"]) == (["a"], [])
