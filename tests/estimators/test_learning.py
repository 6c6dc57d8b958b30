"""What tables of every kind can teach, measured on rows that were not seen."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.model_selection import StratifiedKFold, cross_val_score

from sklearn_ddcl import DDCLClassifier

N_TRAIN, N_TEST = 256, 400


def exclusive_or(rng, n):
    X = rng.uniform(-1, 1, (n, 2))
    return X, (X[:, 0] > 0) ^ (X[:, 1] > 0)


def sharp_threshold(rng, n):
    X = rng.uniform(0, 1, (n, 3))
    return X, X[:, 0] > 0.37


def narrow_band(rng, n):
    X = rng.uniform(0, 1, (n, 2))
    return X, abs(X[:, 0] - 0.5) < 0.15


def skewed_number(rng, n):
    # Over ten orders of magnitude, with the border in the lower half.
    x = 10 ** rng.uniform(-5, 5, n)
    return x[:, None], x > 0.01


def categories_only(rng, n):
    X = pd.DataFrame({"a": rng.choice(list("abcd"), n), "b": rng.choice(["x", "y"], n)})
    return X, X["a"].isin(["a", "c"]) ^ (X["b"] == "x")


def missing_number(rng, n):
    X, y = rng.normal(size=(n, 2)), rng.random(n) < 0.5
    X[y, 0] = np.nan
    return X, y


def missing_category(rng, n):
    y = rng.random(n) < 0.5
    text = rng.choice(["u", "v"], n).astype(object)
    text[y] = None
    return pd.DataFrame({"a": text}), y


TASKS = {
    exclusive_or: 0.93,
    sharp_threshold: 0.95,
    narrow_band: 0.93,
    skewed_number: 0.93,
    categories_only: 0.97,
    missing_number: 0.97,
    missing_category: 0.97,
}


@pytest.mark.parametrize("encoder", ["mlp", "transformer", "aot", "incrt"])
@pytest.mark.parametrize(("task", "floor"), TASKS.items())
def test_what_a_table_says_is_learned(encoder, task, floor):
    X, y = task(np.random.default_rng(0), N_TRAIN + N_TEST)
    classifier = DDCLClassifier(16, encoder=encoder, max_epochs=40, random_state=0)
    classifier.fit(X[:N_TRAIN], y[:N_TRAIN])

    assert classifier.score(X[N_TRAIN:], y[N_TRAIN:]) > floor


@pytest.mark.parametrize("encoder", ["mlp", "transformer", "aot", "incrt"])
@pytest.mark.parametrize(
    ("load", "floor"),
    [
        (load_iris, 0.9),
        (load_wine, 0.9),
        pytest.param(load_breast_cancer, 0.92, marks=pytest.mark.slow),
    ],
)
def test_classic_data_sets_are_learned(encoder, load, floor):
    X, y = load(return_X_y=True)
    classifier = DDCLClassifier(16, encoder=encoder, max_epochs=40, random_state=0)
    # Every row is predicted once: of a quarter of the irises, five would decide.
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    accuracy = cross_val_score(classifier, X, y, cv=folds).mean()

    assert accuracy > max(floor, np.bincount(y).max() / len(y))


# It tells, rightly, that tokens have nothing to tell apart.
@pytest.mark.filterwarnings("ignore::sklearn_ddcl.training.CollapseWarning")
def test_probabilities_are_close_to_the_frequencies(small):
    # A coin that shows heads three times out of four, whatever the column says.
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 1)), rng.random(600) < 0.75
    proba = small(max_epochs=20, batch_size=64).fit(X, y).predict_proba(X)

    assert proba[:, 1].mean() == pytest.approx(y.mean(), abs=0.1)


@pytest.mark.parametrize("n_rows", [2, 3, 7])
@pytest.mark.parametrize("encoder", ["mlp", "transformer", "aot", "incrt"])
def test_a_handful_of_rows_is_enough_to_fit(small, encoder, n_rows):
    X, y = np.arange(n_rows)[:, None] * 1.0, np.arange(n_rows) % 2
    classifier = small(encoder, n_prototypes=32).fit(X, y)

    assert np.isfinite(classifier.predict_proba(X)).all()
    assert len(classifier.prototype_indices_) == 32
