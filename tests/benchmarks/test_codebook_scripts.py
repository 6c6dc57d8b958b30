"""The scripts about codebooks run, on tiny sizes, and go on where they stopped."""

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
    """Return a function that runs a script with the toy table and returns its words."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd"))
    frame["target"] = (frame["a"] > 0).astype(int)
    (tmp_path / "tabular").mkdir()
    frame.to_csv(tmp_path / "tabular" / "toy.csv", index=False)

    def run_script(name, *args):
        command = [sys.executable, ROOT / "benchmarks" / name, *map(str, args)]
        done = subprocess.run(
            [*command, "--out", "out.jsonl"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run_script


@pytest.mark.slow
def test_rows_compares_takes_turns_and_goes_on(run, tmp_path):
    args = ["--parts", "rows", "--data", ".", "--sets", "toy", "--codes", 5]
    args += ["--pictures", "report", "--seeds", 0, 1, "--models"]
    run("codebook_rows.py", *args, "ddcl", "KMeans:n_init=10")

    run("codebook_rows.py", *args, "ddcl", "KMeans:n_init=10", "KMeans:n_init=1")

    results = read_results(tmp_path / "out.jsonl")
    assert [(r["seed"], r["model"]) for r in results] == [
        (0, "ddcl"),
        (0, "KMeans:n_init=10"),
        (1, "KMeans:n_init=10"),
        (1, "ddcl"),
        (0, "KMeans:n_init=1"),
        (1, "KMeans:n_init=1"),
    ]
    assert all(r["inertia"] > 0 and r["fit_cpu"] > 0 for r in results)
    assert {(r["n"], r["d"], r["n_codes"]) for r in results} == {(200, 4, 5)}
    report = (tmp_path / "report" / "codebook_rows.md").read_text()
    assert "| KMeans n_init=1 |" in report
    assert (tmp_path / "report" / "codebook_rows.png").exists()


@pytest.mark.slow
def test_speed_names_the_fastest_plain_formulation(run, tmp_path):
    args = ["--rows", 6000, "--columns", 4, "--codes", 8, "--repeats", 1]
    args += ["--min-rows", 500, "--max-rows", 1000, "--max-codes", 64]

    printed = run("codebook_speed.py", *args)

    results = read_results(tmp_path / "out.jsonl")
    parts = {r["part"] for r in results}
    assert parts == {"predict", "memory", "growth with rows", "growth with codes"}
    assert printed.count("(fastest plain)") == 1
    ways = [r for r in results if r["part"] == "predict"]
    assert min(r["same_codes_as_kmeans"] for r in ways) > 0.999


@pytest.mark.slow
def test_pipeline_ranks_features(run, tmp_path):
    args = ["--data", ".", "--sets", "toy", "--codes", 6, "--pictures", "report"]
    args += ["--seeds", 0, "--models", "KMeans distances"]
    run("codebook_pipeline.py", *args)

    printed = run("codebook_pipeline.py", *args, "DDCL assignments")

    models = [r["model"] for r in read_results(tmp_path / "out.jsonl")]
    assert models == ["KMeans distances", "DDCL assignments"]
    assert "## K = 6" in printed
    assert printed.count("1 tables and seeds in common") == 1
    report = (tmp_path / "report" / "codebook_pipeline.md").read_text()
    assert printed.endswith(report)
