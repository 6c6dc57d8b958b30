"""Costs are compared within a run where possible; failures and machines are told."""

import pytest

from benchmarks.harness.provenance import (
    cost_ratios,
    describe_costs,
    describe_environments,
    describe_failures,
)
from benchmarks.harness.ranking import successes


def result(model, fit, run, name="iris", **more):
    environment = {"date": run, "cpu": "CPU", "versions": {"torch": run}}
    scores = {"acc": 0.5, "fit_cpu": fit, "pred_cpu": fit / 10}
    case = {"set": name, "seed": 0, "model": model}
    return {**case, **scores, "environment": environment if run else None, **more}


def test_only_times_of_the_same_run_are_compared():
    frame = successes(
        [
            result("ours", 1.0, "slow day"),
            result("theirs", 2.0, "slow day"),
            result("ours", 100.0, "slow day", "wine"),
            result("theirs", 400.0, "slow day", "wine"),
            # Another run, on a machine a thousand times faster.
            result("theirs", 0.002, "fast day"),
        ]
    )

    ratios = cost_ratios(frame, ["ours", "theirs"], "ours")

    assert ratios.loc["theirs"].to_dict() == {
        "fit": pytest.approx(3.0),
        "predict": pytest.approx(3.0),
        "cases": 2,
        "same_run": True,
    }
    assert ratios.index.tolist() == ["theirs"]
    assert "| theirs | 3 | 3 | 2 | same run |" in describe_costs(ratios, "ours")


@pytest.mark.parametrize("run", ["fast day", None])
def test_without_a_common_run_the_last_results_are_compared(run):
    frame = successes(
        [
            result("ours", 1.0, None),
            result("ours", 2.0, "slow day"),
            result("theirs", 1.0, run),
        ]
    )
    ratios = cost_ratios(frame, ["ours", "theirs"], "ours")
    told = ratios.loc["theirs", ["fit", "cases", "same_run"]].tolist()
    # Runs without a date are not taken for one and the same run.
    assert told == [0.5, 1, False]


def test_models_without_a_common_case_have_no_ratio():
    frame = successes([result("ours", 1.0, "a"), result("theirs", 1.0, "a", "wine")])
    ratios = cost_ratios(frame, ["ours", "theirs"], "ours")
    assert describe_costs(ratios, "ours") == "There is nothing to compare."


def test_failures_that_never_succeeded_are_listed():
    def failed(model, error="ValueError: a|b\nc"):
        return {"model": model, "set": "iris", "seed": 1, "error": error}

    def succeeded(model):
        return {"model": model, "set": "iris", "seed": 1, "acc": 0.5}

    told = describe_failures(
        [
            failed("tabnet", "first"),
            failed("tabnet"),
            failed("rf"),
            succeeded("rf"),
            succeeded("lgbm"),
            failed("lgbm"),
        ]
    )

    assert told.splitlines()[2:] == ["| TabNet | iris | 1 | ValueError: a\\|b c |"]
    assert describe_failures([succeeded("rf")]) == "None."


def test_environments_are_listed_with_the_number_of_results():
    told = describe_environments(
        [
            result("a", 1.0, "1.0"),
            result("b", 1.0, "1.0"),
            result("a", 1.0, "2.0"),
            result("a", 1.0, None),
        ]
    )
    lines = told.splitlines()[2:]
    assert len(lines) == 3
    assert "| torch 1.0 | 1 | 2 |" in lines[0]
    assert "| unknown |  | 1 | 1 |" in lines
