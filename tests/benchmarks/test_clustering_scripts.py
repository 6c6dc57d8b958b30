"""The script about clusterings runs on a set of scikit-learn, and goes on."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.records import read_results

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path):
    def run_script(*args):
        usual = ["--data", ".", "--seeds", "0", "1", "--pictures", "report"]
        script = ROOT / "benchmarks" / "clustering.py"
        done = subprocess.run(
            [sys.executable, script, *usual, "--out", "out.jsonl", *args],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        errors = [
            result["error"]
            for result in read_results(tmp_path / "out.jsonl")
            if "error" in result
        ]
        assert errors == []
        return done.stdout

    return run_script


@pytest.mark.slow
def test_digits_are_clustered_without_any_file(run, tmp_path):
    args = ["--sets", "digits", "vowel", "--parts", "all", "held-out", "--models"]
    printed = run(*args, "KMeans:n_init=1")
    assert "vowel is skipped: there is no tabular" in printed

    run(*args, "KMeans:n_init=1", "SpectralClustering")

    cases = [
        (r["part"], r["model"], r["seed"], r["n"])
        for r in read_results(tmp_path / "out.jsonl")
    ]
    assert cases == [
        ("all rows", "KMeans:n_init=1", 0, 1797),
        ("all rows", "KMeans:n_init=1", 1, 1797),
        ("held out", "KMeans:n_init=1", 0, 1347),
        ("held out", "KMeans:n_init=1", 1, 1347),
        ("all rows", "SpectralClustering", 0, 1797),
        ("all rows", "SpectralClustering", 1, 1797),
    ]
    report = (tmp_path / "report" / "clustering.md").read_text()
    assert "## Rows held out" in report


@pytest.mark.slow
def test_ours_find_classes_far_apart(run, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(240, 2)), columns=list("ab"))
    frame["target"] = np.arange(240) % 3
    frame["a"] += 20 * (frame["target"] == 1)
    frame["b"] += 20 * (frame["target"] == 2)
    (tmp_path / "tabular").mkdir()
    frame.to_csv(tmp_path / "tabular" / "vowel.csv", index=False)

    args = ["--sets", "vowel", "--seeds", "0", "--parts", "all", "held-out"]
    run(*args, "--models", "ddcl", "ddcl:merged")

    results = read_results(tmp_path / "out.jsonl")
    assert [(r["part"], r["model"], r["n_clusters"], r["acc"]) for r in results] == [
        ("all rows", "ddcl", 3, 1),
        ("all rows", "ddcl:merged", 3, 1),
        ("held out", "ddcl", 3, 1),
        ("held out", "ddcl:merged", 3, 1),
    ]


@pytest.mark.slow
def test_solvers_meet_on_few_rows(run, tmp_path):
    run("--parts", "dual", "--columns", "10")
    results = read_results(tmp_path / "out.jsonl")
    assert len(results) == 2 * 4
    assert all(r["inertia"] > 0 and 0.5 <= r["acc"] <= 1 for r in results)
