"""The report of features: ranks over tables, wins over cases."""

import pytest

from benchmarks.harness.feature_report import cases_of, describe_features, describe_wins

SCORES = {
    "raw": (0.70, 0.60),
    "QuantileTransformer": (0.72, 0.62),
    "PCA": (0.60, 0.70),
    "KMeans distances": (0.65, 0.65),
    "DDCL embedding": (0.80, 0.50),
}


def result(model, name="iris", seed=0, width="own", **fields):
    acc, ll = SCORES[model]
    usual = {"acc": acc, "bal": acc, "ll": ll, "ece": 0.1, "fit_cpu": 2.0}
    usual |= {"features_cpu": 1.0, "n": 75, "n_columns": 4, "own_columns": 4}
    usual |= {"cap": 3000, "width": width}
    return {"model": model, "set": name, "seed": seed} | usual | fields


@pytest.fixture
def results():
    first = [result(model, seed=seed) for model in SCORES for seed in (0, 1)]
    # On wine raw is better and PCA equal.
    scores = {"raw": (0.9, 0.2), "PCA": (0.8, 0.5)}
    second = [
        result(model, "wine", **dict(zip(("acc", "ll"), scores[model], strict=True)))
        if model in scores
        else result(model, "wine")
        for model in SCORES
    ]
    return first + second


def test_ranks_are_means_over_tables(results):
    text = describe_features(results, 3000)
    # First on both seeds of iris; on wine it shares the second place with PCA.
    assert "| DDCL embedding | 1.75 | 1.75 | 0.8000 |" in text
    assert "| raw | 2.00 | 1.50 | 0.8000 |" in text
    assert "3 cases, which are 2 tables" in text


def test_wins_count_cases_and_leads_are_means_over_tables(results):
    text = describe_wins(cases_of(results, "own"), list(SCORES))
    assert "| raw | 2/0/1 | 2/0/1 | +0.0000 | +0.1000 |" in text
    assert "| PCA | 2/1/0 | 2/1/0 | +0.1000 | -0.1000 |" in text


def test_what_has_a_fixed_width_counts_for_every_width(results):
    others = [m for m in SCORES if m not in ("raw", "QuantileTransformer")]
    wide = [result(model, width="64") for model in others]

    frame = cases_of(results + wide, "64")

    assert set(frame[frame["set"] == "iris"]["model"]) == set(SCORES)
    text = describe_features(results + wide, 3000)
    assert "## As many columns as the encoded table" in text
    assert "## 64 columns" in text


def test_a_repeated_case_counts_once_and_failures_are_told(results):
    again = result("PCA", acc=0.99)
    failed = {"set": "iris", "seed": 5, "model": "PCA", "width": "own", "error": "Oops"}

    text = describe_features([*results, again, failed | {"cap": 3000}], 3000)

    assert "3 cases" in text
    assert "0.9900 / 0.7000" not in text  # The mean of iris is over two seeds.
    assert "0.7950 / 0.7000" in text
    assert "| PCA | iris | 5 | Oops |" in text


def test_another_cap_is_another_report(results):
    assert "## As many" not in describe_features(
        [r | {"cap": 50, "n": 60} for r in results], 3000
    )
