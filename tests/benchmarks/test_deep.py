"""What the adapters hand to the libraries, which stand-ins write down."""

import sys
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.models import make_model


class Recorder:
    """A model that keeps what it is given and knows nothing."""

    def __init__(self, **params):
        self.params = params

    def set_params(self, **params):
        self.params |= params

    def fit(self, X, y, **training):
        print("epoch 1")
        self.X, self.y, self.training = X, y, training
        return self

    def predict_proba(self, X):
        self.asked = X
        return np.full((len(X), 2), 0.5)


@pytest.fixture
def library(monkeypatch):
    """Return a function that puts a recorder in a library's place."""

    def install(module, *classes):
        for depth in range(module.count(".") + 1):
            name = ".".join(module.split(".")[: depth + 1])
            stand_in = ModuleType(name)
            monkeypatch.setitem(sys.modules, name, stand_in)
        for cls in classes:
            setattr(stand_in, cls, Recorder)

    return install


@pytest.fixture
def table():
    """A column of numbers with gaps, one of nothing, and categories."""
    frame = pd.DataFrame(
        {
            "text": pd.Categorical(["b", "a"] * 20, categories=["a", "b", "c"]),
            "x": np.arange(40.0),
            "empty": np.nan,
        }
    )
    frame.loc[[0, 39], "x"] = np.nan
    return frame, np.arange(40) % 2


NEW = pd.DataFrame(
    {
        "text": pd.Categorical(["c", "a"], categories=["a", "b", "c"]),
        "x": [np.nan, 1.0],
        "empty": [np.nan, 7.0],
    }
)


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("realmlp", "RealMLP_TD_Classifier"),
        ("tabm", "TabM_D_Classifier"),
        ("ftt", "FTT_D_Classifier"),
    ],
)
def test_pytabkit_gets_medians_and_one_thread(library, table, capsys, name, cls):
    library("pytabkit", cls)
    X, y = table

    model = make_model(f"{name}:n_epochs=3", seed=4).fit(X, y)
    model.predict_proba(NEW)

    recorder = model.model
    folder = recorder.params.pop("tmp_folder", None)
    assert (folder is not None) == (name == "ftt")
    assert recorder.params == {
        "random_state": 4,
        "n_threads": 1,
        "device": "cpu",
        "verbosity": 0,
        "n_epochs": 3,
    }
    # 1 ... 38 have the median 19.5; a column of nothing becomes zeros.
    assert recorder.X["x"].iloc[[0, 1, 39]].tolist() == [19.5, 1.0, 19.5]
    assert recorder.X["empty"].eq(0).all()
    assert recorder.X["text"].equals(X["text"])
    assert list(recorder.X) == list(X)
    assert recorder.asked["x"].tolist() == [19.5, 1.0]
    assert recorder.asked["empty"].tolist() == [0.0, 7.0]
    assert X["x"].isna().sum() == 2
    assert not capsys.readouterr().out


def test_tabnet_gets_codes_medians_and_rows_to_watch(library, table, capsys):
    library("pytorch_tabnet.tab_model", "TabNetClassifier")
    X, y = table

    model = make_model("tabnet:n_d=16,patience=3,batch_size=64", seed=4).fit(X, y)
    model.predict_proba(NEW)

    recorder = model.model
    assert recorder.params == {
        "seed": 4,
        "verbose": 0,
        "device_name": "cpu",
        "n_d": 16,
        "cat_idxs": [0],
        "cat_dims": [3],
    }
    ((watched, classes),) = recorder.training.pop("eval_set")
    assert recorder.training == {"drop_last": False, "patience": 3, "batch_size": 64}
    assert (len(recorder.X), len(watched)) == (32, 8)
    assert np.bincount(classes).tolist() == [4, 4]
    rows = np.concatenate([recorder.X, watched])
    assert np.isfinite(rows).all()
    # "b" comes first in the rows, so it is 1; 0 is left to what was never seen.
    assert sorted(rows[:, 0]) == [1.0] * 20 + [2.0] * 20
    assert sorted(rows[:, 1]) == sorted([*range(1, 39), 19.5, 19.5])
    assert recorder.asked.tolist() == [[0.0, 19.5, 0.0], [2.0, 1.0, 7.0]]
    assert not capsys.readouterr().out


def test_tabnet_takes_tables_without_numbers_or_without_categories(library, table):
    library("pytorch_tabnet.tab_model", "TabNetClassifier")
    X, y = table
    for columns, places in ((["text"], [0]), (["x", "empty"], [])):
        model = make_model("tabnet", seed=0).fit(X[columns], y)
        assert model.model.params["cat_idxs"] == places
        assert model.model.X.shape == (32, len(columns))


def test_catboost_is_told_which_columns_are_categories(library, table):
    library("catboost", "CatBoostClassifier")
    X, y = table

    model = make_model("catboost:depth=3", seed=4).fit(X, y)

    assert model.model.training == {"cat_features": ["text"]}
    assert model.model.params == {
        "random_seed": 4,
        "thread_count": 1,
        "verbose": 0,
        "allow_writing_files": False,
        "depth": 3,
    }
    assert model.predict_proba(NEW).shape == (2, 2)
