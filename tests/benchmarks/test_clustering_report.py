"""The report of clusterings: means and spreads over seeds."""

import pytest

from benchmarks.harness.clustering_report import (
    describe_dual,
    describe_means,
    describe_spread,
    successes,
    write_report,
)


def result(model, name, seed, acc, part="all rows", n_columns=4, **fields):
    scores = {"acc": acc, "nmi": acc / 2, "ari": acc / 4, "fit_cpu": 1.0}
    case = {"part": part, "set": name, "seed": seed, "model": model}
    return case | {"n_columns": n_columns} | scores | fields


@pytest.fixture
def results():
    return [
        result("ddcl", "digits", 0, 0.8),
        result("ddcl", "digits", 1, 0.9),
        result("KMeans:n_init=1", "digits", 0, 0.5),
        result("KMeans:n_init=1", "digits", 1, 0.7),
        result("ddcl", "vowel", 0, 0.3),
        result("ddcl", "vowel", 1, 0.3),
        result("SpectralClustering", "digits", 0, 0.75),
        result("SpectralClustering", "digits", 1, 0.75),
        result("KMeans:n_init=1", "vowel", 0, 0.3),
        result("KMeans:n_init=1", "vowel", 1, 0.4),
    ]


def test_means_are_over_seeds_and_then_over_sets(results):
    text = describe_means(successes(results), "acc")
    assert "Means over 2 seeds" in text
    assert "| digits | 0.850 | 0.600 | 0.750 |" in text
    # Spectral clustering lacks a set, so that it has no mean over both.
    assert "| mean | 0.575 | 0.475 |  |" in text
    assert "| mean of 1 in common | 0.850 | 0.600 | 0.750 |" in text


def test_spread_is_the_deviation_over_seeds(results):
    text = describe_spread(successes(results))
    assert "| digits | 0.0707 | 0.1414 | 0.0000 |" in text
    assert "| mean | 0.0354 | 0.1061 |" in text
    assert "less than KMeans n_init=1 on 2, SpectralClustering on 0" in text


def test_the_dual_layer_is_beside_the_best_of_each_seed():
    dual = [
        result("KMeans:n_init=10", "m", 0, 0.6, "dual", inertia=100.0),
        result("DDCLQuantizer:solver=dual", "m", 0, 0.7, "dual", inertia=110.0),
        result("KMeans:n_init=10", "m", 1, 0.6, "dual", inertia=50.0),
        result("DDCLQuantizer:solver=dual", "m", 1, 0.9, "dual", inertia=45.0),
    ]
    text = describe_dual(successes(dual))
    assert "| 4 | DDCLQuantizer solver=dual | 0.800 ± 0.141 | 1.0500 | 1 |" in text
    assert "| 4 | KMeans n_init=10 | 0.600 ± 0.000 | 1.0556 | 1 |" in text


def test_the_report_lies_in_its_folder(results, tmp_path):
    failed = {"part": "all rows", "set": "vowel", "seed": 9, "model": "ddcl"}
    path = write_report([*results, failed | {"error": "Oops"}], tmp_path / "report")
    text = path.read_text(encoding="utf-8")
    assert "### Matched accuracy" in text
    assert "## Rows held out" not in text
    assert "| DDCL | vowel | 9 | Oops |" in text
