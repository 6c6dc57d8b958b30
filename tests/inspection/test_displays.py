"""What all displays have in common: what they accept and what they leave alone."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib import rcParams
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

import sklearn_ddcl
from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.inspection import ExplanationDisplay, PrototypeMapDisplay
from sklearn_ddcl.inspection.style import class_colors

ROOT = Path(sklearn_ddcl.__file__).parents[1]


def halve(X):
    return X / 2


@pytest.fixture(scope="module")
def pipeline(iris):
    X, y = iris
    model = DDCLClassifier(n_prototypes=6, max_epochs=30, random_state=0)
    return make_pipeline(FunctionTransformer(halve), model).fit(X, y)


def test_a_figure_is_made_and_can_be_saved(draw, fitted, iris, tmp_path):
    display = draw(fitted, iris[0])

    display.figure_.savefig(tmp_path / "picture.png")

    assert (tmp_path / "picture.png").stat().st_size > 5000


def test_settings_of_matplotlib_stay(draw, fitted, iris, monkeypatch):
    def shown(*args, **kwargs):
        raise AssertionError("plt.show was called")

    monkeypatch.setattr(plt, "show", shown)
    before = rcParams.copy()

    draw(fitted, iris[0])

    assert dict(rcParams) == dict(before)


def test_an_estimator_that_is_not_fitted_is_refused(draw, iris):
    with pytest.raises(NotFittedError):
        draw(DDCLClassifier(), iris[0])


def test_a_pipeline_that_is_not_fitted_is_refused(draw, iris):
    with pytest.raises(NotFittedError):
        draw(make_pipeline(FunctionTransformer(halve), DDCLClassifier()), iris[0])


@pytest.mark.parametrize("readout", ["mean", "cls"])
def test_a_readout_without_prototypes_is_refused(draw, iris, readout):
    clf = DDCLClassifier(readout=readout, max_epochs=1, random_state=0).fit(*iris)

    for estimator in (clf, Pipeline([("model", clf)])):
        with pytest.raises(ValueError, match=f"readout='{readout}' has no prototypes"):
            draw(estimator, iris[0])


def test_an_estimator_of_another_kind_is_refused(draw, iris):
    forest = RandomForestClassifier(2, random_state=0).fit(*iris)

    with pytest.raises(ValueError, match="got RandomForestClassifier, which has no"):
        draw(forest, iris[0])


@pytest.mark.parametrize("missing", ["matplotlib", "matplotlib.pyplot"])
def test_without_matplotlib_the_error_says_how_to_install_it(
    draw, fitted, iris, monkeypatch, missing
):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    if missing == "matplotlib.pyplot":
        monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ImportError, match=r"pip install sklearn-ddcl\[plot\]"):
        draw(fitted, iris[0])


def test_the_import_does_not_load_matplotlib():
    code = "import sys, sklearn_ddcl.inspection; sys.exit('matplotlib' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    finished = subprocess.run([sys.executable, "-c", code], env=environment)

    assert finished.returncode == 0


def test_rows_of_a_pipeline_pass_its_first_steps(pipeline, iris):
    X, y = iris

    whole = PrototypeMapDisplay.from_estimator(pipeline, X, y)
    last = PrototypeMapDisplay.from_estimator(pipeline[-1], X / 2, y)

    np.testing.assert_allclose(whole.rows, last.rows)
    assert not np.allclose(
        whole.rows, PrototypeMapDisplay.from_estimator(pipeline[-1], X).rows
    )


def test_the_explanation_of_a_pipeline_is_that_of_its_last_step(pipeline, iris):
    display = ExplanationDisplay.from_estimator(pipeline, iris[0], row=70)

    # In the single precision of the network.
    np.testing.assert_allclose(
        display.explanation.probabilities,
        pipeline.predict_proba(iris[0][70:71]),
        atol=1e-6,
    )


def test_a_search_shows_its_best_estimator(draw, iris):
    X, y = iris
    grid = {"n_prototypes": [3, 4]}
    clf = DDCLClassifier(max_epochs=2, prototype_lr_ratio=100, random_state=0)
    search = GridSearchCV(clf, grid, cv=2).fit(X[:, :1], y)

    assert draw(search, X[:, :1]).figure_ is not None


@pytest.mark.parametrize("n_classes", [2, 10, 11, 100])
def test_every_class_has_its_own_color(n_classes):
    colors = [tuple(color) for color in class_colors(n_classes)]

    assert len(set(colors)) == n_classes
