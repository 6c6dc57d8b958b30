"""The scripts run, on tiny sizes, and write what they measure."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.records import read_results

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.name for path in (ROOT / "benchmarks").glob("*.py"))


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a script and returns what it printed."""

    def run_script(name, *args, expect=0):
        command = [sys.executable, ROOT / "benchmarks" / name, *map(str, args)]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run_script


@pytest.fixture
def table(tmp_path):
    """Write a small table with groups to a folder and return its path."""
    rng = np.random.default_rng(0)
    target = np.array(["debris", "payload"])[np.arange(200) % 2]
    frame = pd.DataFrame(
        {
            "group": np.arange(200) // 4,
            "x": rng.normal(size=200) + (target == "debris"),
            "text": rng.choice(["a", "b"], 200),
            "target": target,
        }
    )
    path = tmp_path / "toy.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_first_line_says_what_the_script_asks(name):
    first = (ROOT / "benchmarks" / name).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith('"""')
    assert first.endswith(('."""', '?"""'))


def test_tables_reports_from_several_files(run, tmp_path):
    scores = {"seed": 0, "bal": 0.5, "ll": 0.5, "fit_cpu": 1.5, "pred_cpu": 0.1}
    for model, acc in (("lgbm", [0.9, 0.8]), ("catboost", [0.8, 0.9])):
        lines = [
            {"set": name, "model": model, "acc": value} | scores
            for name, value in zip(("iris", "wine"), acc, strict=True)
        ]
        text = "\n".join(map(json.dumps, lines))
        (tmp_path / f"{model}.jsonl").write_text(text)

    # fmt: off
    printed = run(
        "tables.py", "--report", "--out", "lgbm.jsonl", "--with", "catboost.jsonl",
        "--sets", "iris", "wine", "--models", "lgbm", "catboost", "unknown",
    )
    # fmt: on

    assert "2 tables and seeds in common" in printed
    (row,) = (line.split() for line in printed.splitlines() if line.startswith("catb"))
    assert row[:4] == ["catboost", "1.50", "1.50", "0.8500"]
    assert row[-2:] == ["1/0/1", "0/2/0"]
    assert "no results of unknown" in printed


@pytest.mark.slow
def test_tables_tells_caps_apart(run, table, tmp_path):
    other = pd.read_csv(table).head(60)
    other.to_csv(tmp_path / "small.csv.gz", index=False)
    pd.DataFrame({"name": ["no target"]}).to_csv(tmp_path / "list.csv", index=False)
    args = ("--data", tmp_path, "--sets", "all", "--models", "logreg", "--out")
    run("tables.py", *args, "out.jsonl", "--rows", 100)

    printed = run("tables.py", *args, "out.jsonl", "--rows", 0)

    results = read_results(tmp_path / "out.jsonl")
    assert [(r["set"], r["cap"], r["n"]) for r in results] == [
        ("small", 100, 45),
        ("toy", 100, 75),
        # The small table was whole already.
        ("toy", 0, 150),
    ]
    assert {(r["d"], r["cat"], r["classes"]) for r in results} == {(2, 1, 2)}
    assert "2 tables and seeds in common" in printed


def test_tables_says_what_to_do_without_data(run, tmp_path):
    printed = run("tables.py", "--data", tmp_path, "--out", "out.jsonl", expect=1)
    assert "Give a folder of such files as --data" in printed


COMPETITORS = {
    "catboost:iterations=5": "catboost",
    "tabnet:max_epochs=2": "pytorch_tabnet",
    "realmlp:n_epochs=2": "pytabkit",
    "tabm:n_epochs=2": "pytabkit",
    "ftt:max_epochs=2": "pytabkit",
}


# In a process of its own, because these libraries seed global generators.
@pytest.mark.slow
@pytest.mark.parametrize(("spec", "package"), [*COMPETITORS.items()])
def test_a_competitor_takes_gaps_and_categories(run, table, tmp_path, spec, package):
    # Only looked for: importing them here would already seed generators.
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} comes with the extra 'bench'")
    frame = pd.read_csv(table).drop(columns="group")
    frame.loc[::7, ["x", "text"]] = None
    frame.to_csv(table, index=False)

    run("tables.py", "--data", tmp_path, "--models", spec, "--out", "out.jsonl")

    (result,) = read_results(tmp_path / "out.jsonl")
    assert "error" not in result
    assert 0 <= result["acc"] <= 1
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {table.name, "out.jsonl"}


def test_flagship_says_what_to_do_without_data(run):
    printed = run("flagship.py", "nowhere.csv", "--out", "out.jsonl", expect=1)
    assert "There is no nowhere.csv. Give the path of a CSV with columns" in printed


@pytest.mark.slow
def test_tables_goes_on_where_it_stopped(run, table, tmp_path):
    args = ("--data", tmp_path, "--sets", "toy", "--out", "out.jsonl", "--models")
    run("tables.py", *args, "logreg", "ddcl:max_epochs=1")

    printed = run("tables.py", *args, "logreg", "rf:n_estimators=5")

    models = [result["model"] for result in read_results(tmp_path / "out.jsonl")]
    assert models == ["logreg", "ddcl:max_epochs=1", "rf:n_estimators=5"]
    assert "1 tables and seeds in common" in printed


@pytest.mark.slow
def test_flagship_keeps_launches_together_and_reports_gaps(run, table, tmp_path):
    # fmt: off
    printed = run(
        "flagship.py", table, "--models", "rf:n_estimators=5", "ddcl:max_epochs=1",
        "--folds", "0", "--splits", "by_launch", "random", "--out", "out.jsonl",
    )
    # fmt: on

    results = read_results(tmp_path / "out.jsonl")
    assert {(r["split"], r["fold"]) for r in results} == {
        ("by_launch", 0),
        ("random", 0),
    }
    assert "accuracy - best tree" in printed


@pytest.mark.slow
def test_overhead_measures_training_and_prediction(run, tmp_path):
    # fmt: off
    run(
        "overhead.py", "--rows", 500, "--columns", 4, "--repeats", 1, "--epochs", 1,
        "--out", "out.jsonl",
    )
    # fmt: on

    results = read_results(tmp_path / "out.jsonl")
    assert {(r["part"], r["table"]) for r in results} == {
        (part, table) for part in ("train", "predict") for table in ("numbers", "mixed")
    }
    named = {r["competitor"] for r in results}
    assert named >= {"DDCLClassifier", "plain torch loop", "predict_proba"}


@pytest.mark.slow
def test_predictions_take_turns_and_are_not_timed_again(run, table, tmp_path):
    # fmt: off
    args = (
        "--data", tmp_path, "--sets", "toy", "--repeats", 3, "--out", "out.jsonl",
        "--models", "logreg", "ddcl:max_epochs=1",
    )
    # fmt: on
    run("predicting.py", *args)
    printed = run("predicting.py", *args)

    logreg, ours = read_results(tmp_path / "out.jsonl")
    assert (logreg["model"], logreg["ratio"], logreg["n"]) == ("logreg", 1, 50)
    assert ours["milliseconds"] > 0
    assert ours["ratio"] > 0
    assert "times that of the first" in printed


@pytest.mark.slow
def test_scaling_measures_time_and_memory(run, tmp_path):
    # fmt: off
    printed = run(
        "scaling.py", "--min-rows", 500, "--max-rows", 1000, "--max-columns", 20,
        "--memory-rows", 2000, 4000, "--repeats", 1, "--out", "out.jsonl",
    )
    # fmt: on

    parts = {result["part"] for result in read_results(tmp_path / "out.jsonl")}
    assert parts == {"rows", "columns", "tokens", "prototypes", "memory"}
    assert "line through all sizes" in printed
