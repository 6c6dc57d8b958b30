"""Where no view can judge, a rehearsal tells how long to train, and how softly."""

import warnings

import numpy as np
import pytest

from sklearn_ddcl.estimators import classifier as classifier_module
from sklearn_ddcl.estimators import fitting, rehearsal
from sklearn_ddcl.training.callbacks.monitor import Monitor
from sklearn_ddcl.training.callbacks.recall import Recall

NETWORKS = {
    "transformer": ("transformer", {"encoder__d_token": 16}),
    "aot": ("aot", {}),
    "incrt": ("incrt", {}),
    "three views": ("mlp", {"encoder__n_views": 3}),
    "class token": ("transformer", {"readout": "cls"}),
}


@pytest.fixture
def make(small):
    """Return a function that makes a classifier without enough views to judge."""

    def build(network="transformer", **params):
        encoder, changes = NETWORKS[network]
        classifier = small(encoder, **{"max_epochs": 60, "lr": 0.01} | params)
        return classifier.set_params(**changes)

    return build


@pytest.fixture(scope="module")
def noisy():
    """Return 400 rows of two classes; three labels out of ten are wrong."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    return X, (X[:, 0] + X[:, 1] > 0) ^ (rng.random(400) < 0.3)


@pytest.fixture
def rehearsals(monkeypatch):
    """Return a list that collects all rehearsals."""
    seen = []
    rehearse = rehearsal.rehearse

    def note(*args):
        seen.append(rehearse(*args))
        return seen[-1]

    monkeypatch.setattr(classifier_module, "rehearse", note)
    return seen


@pytest.mark.parametrize("network", NETWORKS)
def test_training_ends_where_the_rehearsal_was_best(make, noisy, rehearsals, network):
    classifier = make(network).fit(*noisy)

    (seen,) = rehearsals
    losses = np.array(seen.net.measurements["valid_loss"])
    assert classifier.n_iter_ == classifier.best_epoch_ == 1 + np.nanargmin(losses)
    assert classifier.n_iter_ < 60
    told = classifier.history_["valid_loss"]
    np.testing.assert_array_equal(told, losses[: classifier.n_iter_])


def test_decisions_are_as_soft_as_the_rehearsal_says(make, noisy, rehearsals):
    classifier = make().fit(*noisy)

    ratio = rehearsals[0].judgments[-1]["valid_ratio"]
    assert ratio != 1
    last = classifier.history_["temperature"][-1]
    assert classifier.temperature_ == pytest.approx(ratio * last)


@pytest.mark.parametrize("network", ["transformer", "incrt"])
def test_all_rows_are_learned_from_in_the_end(make, noisy, monkeypatch, network):
    """What is kept is a training of its own: the same, told the same length."""
    X, y = noisy
    rehearsed = make(network).fit(X, y)
    softer = rehearsed.temperature_ / rehearsed.history_["temperature"][-1]
    monkeypatch.setattr(classifier_module, "rehearse", lambda *args: None)
    judged = [{}] * (rehearsed.n_iter_ - 1)
    judged += [{"valid_loss": 0.0, "valid_score": 1.0, "valid_ratio": softer}]
    monkeypatch.setattr(classifier_module, "choose_judge", lambda *args: Recall(judged))
    told = make(network).fit(X, y)

    np.testing.assert_array_equal(told.predict_proba(X), rehearsed.predict_proba(X))


def test_judges_are_a_quarter_that_the_rehearsal_does_not_see(
    make, noisy, rehearsals, monkeypatch
):
    sizes = []
    monkeypatch.setattr(
        rehearsal,
        "to_rows",
        lambda fitted, rows: (
            sizes.append(rows.classes.shape) or fitting.to_rows(fitted, rows)
        ),
    )
    make().fit(*noisy)

    assert sizes == [(300,), (100,)]


def test_of_many_rows_some_thousands_judge(monkeypatch):
    monkeypatch.setattr(rehearsal, "JUDGING_ROWS", 50)
    rng = np.random.default_rng(0)
    judges = rehearsal._choose_judges(rng.integers(0, 3, 1000), seed=0)

    assert 50 <= judges.sum() < 100


def test_no_class_is_left_to_the_judges_alone():
    classes = np.r_[np.zeros(60, dtype=np.int64), np.arange(1, 30), 1, 2, 3]
    for seed in range(20):
        judges = rehearsal._choose_judges(classes, seed)
        assert set(classes[~judges]) == set(classes)


@pytest.mark.parametrize("n_rows", [39, 40])
def test_few_rows_are_trained_without(make, noisy, rehearsals, n_rows):
    X, y = noisy
    auto = make().fit(X[:n_rows], y[:n_rows])
    never = make(early_stopping=False).fit(X[:n_rows], y[:n_rows])

    same = (auto.predict_proba(X) == never.predict_proba(X)).all()
    assert same == (n_rows < 40)
    assert (auto.best_epoch_ is None) == (n_rows < 40)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_whoever_decides_otherwise_has_no_rehearsal(
    make, noisy, rehearsals, early_stopping
):
    X, y = noisy
    make(early_stopping=early_stopping, max_epochs=3).fit(X, y)
    make(max_epochs=3).fit(X, y, X_val=X[:50], y_val=y[:50])
    make(max_epochs=3).partial_fit(X, y)

    assert rehearsals == []


def test_only_the_first_of_two_warm_starts_is_rehearsed(make, noisy, rehearsals):
    classifier = make(warm_start=True, max_epochs=6).fit(*noisy)
    n_epochs = classifier.n_iter_
    classifier.fit(*noisy)

    assert len(rehearsals) == 1
    assert classifier.n_iter_ == n_epochs + 6


def test_a_weight_of_zero_is_absent_from_the_rehearsal_too(make, noisy):
    X, y = noisy
    weights = np.where(np.arange(400) < 150, 0.0, 1.0)
    params = {"precision": "float64", "max_epochs": 12}
    weighted = make(**params).fit(X, y, sample_weight=weights)
    expected = make(**params).fit(X[150:], y[150:])

    assert (weighted.predict_proba(X) == expected.predict_proba(X)).all()


def test_what_only_the_rehearsal_saw_is_no_warning(make, noisy, monkeypatch):
    monkeypatch.setattr("sklearn_ddcl.training.callbacks.warn._MAX_TRACKING", -1.0)
    monkeypatch.setattr("sklearn_ddcl.training.callbacks.warn._SETTLING_STEPS", 0)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        make(max_epochs=40).fit(*noisy)

    assert len([w for w in told if "off the tokens" in str(w.message)]) == 1


def test_an_interrupted_rehearsal_is_the_model(make, noisy, monkeypatch):
    original = Monitor.on_epoch_end

    def interrupt(monitor, net, **kwargs):
        original(monitor, net, **kwargs)
        if len(net.measurements) == 20:
            raise KeyboardInterrupt

    monkeypatch.setattr(Monitor, "on_epoch_end", interrupt)
    X, y = noisy
    with pytest.warns(UserWarning, match="interrupted; the model is kept"):
        classifier = make().fit(X, y)

    assert classifier.n_iter_ == len(classifier.history_) == 20
    assert classifier.best_epoch_ <= 20
    assert classifier.predict_proba(X).shape == (400, 2)
    assert len(classifier.prototype_indices_) == classifier.n_prototypes_


def test_a_rehearsal_that_fails_leaves_the_model_as_it_was(make, noisy, monkeypatch):
    X, y = noisy
    classifier = make(max_epochs=3).fit(X, y)
    before = classifier.predict_proba(X)

    def fail(*args, **kwargs):
        raise RuntimeError("no memory")

    monkeypatch.setattr(rehearsal, "prepare_net", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        classifier.fit(X, 1 - y.astype(int))
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


def test_both_trainings_are_announced(make, noisy, capsys):
    make(max_epochs=10, verbose=1).fit(*noisy)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "rehearsal on 300 rows, judged by 100"
    assert "training on all 400 rows" in lines


def test_overconfidence_is_softened(make, noisy):
    X, y = noisy
    rng = np.random.default_rng(1)
    fresh = rng.normal(size=(2000, 4))
    truth = (fresh[:, 0] + fresh[:, 1] > 0) ^ (rng.random(2000) < 0.3)
    losses = []
    for early_stopping in ("auto", False):
        classifier = make(early_stopping=early_stopping).fit(X, y)
        proba = classifier.predict_proba(fresh)[np.arange(2000), truth.astype(int)]
        losses.append(-np.log(proba).mean())

    assert losses[0] < losses[1] - 0.05
