"""The flagship example runs, and its few formulas are right."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_ddcl.datasets import make_orbital_debris

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "orbital_debris.py"
PICTURES = ["confusion_matrix", "training_history", "prototype_map", "explanation"]


@pytest.fixture(scope="module")
def example():
    """Return the names that the script defines, without running it."""
    return runpy.run_path(str(SCRIPT))


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), "--quick", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_it_runs_on_a_synthetic_catalog(tmp_path):
    finished = run("--out", tmp_path, "--folds", 2)

    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert lines[0].startswith("Synthetic catalog")
    for name in ["gradient boosting", "random forest", "DDCLClassifier"]:
        rows = [line for line in lines if line.startswith(name)]
        values = [[float(x) for x in row.removeprefix(name).split()] for row in rows]
        assert np.shape(values) == (2, 5)
    assert finished.stdout.count("The model says:\n") == 3
    for picture in PICTURES:
        assert (tmp_path / f"{picture}.png").stat().st_size > 10_000


@pytest.mark.slow
def test_it_runs_on_a_catalog_from_a_file(tmp_path):
    catalog = tmp_path / "catalog.csv"
    columns = ["raan_deg", "rcs_m2", "rcs_size"]  # public catalogs may lack these
    frame = make_orbital_debris(500, random_state=1).frame.drop(columns=columns)
    frame.to_csv(catalog, index=False)

    finished = run("--data", catalog, "--out", tmp_path / "pictures", "--folds", 2)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith(f"Catalog {catalog}, 500 objects.")
    assert len(list((tmp_path / "pictures").iterdir())) == 4


def test_the_docstring_names_every_picture(example):
    for picture in PICTURES:
        assert f"\n{picture}.png\n" in example["__doc__"]


def test_angles_become_points_on_a_circle(example):
    frame = pd.DataFrame({"raan_deg": [0.0, 90.0, 359.9], "owner": ["a", "b", None]})

    prepared = example["prepare"](frame)

    np.testing.assert_allclose(prepared["raan_deg_sin"], [0, 1, 0], atol=2e-3)
    np.testing.assert_allclose(prepared["raan_deg_cos"], [1, 0, 1], atol=2e-3)
    assert prepared["owner"].dtype == "category"
    assert list(frame) == ["raan_deg", "owner"]


def test_the_calibration_error_by_hand(example):
    # Bin [0.5, 0.6): confidence 0.55, half are right; last bin: 1.0, all are right;
    # bin [0.8, 0.9): 0.8, none is right. Two, one and one of four rows.
    confidence = np.array([0.5, 0.6 - 1e-9, 1.0, 0.8])
    correct = np.array([True, False, True, False])

    error = example["calibration_error"](confidence, correct)

    assert error == pytest.approx(2 / 4 * 0.05 + 1 / 4 * 0 + 1 / 4 * 0.8, abs=1e-6)


def test_there_is_one_object_per_class_and_one_mistake(example):
    classes = np.array(["a", "b"])
    y = np.array(["a", "a", "a", "b", "b"])
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6], [0.6, 0.4]])

    chosen = example["choose_objects"](proba, classes, y)

    assert chosen == {"a": 1, "b": 4}


def test_without_mistakes_all_objects_are_typical_hits(example):
    classes = np.array(["a", "b"])
    y = np.array(["a", "b", "b", "b"])
    proba = np.array([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])

    assert example["choose_objects"](proba, classes, y) == {"a": 0, "b": 2}


def test_a_class_without_hits_gives_a_mistake(example):
    classes = np.array(["a", "b"])
    y = np.array(["a", "b", "b", "b"])
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])

    assert example["choose_objects"](proba, classes, y) == {"a": 0, "b": 2}


def test_all_models_take_unknown_and_missing_categories(example):
    catalog = make_orbital_debris(300, random_state=0)
    X, y = catalog.data, catalog.target
    odd = X[:2].assign(owner=["MARS", None])

    for name, model in example["make_models"]().items():
        short = {"DDCLClassifier": "max_epochs", "random forest": "n_estimators"}
        if name in short:
            model.set_params(**{f"model__{short[name]}": 5})
        assert model.fit(X, y).predict_proba(odd).shape == (2, 3)
