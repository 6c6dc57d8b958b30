"""Training rows choose epoch and temperature, judged by views that left them out."""

import math
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

import sklearn_ddcl
from sklearn_ddcl.estimators import classifier as classifier_module
from sklearn_ddcl.training import net as net_module
from sklearn_ddcl.training.callbacks.monitor import Monitor
from sklearn_ddcl.training.folds import N_FOLDS
from sklearn_ddcl.training.loss import learning_weights, per_view


@pytest.fixture(scope="module")
def noisy():
    """Return 2,400 rows of two classes; three labels out of ten are wrong."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2400, 4))
    return X, (X[:, 0] + X[:, 1] > 0) ^ (rng.random(2400) < 0.3)


@pytest.fixture
def seen_folds(monkeypatch):
    """Return a list that collects the folds of all rows of all training steps."""
    seen = []
    spare_left_out = net_module.spare_left_out

    def note(inputs, targets, n_views):
        seen.extend(targets.folds.tolist())
        return spare_left_out(inputs, targets, n_views)

    monkeypatch.setattr(net_module, "spare_left_out", note)
    return seen


@pytest.fixture
def learned_folds(monkeypatch):
    """Return a list of the folds of all rows that each of four views learns from."""
    learned = [[] for _ in range(4)]
    cross_entropy = net_module.cross_entropy

    def note(log_proba, targets):
        weights = learning_weights(targets, log_proba.shape[1])
        for v in range(4):
            learned[v] += per_view(targets.folds, 4)[weights[:, v] > 0, v].tolist()
        return cross_entropy(log_proba, targets)

    monkeypatch.setattr(net_module, "cross_entropy", note)
    return learned


def judged(classifier):
    """Return the epochs with a validation loss, counted from 1."""
    return (1 + np.flatnonzero(np.isfinite(classifier.history_["valid_loss"]))).tolist()


def test_by_default_every_row_is_left_out_by_some_views(
    small, blobs, seen_folds, learned_folds
):
    small(max_epochs=1).fit(*blobs)

    assert np.bincount(seen_folds).tolist() == [30, 30, 30, 30]
    for view, folds in enumerate(learned_folds):
        expected = [0 if fold == view else 30 for fold in range(4)]
        assert np.bincount(folds, minlength=4).tolist() == expected


@pytest.mark.parametrize("early_stopping", [False, True])
def test_otherwise_all_views_learn_from_all_rows(
    small, blobs, seen_folds, early_stopping
):
    small(max_epochs=1, early_stopping=early_stopping).fit(*blobs)

    assert set(seen_folds) == {-1}
    assert len(seen_folds) == (102 if early_stopping else 120)


@pytest.mark.parametrize("early_stopping", ["auto", False, True])
def test_given_rows_judge_and_all_views_learn_from_all_others(
    small, blobs, seen_folds, early_stopping
):
    X, y = blobs
    params = {"max_epochs": 4, "early_stopping": early_stopping}
    classifier = small(**params).fit(X[:80], y[:80], X_val=X[80:], y_val=y[80:])

    assert seen_folds == [-1] * 80 * 4
    assert judged(classifier) == [1, 2, 3, 4]


def test_a_stream_leaves_no_row_out(small, blobs, seen_folds):
    classifier = small().partial_fit(*blobs).partial_fit(*blobs)

    assert set(seen_folds) == {-1}
    assert judged(classifier) == []


@pytest.mark.parametrize("n_rows", [39, 40])
def test_with_few_rows_auto_is_false(small, blobs, n_rows):
    X, y = blobs
    auto, never = (
        small(max_epochs=6, early_stopping=early_stopping).fit(X[:n_rows], y[:n_rows])
        for early_stopping in ("auto", False)
    )

    same = (auto.predict_proba(X) == never.predict_proba(X)).all()
    assert same == (n_rows < 40)
    assert (auto.best_epoch_ is None) == (n_rows < 40)


@pytest.mark.parametrize(
    ("max_epochs", "expected"), [(1, [1]), (3, [3]), (8, [3, 6, 8])]
)
def test_every_third_epoch_and_the_last_are_judged(small, blobs, max_epochs, expected):
    assert judged(small(max_epochs=max_epochs).fit(*blobs)) == expected


@pytest.mark.parametrize("patience", [1, 2, 7])
def test_training_ends_at_the_first_look_after_the_patience(small, blobs, patience):
    # Labels that nothing predicts, so that the first looks are the best.
    X = blobs[0]
    y = np.random.default_rng(0).integers(0, 2, len(X))
    params = {"max_epochs": 90, "n_iter_no_change": patience, "lr": 0.05}
    classifier = small(**params).fit(X, y)
    losses = np.array(classifier.history_["valid_loss"])
    looks = judged(classifier)

    assert classifier.n_iter_ == looks[-1] < 90
    best = 1 + int(np.nanargmin(losses))
    assert classifier.best_epoch_ == best
    waited = [look - best for look in looks if look > best]
    assert all(wait < patience for wait in waited[:-1])
    assert waited[-1] >= patience


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_whole_weights_are_repeated_rows_of_the_same_fold(small, monkeypatch, readout):
    rng = np.random.default_rng(0)
    weights = np.arange(80) % 4
    X = np.where(rng.random((80, 2)) < 0.1, np.nan, rng.normal(size=(80, 2)))
    y = (rng.random(80) + np.nan_to_num(X[:, 0]) > 0.5).astype(int)
    params = {"readout": readout, "precision": "float64", "max_epochs": 20, "lr": 0.01}
    repeated = np.repeat(np.arange(80), weights)
    rng.shuffle(repeated)

    def fit(rows, **weighted):
        # Dealt by hand, so that equal rows cannot part.
        used = rows[np.broadcast_to(weighted.get("sample_weight", 1), rows.shape) > 0]
        monkeypatch.setattr(
            classifier_module, "choose_folds", lambda *_: used // 4 % N_FOLDS
        )
        return small(**params).fit(X[rows], y[rows], **weighted)

    weighted = fit(np.arange(80), sample_weight=weights)
    by_rows = fit(repeated)

    np.testing.assert_allclose(
        weighted.predict_proba(X), by_rows.predict_proba(X), atol=1e-7
    )
    for column in ("loss", "valid_loss", "valid_score"):
        np.testing.assert_allclose(
            weighted.history_[column], by_rows.history_[column], atol=1e-7
        )
    assert weighted.best_epoch_ == by_rows.best_epoch_ is not None


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_a_row_of_weight_zero_is_dealt_to_nobody(small, blobs, readout):
    X, y = blobs
    weights = np.arange(120) % 3
    used = weights > 0
    wild = np.where(used[:, None], X, 1e30)

    zeros = small(readout=readout).fit(wild, y, sample_weight=weights)
    removed = small(readout=readout).fit(X[used], y[used], sample_weight=weights[used])

    assert zeros.best_epoch_ == removed.best_epoch_ is not None
    assert (zeros.predict_proba(X) == removed.predict_proba(X)).all()


@pytest.mark.parametrize("random_state", [0, 1])
def test_the_random_state_deals_the_folds(small, blobs, seen_folds, random_state):
    for seed in (0, random_state):
        small(max_epochs=1, random_state=seed, batch_size=120).fit(*blobs)

    # In a single batch rows keep their order.
    same = seen_folds[:120] == seen_folds[120:]
    assert same == (random_state == 0)


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_what_is_learned_by_heart_does_not_count(small, readout):
    # Labels by lot: there is nothing to know of a row that was left out.
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(400, 4)), rng.permutation(np.arange(400) % 2)
    params = {"max_epochs": 100, "n_iter_no_change": None, "lr": 0.02}
    classifier = small(n_prototypes=16, readout=readout, batch_size=50, **params)
    classifier.set_params(encoder__d_hidden=128).fit(X, y)
    valid = np.array(classifier.history_["valid_loss"])

    assert classifier.history_["task_loss"][-1] < 0.6 * math.log(2)
    # Choosing the best of 33 looks and 9 temperatures is worth a little.
    assert np.nanmin(valid) > math.log(2) - 0.01
    assert valid[-1] > math.log(2) - 0.003
    proba = classifier.predict_proba(rng.normal(size=(500, 4)))
    assert proba.max(1).mean() < 0.56


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_what_is_learned_by_heart_of_rare_categories_does_not_count(small, readout):
    rng = np.random.default_rng(0)
    names = [f"c{i}" for i in rng.permutation(np.arange(400) % 200)]
    X = pd.DataFrame({"name": names, "number": rng.normal(size=400)})
    y = rng.permutation(np.arange(400) % 2)
    params = {"max_epochs": 100, "n_iter_no_change": None, "lr": 0.02}
    classifier = small(n_prototypes=16, readout=readout, batch_size=50, **params).fit(
        X, y
    )

    assert classifier.history_["task_loss"][-1] < 0.3 * math.log(2)
    assert np.nanmin(classifier.history_["valid_loss"]) > math.log(2) - 0.01


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_a_table_of_few_distinct_rows_is_learned_as_well_as_without(small, readout):
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 60, 2600)
    y = rng.random(2600) < rng.choice([0.1, 0.9], 60)[kind]
    X = pd.DataFrame({"kind": [f"k{i}" for i in kind]})
    losses = []
    for early_stopping in ("auto", False):
        classifier = small(
            readout=readout, max_epochs=60, lr=0.01, early_stopping=early_stopping
        ).fit(X[:600], y[:600])
        losses.append(log_loss(y[600:], classifier.predict_proba(X[600:])))

    assert losses[0] < losses[1] + 0.05


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_the_loss_that_was_estimated_is_that_of_fresh_rows(small, noisy, readout):
    X, y = noisy
    classifier = small(readout=readout, max_epochs=40, lr=0.01)
    classifier.fit(X[:400], y[:400])
    best = classifier.history_[classifier.best_epoch_ - 1]

    fresh = log_loss(y[400:], classifier.predict_proba(X[400:]))
    # Four views that learned from all rows between them know more than one.
    assert fresh == pytest.approx(best["valid_loss"], abs=0.04)


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_probabilities_are_better_than_without(small, noisy, readout):
    X, y = noisy
    params = {"max_epochs": 60, "n_iter_no_change": None, "lr": 0.01}
    params["weight_decay"] = 0.0  # which keeps from overconfidence by itself
    losses = []
    for early_stopping in ("auto", False):
        classifier = small(readout=readout, early_stopping=early_stopping, **params)
        classifier.fit(X[:400], y[:400])
        losses.append(log_loss(y[400:], classifier.predict_proba(X[400:])))

    # Nobody can be below the entropy of the noise, 0.611.
    assert 0.6 < losses[0] < losses[1] - 0.01


@pytest.fixture(scope="module")
def softened(small, noisy):
    """Return a classifier whose temperature is not that of its best epoch."""
    X, y = noisy
    classifier = small(max_epochs=30, lr=0.05).fit(X[:200], y[:200])
    trained_at = classifier.history_["temperature"][classifier.best_epoch_ - 1]
    assert abs(math.log(classifier.temperature_ / trained_at)) > 0.3
    return classifier


def test_a_pickle_keeps_the_temperature_of_the_decisions(softened, noisy):
    again = pickle.loads(pickle.dumps(softened))

    assert again.temperature_ == softened.temperature_ == again._fitted.temperature
    expected = softened.predict_proba(noisy[0])
    assert (again.predict_proba(noisy[0]) == expected).all()


def test_a_file_keeps_the_temperature_of_the_decisions(softened, noisy, tmp_path):
    softened.save(tmp_path / "model.ddcl")
    again = sklearn_ddcl.load(tmp_path / "model.ddcl")

    assert again.temperature_ == softened.temperature_ == again._fitted.temperature
    expected = softened.predict_proba(noisy[0])
    assert (again.predict_proba(noisy[0]) == expected).all()


def test_a_file_keeps_the_temperature_of_a_baseline(small, noisy, tmp_path):
    X, y = noisy
    baseline = small(readout="mean", max_epochs=30, lr=0.02).fit(X[:200], y[:200])
    assert float(baseline.net_.module_.readout.temperature) != 1
    baseline.save(tmp_path / "model.ddcl")

    again = sklearn_ddcl.load(tmp_path / "model.ddcl")

    assert (again.predict_proba(X) == baseline.predict_proba(X)).all()


def test_the_decision_is_explained_at_its_temperature(softened, noisy):
    explanation = softened.explain(noisy[0])

    np.testing.assert_allclose(
        explanation.evidence.sum(1), softened.predict_proba(noisy[0]), atol=1e-6
    )


def test_a_temperature_that_was_given_stays(small, noisy):
    X, y = noisy
    classifier = small(temperature=0.5, max_epochs=9, lr=0.02).fit(X[:200], y[:200])

    assert judged(classifier) == [3, 6, 9]
    assert classifier.temperature_ == 0.5


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_a_warm_start_leaves_out_the_same_rows(small, blobs, seen_folds, readout):
    params = {"max_epochs": 4, "batch_size": 120, "n_iter_no_change": None}
    classifier = small(readout=readout, warm_start=True, **params)
    classifier.fit(*blobs).fit(*blobs)

    assert classifier.n_iter_ == len(classifier.history_) == 8
    assert seen_folds[: 4 * 120] == seen_folds[4 * 120 :]
    assert judged(classifier) == [3, 4, 4 + 3, 4 + 4]
    assert classifier.best_epoch_ in (7, 8)


def other_rows(X, y):
    return X[:100], y[:100]


def other_order(X, y):
    return X[::-1], y[::-1]


def other_label(X, y):
    return X, np.where(np.arange(len(y)) == 7, (y + 1) % 3, y)


def other_number(X, y):
    return np.where(np.arange(len(y))[:, None] == 7, X + 0.5, X), y


@pytest.mark.parametrize("change", [other_rows, other_order, other_label, other_number])
def test_a_warm_start_on_other_rows_leaves_no_row_out(small, blobs, seen_folds, change):
    auto, never = (
        small(warm_start=True, max_epochs=3, batch_size=120).fit(*blobs)
        for _ in range(2)
    )
    del seen_folds[:]
    auto.fit(*change(*blobs))
    never.set_params(early_stopping=False).fit(*change(*blobs))

    assert set(seen_folds) == {-1}
    assert judged(auto) == [3]
    assert auto.best_epoch_ is never.best_epoch_ is None
    X = blobs[0]
    assert (auto.predict_proba(X) == never.predict_proba(X)).all()


def between_other_rows(classifier, X, y):
    return classifier.fit(X[:100], y[:100])


def between_without_folds(classifier, X, y):
    return classifier.set_params(early_stopping=False).fit(X, y)


def between_a_stream(classifier, X, y):
    return classifier.partial_fit(X, y)


@pytest.mark.parametrize(
    "between", [between_other_rows, between_without_folds, between_a_stream]
)
def test_once_all_views_have_learned_from_all_rows_none_can_judge(
    small, blobs, seen_folds, between
):
    classifier = small(warm_start=True, max_epochs=3).fit(*blobs)
    between(classifier, *blobs).set_params(early_stopping="auto")
    del seen_folds[:]
    for _ in range(2):
        classifier.fit(*blobs)

    assert set(seen_folds) == {-1}
    assert classifier.best_epoch_ is None


@pytest.mark.parametrize("max_epochs", [1, 2, 5])
def test_a_warm_start_of_another_length_is_judged_at_its_end(small, blobs, max_epochs):
    classifier = small(warm_start=True, max_epochs=4).fit(*blobs)
    classifier.set_params(max_epochs=max_epochs).fit(*blobs)

    assert judged(classifier)[-1] == 4 + max_epochs
    assert classifier.best_epoch_ > 4


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_a_stream_goes_on_after_folds(small, blobs, readout):
    X, y = blobs
    classifier = small(readout=readout, max_epochs=30, lr=0.01).fit(X, y)
    n_iter, accuracy = classifier.n_iter_, classifier.score(X, y)
    for _ in range(3):
        classifier.partial_fit(X, y)

    assert classifier.n_iter_ == n_iter + 3
    assert np.isnan(classifier.history_["valid_loss"][-3:]).all()
    assert classifier.best_epoch_ is None
    assert classifier.score(X, y) > accuracy - 0.1


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_an_interruption_keeps_the_best_epoch_so_far(
    small, blobs, monkeypatch, readout
):
    measure = Monitor.on_epoch_end

    def interrupt(monitor, net, **kwargs):
        measure(monitor, net, **kwargs)
        if len(net.measurements) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Monitor, "on_epoch_end", interrupt)
    classifier = small(readout=readout, max_epochs=50)
    with pytest.warns(UserWarning, match="interrupted; the model is kept"):
        classifier.fit(*blobs)

    assert (classifier.n_iter_, classifier.best_epoch_) == (5, 3)
    assert np.isfinite(classifier.predict_proba(blobs[0])).all()
