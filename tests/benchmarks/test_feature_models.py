"""Features before logistic regression do what they are said to do."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from benchmarks.harness.feature_models import (
    OURS,
    RIVALS,
    FeaturesBeforeLogistic,
    count_columns,
    encoded,
    make_features,
)


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 2)), columns=["a", "b"])
    X.loc[::9, "b"] = np.nan
    X["text"] = pd.Categorical(np.array(["x", "y", "z"])[np.arange(90) % 3])
    return X


def test_a_gap_is_a_column_of_its_own(frame):
    rows = encoded().fit_transform(frame)
    # Two numbers, one of them with gaps, and three categories.
    assert rows.shape == (90, 6) == (90, count_columns(frame))
    assert (rows[:, 2] == frame["b"].isna()).all()
    assert rows[:, :2].mean(0) == pytest.approx([0, 0], abs=1e-12)
    assert rows[:, 0].std() == pytest.approx(1)


def test_quantiles_do_not_depend_on_a_monotone_map(frame):
    curved = frame.assign(a=np.exp(frame["a"]))
    straight = encoded(normal=True).fit_transform(frame)
    assert encoded(normal=True).fit_transform(curved) == pytest.approx(straight)
    assert encoded().fit_transform(curved)[:, 0] != pytest.approx(straight[:, 0])


@pytest.mark.parametrize("spec", RIVALS[2:])
def test_rivals_have_as_many_columns_as_asked(frame, spec):
    features = make_features(spec, 4, seed=0)
    assert features.fit(frame).transform(frame).shape == (90, 4)


def test_components_are_no_more_than_columns(frame):
    assert make_features("PCA", 64, 0).fit(frame).transform(frame).shape == (90, 6)


@pytest.mark.slow
@pytest.mark.parametrize("spec", [OURS, "DDCL distances", "DDCL assignments"])
def test_ours_have_as_many_columns_as_asked(frame, spec):
    features = make_features(spec, 4, seed=0)
    assert features.fit(frame).transform(frame).shape == (90, 4)


@pytest.mark.parametrize("spec", RIVALS)
def test_every_kind_of_features_separates_categories(frame, spec):
    y = np.arange(90) % 3
    model = clone(FeaturesBeforeLogistic(make_features(spec, 6, seed=0)))
    assert model.fit(frame, y).score(frame, y) == 1
    assert model.n_columns_ == 6
    assert model.features_cpu_ > 0


def test_the_penalty_is_chosen_by_log_loss(frame):
    rng = np.random.default_rng(1)
    noise = rng.integers(2, size=90)
    weak = FeaturesBeforeLogistic(make_features("raw", 6, 0)).fit(frame, noise)
    clear = (frame["text"] == "x").to_numpy().astype(int)
    strong = FeaturesBeforeLogistic(make_features("raw", 6, 0)).fit(frame, clear)
    assert weak.C_ == 0.01
    assert strong.C_ == 100


def test_a_far_value_is_cut(frame):
    y = np.arange(90) % 3
    model = FeaturesBeforeLogistic(make_features("raw", 6, 0)).fit(frame, y)
    far, farther = frame.assign(a=1e6), frame.assign(a=1e12)
    assert (model.predict_proba(far) == model.predict_proba(farther)).all()
