"""A fit that fails leaves the estimator exactly as it was."""

import itertools

import numpy as np
import pytest

from sklearn_ddcl.training import DDCLNet


def snapshot(classifier, X):
    """Return what can be seen of a fitted classifier, as plain values."""
    state = classifier.__getstate__()
    weights = state["_fitted"]["weights"]
    return {
        "attributes": sorted(vars(classifier)),
        "weights": {name: values.tobytes() for name, values in weights.items()},
        "proba": classifier.predict_proba(X).tobytes(),
        "history": repr(classifier.history_),
        "n_iter": classifier.n_iter_,
        "n_features": classifier.n_features_in_,
        "classes": classifier.classes_.tolist(),
        "temperature": classifier.temperature_,
        "prototypes": classifier.prototypes_.tobytes(),
        "rows": classifier.prototype_indices_.tolist(),
    }


@pytest.fixture
def break_at(monkeypatch):
    """Return a function that lets the training from now on fail at some step."""
    train = DDCLNet.train_step_single
    steps = itertools.count(1)

    def start(step):
        def fail_later(net, *args, **kwargs):
            if next(steps) == step:
                raise MemoryError("no room for another step")
            return train(net, *args, **kwargs)

        monkeypatch.setattr(DDCLNet, "train_step_single", fail_later)

    return start


WRONG = {
    "infinity": lambda X, y: (np.where(X > X.min(), X, np.inf), y),
    "one class": lambda X, y: (X, y * 0),
    "missing label": lambda X, y: (X, np.where(y == 0, np.nan, y)),
    "no rows": lambda X, y: (X[:0], y[:0]),
}


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG)
def test_wrong_data_change_nothing(small, blobs, spoil):
    X, y = blobs
    classifier = small().fit(X, y)
    before = snapshot(classifier, X)

    with pytest.raises(ValueError, match=r"."):
        classifier.fit(*spoil(np.column_stack([X, X]), y))

    assert snapshot(classifier, X) == before


# To go on with rows of one known class is no error.
@pytest.mark.parametrize("name", sorted(WRONG.keys() - {"one class"}))
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_wrong_data_change_nothing_when_training_goes_on(small, blobs, name, method):
    X, y = blobs
    classifier = small(warm_start=True).fit(X, y)
    before = snapshot(classifier, X)

    with pytest.raises(ValueError, match=r"."):
        getattr(classifier, method)(*WRONG[name](X, y))

    assert snapshot(classifier, X) == before


@pytest.mark.parametrize(
    "params",
    [
        {"lr": -1.0},
        {"device": "nonsense"},
        {"categorical_features": [99]},
        {"encoder__n_layers": -1},
        {"early_stopping": True, "validation_fraction": 0.999},
    ],
    ids=str,
)
def test_wrong_parameters_change_nothing(small, blobs, params):
    X, y = blobs
    classifier = small().fit(X, y)
    before = snapshot(classifier, X)

    with pytest.raises(ValueError, match=r"."):
        classifier.set_params(**params).fit(X, y)

    assert snapshot(classifier, X) == before


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_unfitted_classifier_stays_unfitted(small, blobs, method):
    X, y = blobs
    classifier = small()
    before = dict(vars(classifier))

    with pytest.raises(ValueError, match="infinity"):
        getattr(classifier, method)(np.where(X > X.min(), X, np.inf), y)

    assert vars(classifier) == before
    assert not hasattr(classifier, "n_features_in_")


@pytest.mark.parametrize(
    ("method", "warm_start"), [("fit", False), ("fit", True), ("partial_fit", False)]
)
@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_a_training_that_breaks_off_changes_nothing(
    small, blobs, break_at, method, warm_start, encoder
):
    X, y = blobs
    params = {"batch_size": 60, "warm_start": warm_start, "temperature": 3.0}
    classifier = small(encoder, **params).fit(X, y)
    before = snapshot(classifier, X)

    # Two steps are an epoch, and a partial fit.
    break_at(step=2 if method == "partial_fit" else 4)
    with pytest.raises(MemoryError, match="no room"):
        getattr(classifier.set_params(temperature=2.0), method)(X, y)

    assert snapshot(classifier, X) == before


def test_a_stream_that_breaks_off_leaves_the_stream_as_it_was(small, blobs, break_at):
    X, y = blobs
    classifier = small(batch_size=60).partial_fit(X, y).partial_fit(X, y)
    before = snapshot(classifier, X)

    break_at(step=2)
    with pytest.raises(MemoryError, match="no room"):
        classifier.partial_fit(X, y)

    assert snapshot(classifier, X) == before
    assert classifier.partial_fit(X, y).n_iter_ == 3


def test_an_unknown_label_in_a_stream_changes_nothing(small, blobs):
    X, y = blobs
    classifier = small().partial_fit(X, y)
    before = snapshot(classifier, X)

    with pytest.raises(ValueError, match="label 3, which is not among"):
        classifier.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="expecting 3 features"):
        classifier.partial_fit(X[:, :2], y)

    assert snapshot(classifier, X) == before
