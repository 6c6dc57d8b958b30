"""Training can go on: with the same rows again, or with a stream of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

ENCODERS = ["mlp", "transformer", "aot", "incrt"]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_warm_start_goes_on_and_counts_on(small, blobs, encoder):
    classifier = small(encoder, warm_start=True, max_epochs=20).fit(*blobs)
    loss, n_epochs = classifier.history_["loss"][-1], classifier.n_iter_
    classifier.fit(*blobs).fit(*blobs)

    assert classifier.n_iter_ == len(classifier.history_) == n_epochs + 40
    assert classifier.history_["epoch"] == list(range(1, n_epochs + 41))
    assert classifier.history_["loss"][-1] < loss


def test_a_warm_start_of_tiny_steps_keeps_the_model(small, blobs):
    classifier = small(warm_start=True).fit(*blobs)
    before = classifier.predict_proba(blobs[0])
    classifier.set_params(lr=1e-12, temperature=classifier.temperature_).fit(*blobs)

    np.testing.assert_allclose(classifier.predict_proba(blobs[0]), before, atol=0.02)


def test_a_cold_start_forgets(small, blobs):
    X, y = blobs
    expected = small().fit(X, y).predict_proba(X)
    classifier = small().fit(np.column_stack([X, X]), y + 5)

    assert (classifier.fit(X, y).predict_proba(X) == expected).all()
    assert classifier.n_iter_ == 5
    assert classifier.classes_.tolist() == [0, 1, 2]


def test_the_first_warm_start_is_a_cold_one(small, blobs):
    X, y = blobs
    expected = small().fit(X, y).predict_proba(X)

    assert (small(warm_start=True).fit(X, y).predict_proba(X) == expected).all()


def test_a_warm_start_wants_the_columns_and_classes_it_knows(small, blobs):
    X, y = blobs
    classifier = small(warm_start=True).fit(X, y)

    with pytest.raises(ValueError, match="X has 2 features"):
        classifier.fit(X[:, :2], y)
    with pytest.raises(ValueError, match="label 3, which is not among"):
        classifier.fit(X, y + 1)
    assert classifier.fit(X[y > 0], y[y > 0]).classes_.tolist() == [0, 1, 2]


def test_a_warm_start_can_be_validated(small, blobs):
    X, y = blobs
    classifier = small(warm_start=True, early_stopping=False).fit(X, y)
    classifier.fit(X, y, X_val=X, y_val=y)

    valid = classifier.history_["valid_loss"]
    assert np.isnan(valid[:5]).all()
    assert np.isfinite(valid[5:]).all()
    assert classifier.best_epoch_ == 6 + int(np.argmin(valid[5:]))
    assert classifier.fit(X, y).best_epoch_ is None


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_stream_of_rows_is_learned(small, encoder):
    X, y = make_blobs(2000, 3, centers=3, random_state=0)
    classifier = small(encoder, batch_size=20, lr=0.01)
    for part in np.array_split(np.arange(1500), 15):
        classifier.partial_fit(X[part], y[part], classes=[0, 1, 2])

    assert classifier.n_iter_ == 15
    assert classifier.score(X[1500:], y[1500:]) > 0.9


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_stream_keeps_its_state_between_calls(small, blobs, encoder):
    classifier = small(encoder, batch_size=40)
    steps = []
    for _ in range(3):
        classifier.partial_fit(*blobs)
        optimizer = classifier.net_.optimizer_
        steps += [int(state["step"]) for state in optimizer.state.values()][:1]

    assert steps == [3, 6, 9]
    assert classifier.history_["epoch"] == [1, 2, 3]
    # Five epochs of three steps were planned.
    factors = [classifier.net_.plan.lr_factor(step, 15) for step in (2, 5, 8)]
    expected = [classifier.lr * factor for factor in factors]
    assert classifier.history_["lr"] == pytest.approx(expected)


def test_all_classes_are_named_in_the_first_call(small, blobs):
    X, y = blobs
    classifier = small().partial_fit(X[y < 2], y[y < 2], classes=[2, 1, 0])

    assert classifier.classes_.tolist() == [0, 1, 2]
    assert classifier.predict_proba(X).shape == (120, 3)
    classifier.partial_fit(X[y == 2], y[y == 2])
    classifier.partial_fit(X[y == 2], y[y == 2], classes=[0, 1, 2])


def test_without_names_the_classes_are_those_of_the_first_call(small, blobs):
    X, y = blobs
    classifier = small().partial_fit(X, y)

    assert classifier.classes_.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"label 3, which .*\[0, 1, 2\].*start anew"):
        classifier.partial_fit(X, y + 1)


@pytest.mark.parametrize(
    ("classes", "match"),
    [
        ([0, 1], "label 2, which is not among"),
        ([0], "at least 2 classes"),
        ([0, 1, None], "NaN, infinity or None at row 2"),
        (["a", "b", "c"], "label 2, which is not among"),
    ],
)
def test_wrong_names_of_classes_are_refused(small, blobs, classes, match):
    with pytest.raises(ValueError, match=match):
        small().partial_fit(*blobs, classes=classes)


def test_other_classes_in_a_later_call_are_refused(small, blobs):
    classifier = small().partial_fit(*blobs)

    with pytest.raises(ValueError, match=r"\[0, 1, 2, 3\] differ from those known"):
        classifier.partial_fit(*blobs, classes=[0, 1, 2, 3])


def test_a_stream_wants_the_columns_it_knows(small, mixed):
    X, y = mixed
    classifier = small().partial_fit(X, y)

    with pytest.raises(ValueError, match="same order"):
        classifier.partial_fit(X[X.columns[::-1]], y)
    with pytest.raises(ValueError, match="yet now missing"):
        classifier.partial_fit(X.drop(columns="flag"), y)


def test_a_stream_may_bring_new_categories_and_single_rows(small, mixed):
    X, y = mixed
    classifier = small().partial_fit(X, y)
    classifier.partial_fit(X[:1].assign(color="mauve", size=np.nan), y[:1])

    assert np.isfinite(classifier.predict_proba(X)).all()
    assert classifier.prototype_indices_.tolist() == [0] * 6
    assert isinstance(classifier.prototype_examples_, pd.DataFrame)


def test_a_stream_weighs_rows(small, blobs):
    X, y = blobs
    weights = np.where(y == 0, 0.0, 1.0)
    params = {"precision": "float64"}
    classifier = small(**params).partial_fit(X, y, [0, 1, 2], sample_weight=weights)
    expected = small(**params).partial_fit(X[y > 0], y[y > 0], [0, 1, 2])

    assert (classifier.predict_proba(X) == expected.predict_proba(X)).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_fitted_model_goes_on_with_a_stream(small, blobs, encoder):
    classifier = small(encoder, max_epochs=30).fit(*blobs)
    accuracy, n_epochs = classifier.score(*blobs), classifier.n_iter_
    for _ in range(3):
        classifier.partial_fit(*blobs)

    assert classifier.n_iter_ == n_epochs + 3
    assert classifier.score(*blobs) > accuracy - 0.1


def test_two_streams_with_one_seed_are_the_same_bit_for_bit(small, blobs):
    X, y = blobs
    answers = [
        small().partial_fit(X, y).partial_fit(X[::2], y[::2]).predict_proba(X)
        for _ in range(2)
    ]

    assert (answers[0] == answers[1]).all()


def test_the_random_state_seeds_all_of_a_stream(small, blobs):
    def losses(random_state):
        classifier = small(random_state=random_state).partial_fit(*blobs)
        return classifier.net_.seed, classifier.history_["loss"]

    assert losses(0) == losses(0)
    assert losses(0)[0] != losses(1)[0]
    assert losses(0)[1] != losses(1)[1]
