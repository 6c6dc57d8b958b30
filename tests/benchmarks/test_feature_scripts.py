"""The script about features runs, on a tiny table, and goes on where it stopped."""

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
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd"))
    frame["target"] = (frame["a"] > 0).astype(int)
    (tmp_path / "tabular").mkdir()
    frame.to_csv(tmp_path / "tabular" / "toy.csv", index=False)

    def run_script(*args):
        usual = ["--data", ".", "--seeds", "0", "--pictures", "report"]
        script = ROOT / "benchmarks" / "features.py"
        done = subprocess.run(
            [sys.executable, script, *usual, "--out", "out.jsonl", *args],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        out = tmp_path / "out.jsonl"
        results = read_results(out) if out.exists() else []
        errors = [result["error"] for result in results if "error" in result]
        assert errors == []
        return done.stdout

    return run_script


@pytest.mark.slow
def test_features_are_ranked_by_width(run, tmp_path):
    args = ["--sets", "toy", "--widths", "own", "3", "--models", "raw", "PCA"]
    run(*args)

    printed = run(*args, "DDCL embedding", "DDCL distances", "DDCL assignments")

    results = read_results(tmp_path / "out.jsonl")
    assert [(r["model"], r["width"], r["n_columns"]) for r in results] == [
        ("raw", "own", 4),
        ("PCA", "own", 4),
        ("PCA", "3", 3),
        ("DDCL embedding", "own", 4),
        ("DDCL distances", "own", 4),
        ("DDCL assignments", "own", 4),
        ("DDCL embedding", "3", 3),
        ("DDCL distances", "3", 3),
        ("DDCL assignments", "3", 3),
    ]
    assert "## As many columns as the encoded table" in printed
    assert "## 3 columns" in printed
    assert printed.endswith((tmp_path / "report" / "features.md").read_text())


@pytest.mark.slow
def test_a_table_that_is_not_there_is_named(run):
    printed = run("--sets", "nowhere", "--models", "raw")
    assert "nowhere is skipped: there is no tabular" in printed
