"""Explanations account for the whole decision and point to real training rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone

from sklearn_ddcl.estimators.explanation import Explanation

ENCODERS = ["mlp", "transformer"]
PROTOTYPE_METHODS = ["assign", "transform", "explain", "decomposition"]


@pytest.fixture(scope="module")
def fitted(small, mixed):
    """Return a fitted classifier per encoder and precision; do not fit it again."""
    return {
        (encoder, precision): small(encoder, precision=precision, max_epochs=10).fit(
            *mixed
        )
        for encoder in ENCODERS
        for precision in ("float32", "float64")
    }


def shares_of(classifier, X):
    """Return assignments and squared distances (n, T, K) and tokens, by NumPy."""
    fitted = classifier._fitted
    with torch.no_grad():
        inputs = fitted.to_tensors(fitted.table.transform(X))
        tokens = fitted.network.eval().tokens(*inputs).double().numpy()
    gaps = np.square(tokens[:, :, None] - classifier.prototypes_).sum(-1)
    odds = np.exp(-(gaps - gaps.min(-1, keepdims=True)) / classifier.temperature_)
    return odds / odds.sum(-1, keepdims=True), gaps, tokens


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(("precision", "atol"), [("float32", 1e-6), ("float64", 1e-12)])
def test_evidence_adds_up_to_the_prediction(fitted, mixed, encoder, precision, atol):
    classifier = fitted[encoder, precision]
    explanation = classifier.explain(mixed[0])
    proba = classifier.predict_proba(mixed[0])

    np.testing.assert_allclose(explanation.weights.sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(explanation.evidence.sum(1), proba, atol=atol)
    np.testing.assert_allclose(explanation.probabilities, proba, atol=atol)
    assert (explanation.evidence >= 0).all()
    assert (explanation.predictions == classifier.predict(mixed[0])).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_probabilities_are_distributions(fitted, mixed, encoder):
    proba = fitted[encoder, "float32"].predict_proba(mixed[0])

    assert proba.dtype == np.float64
    assert proba.min() >= 0
    np.testing.assert_allclose(proba.sum(1), 1, atol=1e-12)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_assignments_are_the_mean_softmax_of_the_tokens(fitted, mixed, encoder):
    classifier = fitted[encoder, "float64"]
    expected = shares_of(classifier, mixed[0])[0].mean(1)

    np.testing.assert_allclose(classifier.assign(mixed[0]), expected, atol=1e-9)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_prototype_points_to_the_row_it_answers_for_most(fitted, mixed, encoder):
    classifier = fitted[encoder, "float64"]
    shares = shares_of(classifier, mixed[0])[0].mean(1)

    chosen = shares[classifier.prototype_indices_, np.arange(6)]
    np.testing.assert_allclose(chosen, shares.max(0), rtol=1e-9)


def test_examples_are_the_rows_as_they_were_given(small, mixed, blobs):
    frame, y = mixed
    frame = frame.set_index(np.arange(90) * 10 + 5)
    polars = pl.from_pandas(frame)
    X, labels = blobs

    by_pandas = small().fit(frame, y)
    by_polars = small().fit(polars, y)
    by_array = small().fit(X, labels)

    rows = by_pandas.prototype_indices_
    pd.testing.assert_frame_equal(by_pandas.prototype_examples_, frame.iloc[rows])
    assert by_polars.prototype_examples_.equals(polars[rows.tolist()])
    assert (by_polars.prototype_indices_ == rows).all()
    examples = by_array.prototype_examples_
    assert (examples == X[by_array.prototype_indices_]).all()
    assert not np.shares_memory(examples, X)


def test_rows_of_weight_zero_stand_for_nothing(small, blobs):
    X, y = blobs
    absent = np.arange(120) % 2 == 0
    classifier = small().fit(X, y, sample_weight=np.where(absent, 0.0, 1.0))

    assert not absent[classifier.prototype_indices_].any()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_loss_of_a_row_splits_into_two_parts(fitted, mixed, encoder):
    classifier = fitted[encoder, "float64"]
    q, gaps, tokens = shares_of(classifier, mixed[0])
    means = q @ classifier.prototypes_

    parts = classifier.decomposition(mixed[0])

    np.testing.assert_allclose(parts.loss, (q * gaps).sum(-1).mean(1), rtol=1e-9)
    np.testing.assert_allclose(
        parts.reconstruction, np.square(tokens - means).sum(-1).mean(1), rtol=1e-9
    )
    np.testing.assert_allclose(
        parts.reconstruction + parts.diversity, parts.loss, rtol=1e-12
    )
    assert parts.diversity.min() >= 0
    assert parts.loss.shape == (90,)


# By hand: three prototypes, two classes, the first row decided 0.6 to 0.4.
BY_HAND = Explanation(
    weights=np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]),
    votes=np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]),
    classes=np.array(["no", "yes"]),
    prototype_indices=np.array([7, 11, 13]),
    prototype_examples=pd.DataFrame(
        {"size": [1.25, np.nan, 3.0], "color": ["red", None, "blue"]}
    ),
)


def test_an_explanation_by_hand():
    np.testing.assert_allclose(BY_HAND.probabilities, [[0.6, 0.4], [0.5, 0.5]])
    np.testing.assert_allclose(BY_HAND.evidence[0], [[0.5, 0], [0, 0.3], [0.1, 0.1]])
    assert BY_HAND.predictions.tolist() == ["no", "no"]
    assert len(BY_HAND) == 2
    assert repr(BY_HAND) == "Explanation(2 rows, n_prototypes=3, n_classes=2)"


def test_top_lists_the_heaviest_prototypes_first():
    assert BY_HAND.top(2).tolist() == [[0, 1], [2, 0]]
    assert BY_HAND.top(99).tolist() == [[0, 1, 2], [2, 0, 1]]


def test_the_frame_has_a_line_per_row_and_prototype():
    frame = BY_HAND.to_frame(n=2)

    expected = pd.DataFrame(
        {
            "row": [0, 0, 1, 1],
            "rank": [1, 2, 1, 2],
            "prototype": [0, 1, 2, 0],
            "weight": [0.5, 0.3, 0.8, 0.1],
            "evidence_no": [0.5, 0.0, 0.4, 0.1],
            "evidence_yes": [0.0, 0.3, 0.4, 0.0],
            "training_row": [7, 11, 13, 7],
        }
    )
    pd.testing.assert_frame_equal(frame, expected)


def test_the_whole_frame_adds_up_to_the_probabilities():
    frame = BY_HAND.to_frame(n=3).groupby("row")[["evidence_no", "evidence_yes"]].sum()

    np.testing.assert_allclose(frame.to_numpy(), BY_HAND.probabilities)


def test_a_decision_in_words():
    assert BY_HAND.describe(0, n=2).splitlines() == [
        "no with probability 60.0%",
        "   50.0% from prototype 0, which is no in 100.0% of cases, "
        "like training row 7 (size 1.25, color red)",
        "   30.0% from prototype 1, which is yes in 100.0% of cases, "
        "like training row 11 (size missing, color missing)",
        "   20.0% from all others together",
    ]


def test_words_name_as_many_columns_as_wanted():
    assert "color" not in BY_HAND.describe(max_columns=1)
    assert "size" in BY_HAND.describe(max_columns=1)


@pytest.mark.parametrize(
    "convert", [pd.DataFrame, pl.from_pandas, pd.DataFrame.to_numpy]
)
def test_a_decision_is_put_in_words_for_every_kind_of_table(small, mixed, convert):
    X, y = mixed
    X = convert(X)
    text = small().fit(X, y).explain(X[:3]).describe(row=2)

    assert text.count("\n") == 4
    assert ("x0" if isinstance(X, np.ndarray) else "size") in text


def test_features_are_named_after_the_prototypes(small, mixed):
    X, y = mixed
    names = [f"ddclclassifier{k}" for k in range(6)]
    for library in ("pandas", "polars"):
        classifier = small().set_output(transform=library)
        frame = classifier.fit_transform(X, y)

        assert type(frame).__module__.startswith(library)
        assert list(frame.columns) == names
        assert classifier.get_feature_names_out().tolist() == names
        assert (frame.to_numpy() == classifier.assign(X)).all()


def test_features_are_in_the_precision_of_the_input(small, blobs):
    X, y = blobs
    classifier = small().fit(X, y)

    assert classifier.transform(X).dtype == np.float64
    assert classifier.transform(X.astype(np.float32)).dtype == np.float32
    assert classifier.transform(X).shape == (120, 6)


@pytest.mark.parametrize("readout", ["mean", "cls"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_baseline_has_no_prototypes_and_says_so(small, blobs, encoder, readout):
    classifier = small(encoder, readout=readout, max_epochs=100, lr=0.01).fit(*blobs)

    assert classifier.score(*blobs) > 0.6
    for name in [*PROTOTYPE_METHODS, "fit_transform", "get_feature_names_out"]:
        assert not hasattr(classifier, name)
        assert not hasattr(clone(classifier), name)
    for name in ("prototypes_", "prototype_votes_", "temperature_"):
        assert not hasattr(classifier, name)
    with pytest.raises(AttributeError) as raised:
        classifier.explain(blobs[0])
    reason = f"readout='{readout}' has no prototypes; set readout=\"ddcl\""
    assert reason in str(raised.value.__cause__)


def test_switching_to_a_baseline_leaves_no_prototypes_behind(small, blobs):
    classifier = small().fit(*blobs).set_params(readout="mean").fit(*blobs)

    assert not hasattr(classifier, "prototypes_")
    assert not hasattr(classifier, "prototype_examples_")
    assert not hasattr(classifier, "temperature_")


@pytest.mark.parametrize("name", [*PROTOTYPE_METHODS, "fit_transform"])
def test_a_classifier_with_prototypes_has_every_method(small, name):
    assert hasattr(small(), name)
