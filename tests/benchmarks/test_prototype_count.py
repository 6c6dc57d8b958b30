"""The script about numbers of prototypes runs, and its report adds up."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.count_report import choices, describe_counts, draw_counts
from benchmarks.harness.count_scores import mean_used
from benchmarks.harness.records import read_results

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc"))
    frame["target"] = (frame["a"] > 0).astype(int)
    (tmp_path / "tabular").mkdir()
    frame.to_csv(tmp_path / "tabular" / "toy.csv", index=False)

    def run_script(*args):
        script = ROOT / "benchmarks" / "prototype_count.py"
        usual = ["--data", ".", "--quick", "--out", "out.jsonl", "--pictures", "."]
        done = subprocess.run(
            [sys.executable, script, *usual, *args],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run_script


def case(model, ll, *, name="toy", seed=0, n=None):
    """Return what is known of a classifier whose held-out loss is its log-loss."""
    return {
        "part": "classifier",
        "set": name,
        "seed": seed,
        "model": model,
        "n_prototypes": n or int(model),
        "acc": 1 - ll,
        "ll": ll,
        "held_out": ll + (0.5 if model == "8" else 0),
        "used": 2.0,
        "fit_cpu": 1.0,
        "n_classes": 2,
    }


RESULTS = [
    case("auto", 0.3, n=5),
    case("8", 0.1),
    case("32", 0.4),
    case("64", 0.2),
    case("auto", 0.3, n=6, seed=1),
]


def test_the_search_goes_by_held_out_rows_and_hindsight_by_test_rows():
    found = choices(pd.DataFrame(RESULTS)).set_index("way")

    assert found["n_prototypes"].to_dict() == {
        "auto": 5,
        "32, the default": 32,
        "grid search": 64,
        "best of the grid in hindsight": 8,
        "8": 8,
        "32": 32,
        "64": 64,
    }
    assert found.loc["grid search", "fit_cpu"] == 3.0
    assert found.loc["auto", "fit_cpu"] == 1.0


def test_cases_that_were_not_tried_with_all_numbers_do_not_count():
    assert choices(pd.DataFrame(RESULTS))["seed"].unique().tolist() == [0]
    assert "No table" in describe_counts(RESULTS[1:])


def test_the_picture_has_a_panel_per_table():
    other = [case("auto", 0.2, name="other", n=3), case("8", 0.1, name="other")]

    titles = [ax.get_title() for ax in draw_counts(RESULTS + other).axes]

    assert titles == ["toy", "other"]


def test_as_many_prototypes_answer_as_share_a_row():
    assert mean_used(np.array([[1.0, 0, 0], [0.5, 0.5, 0]])) == pytest.approx(1.5)


def test_blobs_and_codes_are_counted(run, tmp_path):
    printed = run("--parts", "blobs", "codebook", "--sets", "toy")

    results = read_results(tmp_path / "out.jsonl")
    assert {r["true"] for r in results if r["part"] == "blobs"} == {3}
    assert [r["model"] for r in results if r["part"] == "codebook"] == ["auto", "2"]
    assert printed.endswith((tmp_path / "prototype_count.md").read_text())


@pytest.mark.slow
def test_classifiers_and_features_are_scored(run, tmp_path):
    run("--parts", "classifier", "features", "--sets", "toy", "--rows", "120")

    results = read_results(tmp_path / "out.jsonl")
    assert [(r["part"], r["model"]) for r in results] == [
        ("classifier", "auto"),
        ("classifier", "8"),
        ("features", "embedding auto"),
        ("features", "embedding 8"),
    ]
    assert all("error" not in r and 0.5 < r["acc"] <= 1 for r in results)
    assert (tmp_path / "prototype_count.png").exists()
