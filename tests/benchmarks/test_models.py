"""Models come by name, with options, and only when they are asked for."""

import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.models import MODELS, make_model, parse_spec, warm_up


def test_a_spec_is_a_name_with_options():
    assert parse_spec("rf") == ("rf", {})
    assert parse_spec("ddcl:readout=mean,max_epochs=3,temperature=0.5") == (
        "ddcl",
        {"readout": "mean", "max_epochs": 3, "temperature": 0.5},
    )


@pytest.mark.parametrize(
    ("spec", "match"),
    [("forest", "must be one of"), ("rf:500", "key=value"), ("rf:=5", "key=value")],
)
def test_a_wrong_spec_is_refused(spec, match):
    with pytest.raises(ValueError, match=match):
        parse_spec(spec)


def test_options_reach_the_estimator():
    model = make_model("ddcl:encoder=transformer,encoder__n_layers=3", seed=5)
    assert model.encoder.n_layers == 3
    assert model.random_state == 5


def test_options_reach_a_model_behind_preprocessing():
    forest = make_model("rf:n_estimators=7", seed=5)[-1]
    assert (forest.n_estimators, forest.random_state) == (7, 5)


@pytest.mark.parametrize("name", ["logreg", "rf", "histgb"])
def test_models_take_numbers_and_categories_with_missing_values(name):
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    X = pd.DataFrame({"x": y + rng.normal(scale=0.1, size=120)})
    X["text"] = pd.Categorical(rng.choice(["a", "b"], 120))
    X.loc[:5, "x"] = np.nan
    options = ":n_estimators=10" if name == "rf" else ""

    model = make_model(f"{name}{options}", seed=0).fit(X, y)

    assert (model.predict_proba(X).argmax(1) == y)[6:].mean() == 1


def test_a_missing_package_is_named_and_skipped(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "xgboost", None)

    assert warm_up(["xgb", "logreg"]) == ["logreg"]

    assert "xgb is skipped" in capsys.readouterr().out


def test_every_model_has_a_name():
    usual = {"ddcl", "logreg", "rf", "mlp", "histgb", "lgbm", "xgb", "catboost"}
    usual |= {"shuffled"}
    assert set(MODELS) == usual | {"realmlp", "tabm", "ftt", "tabnet"}


def test_shuffled_columns_are_the_same_in_fit_and_prediction():
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    X = pd.DataFrame(rng.normal(size=(90, 5)), columns=list("abcde"))
    X["c"] += 5 * y
    model = make_model("shuffled:max_epochs=5,encoder__n_views=1", seed=2).fit(X, y)

    assert list(model.columns) != list(X)
    assert sorted(model.columns) == list(X)
    assert list(model.model.feature_names_in_) == list(model.columns)
    np.testing.assert_array_equal(
        model.predict_proba(X[list("edcba")]), model.predict_proba(X)
    )
    assert list(make_model("shuffled:max_epochs=1", seed=2).fit(X, y).columns) == list(
        model.columns
    )
