"""Validation rows choose the epoch whose weights are kept."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

from sklearn_ddcl.estimators.fitting import hold_out
from sklearn_ddcl.training.callbacks.keep_best import KeepBest

ENCODERS = ["mlp", "transformer"]


@pytest.fixture
def noisy():
    """Return training and validation rows on which a long training overfits."""
    X, y = make_blobs(160, 3, centers=2, cluster_std=6.0, random_state=0)
    return train_test_split(X, y, test_size=60, random_state=0)


@pytest.mark.parametrize("readout", ["ddcl", "mean"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_model_is_that_of_the_best_epoch(small, noisy, encoder, readout):
    X, X_val, y, y_val = noisy
    classifier = small(
        encoder, readout=readout, max_epochs=60, n_iter_no_change=None, lr=0.05
    ).fit(X, y, X_val=X_val, y_val=y_val)
    history = classifier.history_
    losses = history["valid_loss"]

    assert classifier.n_iter_ == len(history) == 60
    assert classifier.best_epoch_ == 1 + int(np.argmin(losses)) < 60
    loss = log_loss(y_val, classifier.predict_proba(X_val))
    assert loss == pytest.approx(min(losses), rel=1e-5)
    accuracy = accuracy_score(y_val, classifier.predict(X_val))
    assert accuracy == pytest.approx(history["valid_score"][classifier.best_epoch_ - 1])


def test_the_kept_model_is_the_one_that_training_had_in_that_epoch(small, noisy):
    X, X_val, y, y_val = noisy
    params = {"max_epochs": 40, "n_iter_no_change": None, "lr": 0.02}
    kept = small(**params).fit(X, y, X_val=X_val, y_val=y_val)
    states = record_states(small(**params), X, y, X_val, y_val)

    expected = states[kept.best_epoch_ - 1]
    ratio = kept.net_.history[kept.best_epoch_ - 1]["valid_ratio"]
    assert ratio != 1
    for name, values in kept.__getstate__()["_fitted"]["weights"].items():
        # Decisions are softened or sharpened, nothing else.
        factor = ratio if name == "readout.bank.temperature" else 1
        assert (values == expected[name] * np.float32(factor)).all(), name


def record_states(classifier, X, y, X_val, y_val):
    """Fit, and return copies of the weights at the end of every epoch."""
    states = []
    original = KeepBest.on_epoch_end

    def record(callback, net, **kwargs):
        state = net.module_.state_dict()
        states.append({name: v.clone().numpy() for name, v in state.items()})
        original(callback, net, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KeepBest, "on_epoch_end", record)
        classifier.fit(X, y, X_val=X_val, y_val=y_val)
    return states


@pytest.mark.parametrize("patience", [1, 3])
def test_training_ends_when_validation_no_longer_improves(small, noisy, patience):
    X, X_val, y, y_val = noisy
    classifier = small(max_epochs=200, lr=0.02, n_iter_no_change=patience)
    classifier.fit(X, y, X_val=X_val, y_val=y_val)
    losses = classifier.history_["valid_loss"]

    assert classifier.n_iter_ == classifier.best_epoch_ + patience < 200
    assert min(losses[-patience:]) >= losses[classifier.best_epoch_ - 1]


def test_an_internal_split_holds_out_its_share_of_every_class():
    classes = np.repeat([0, 1, 2], [100, 60, 40])
    train, validation = hold_out(classes, 0.15, seed=0)

    assert sorted([*train, *validation]) == list(range(200))
    assert np.bincount(classes[validation]).tolist() == [15, 9, 6]


def test_another_seed_holds_out_other_rows():
    classes = np.arange(100) % 2
    splits = [hold_out(classes, 0.2, seed)[1].tolist() for seed in (0, 0, 1)]

    assert splits[0] == splits[1] != splits[2]


def test_the_random_state_chooses_the_rows_that_are_held_out(small, blobs, monkeypatch):
    seeds = []
    monkeypatch.setattr(
        "sklearn_ddcl.estimators.classifier.hold_out",
        lambda classes, fraction, seed: (
            seeds.append(seed) or hold_out(classes, fraction, seed)
        ),
    )
    for random_state in (0, 0, 1):
        small(early_stopping=True, random_state=random_state).fit(*blobs)

    assert seeds[0] == seeds[1] != seeds[2]


def test_a_class_of_one_row_stays_in_training():
    classes = np.array([0] * 20 + [1] * 20 + [2])
    train, validation = hold_out(classes, 0.2, seed=0)

    assert 40 in train
    assert len(validation) == 8


def test_with_few_rows_the_split_is_as_even_as_it_can_be():
    # Two rows for three classes: not stratified, yet two.
    train, validation = hold_out(np.arange(12) % 3, 0.15, seed=0)

    assert (len(train), len(validation)) == (10, 2)


@pytest.mark.parametrize(
    ("classes", "fraction"),
    [([0, 1], 0.15), ([0, 0, 1, 1], 0.1), ([0, 0, 1, 1], 0.9), ([0, 1, 2], 0.5)],
)
def test_too_few_rows_to_split_are_told_with_a_cure(classes, fraction):
    with pytest.raises(ValueError, match=r"not possible with.*Give X_val and y_val"):
        hold_out(np.array(classes), fraction, seed=0)


def test_too_few_rows_for_early_stopping_are_an_error_in_fit(small):
    with pytest.raises(ValueError, match=r"2 rows and 2 classes. Give X_val"):
        small(early_stopping=True).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("encoder", ENCODERS)
def test_early_stopping_trains_on_the_rest_and_reports_validation(
    small, blobs, encoder
):
    classifier = small(encoder, early_stopping=True, max_epochs=60, lr=0.01).fit(*blobs)

    assert np.isfinite(classifier.history_["valid_loss"]).all()
    assert 0 <= min(classifier.history_["valid_score"]) <= 1
    assert 1 <= classifier.best_epoch_ <= classifier.n_iter_
    assert classifier.score(*blobs) > 0.7


def test_without_validation_its_columns_are_empty(small, blobs):
    classifier = small(early_stopping=False).fit(*blobs)

    assert np.isnan(classifier.history_["valid_loss"]).all()
    assert np.isnan(classifier.history_["valid_score"]).all()
    assert classifier.best_epoch_ is None
    assert classifier.temperature_ == classifier.history_["temperature"][-1]


def test_given_rows_take_the_place_of_the_internal_split(small, noisy):
    X, X_val, y, y_val = noisy
    both = small(early_stopping=True).fit(X, y, X_val=X_val, y_val=y_val)
    given = small().fit(X, y, X_val=X_val, y_val=y_val)

    assert both.history_["valid_loss"] == given.history_["valid_loss"]


def test_validation_weights_count_rows(small, noisy):
    X, X_val, y, y_val = noisy
    weights = np.arange(60) % 3
    params = {"precision": "float64", "max_epochs": 3}
    weighted = small(**params).fit(
        X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights
    )
    repeated = small(**params).fit(
        X, y, X_val=X_val.repeat(weights, 0), y_val=y_val.repeat(weights)
    )

    assert weighted.history_["valid_loss"] == pytest.approx(
        repeated.history_["valid_loss"], rel=1e-12
    )


@pytest.mark.parametrize("name", ["y_val", "sample_weight_val"])
def test_validation_labels_without_rows_are_refused(small, noisy, name):
    X, _, y, y_val = noisy

    with pytest.raises(ValueError, match="y_val and sample_weight_val need X_val"):
        small().fit(X, y, **{name: y_val})


def test_validation_rows_must_fit_the_training_rows(small, noisy):
    X, X_val, y, y_val = noisy

    with pytest.raises(ValueError, match="X has 2 features"):
        small().fit(X, y, X_val=X_val[:, :2], y_val=y_val)
    with pytest.raises(ValueError, match="label 8, which is not among the classes"):
        small().fit(X, y, X_val=X_val, y_val=y_val + 7)
    with pytest.raises(ValueError, match=r"\[60, 59\]; y must have one label per row"):
        small().fit(X, y, X_val=X_val, y_val=y_val[:-1])
    with pytest.raises(ValueError, match="y is None"):
        small().fit(X, y, X_val=X_val)
