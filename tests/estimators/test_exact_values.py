"""Numbers that are codes in disguise are found, and taken for categories as well."""

from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sklearn_ddcl
from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.estimators.exact_values import exact_gain, telling_columns
from sklearn_ddcl.estimators.table_encoder import EncodedTable

N_VALUES = 120


def make_codes(n=2400, seed=0):
    """Return codes 0 ... 119, and the classes they have by lot, with 10 % noise."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, N_VALUES, n)
    classes = np.random.default_rng(1).integers(0, 2, N_VALUES)[codes]
    flipped = rng.random(n) < 0.1
    return codes.astype(float), np.where(flipped, 1 - classes, classes)


def columns_of(numbers, classes, weights=None):
    numbers = np.asarray(numbers, float)
    encoded = EncodedTable(numbers, np.empty((len(numbers), 0), dtype=np.int64))
    if weights is None:
        weights = np.ones(len(numbers))
    return telling_columns(encoded, classes, weights)


def gain_by_hand(values, classes, share=1 / 48):
    """Return the gain, row by row and neighbor by neighbor."""
    n, n_classes = len(values), classes.max() + 1
    kept = [v for v in sorted(set(values)) if (values == v).sum() <= share * n]
    rows = [(v, c) for v in kept for c in sorted(classes[values == v])]
    prior = np.bincount([c for _, c in rows], minlength=n_classes) / len(rows)
    reach = max(20, share * len(rows))
    gains, n_told_of = [], 0
    for value in kept:
        own = np.bincount(classes[values == value], minlength=n_classes)
        if own.sum() < 10:
            continue
        expected = 2 * prior
        for side in (kept[: kept.index(value)][::-1], kept[kept.index(value) + 1 :]):
            left = reach
            for other in side:
                counts = np.bincount(classes[values == other], minlength=n_classes)
                part = min(1, left / counts.sum())
                expected = expected + part * counts
                left -= part * counts.sum()
        expected = expected / expected.sum()
        gain = 0
        for c in range(n_classes):
            corrected = (own[c] - 1 + 2 * expected[c]) / (own.sum() + 1)
            if own[c]:
                gain += own[c] * np.log(corrected / expected[c])
        gains.append(gain)
        n_told_of += own.sum()
    n_told, m = sum(gain > 0 for gain in gains), len(gains)
    chance = sum(comb(m, k) for k in range(n_told, m + 1)) / 2**m
    return sum(gains) / n_told_of, chance


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_gain_is_what_its_formula_says(n_classes):
    rng = np.random.default_rng(0)
    # Some values are rare, and zero has more than its share.
    values = np.append(rng.geometric(0.02, 1500), np.zeros(200)).astype(float)
    classes = (
        values.astype(int) * 7 % 11 + rng.integers(0, 2, len(values))
    ) % n_classes

    np.testing.assert_allclose(
        exact_gain(values, classes), gain_by_hand(values, classes), rtol=1e-9
    )


def test_missing_numbers_are_no_value():
    codes, classes = make_codes()
    with_gaps = np.append(codes, np.full(500, np.nan))

    assert exact_gain(with_gaps, np.append(classes, np.ones(500, int))) == (
        exact_gain(codes, classes)
    )


def test_codes_are_found_and_what_is_smooth_is_not():
    codes, classes = make_codes()
    rng = np.random.default_rng(3)
    ages = rng.integers(18, 90, len(codes)).astype(float)
    # Its values follow the classes, but no better than their neighbors do.
    amounts = np.round(60 * classes + rng.normal(0, 20, len(codes)))
    continuous = rng.normal(size=len(codes)) + classes
    numbers = np.column_stack([ages, codes, amounts, continuous])

    assert columns_of(numbers, classes) == [1]


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_labels_by_lot_tell_nothing(seed):
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, rng.integers(3, 200), (600, 4))

    assert columns_of(numbers, rng.integers(0, 3, 600)) == []


def test_a_weight_of_two_is_like_two_rows_and_the_order_does_not_matter():
    codes, classes = make_codes(1600)
    numbers = np.column_stack([codes, np.arange(1600)])
    weights = np.random.default_rng(0).integers(0, 3, 1600)
    repeated = np.repeat(np.arange(1600), weights)
    shuffled = np.random.default_rng(1).permutation(repeated)

    weighted = columns_of(numbers, classes, weights.astype(float))
    assert weighted == [0]
    assert columns_of(numbers[shuffled], classes[shuffled]) == weighted


def test_equal_rows_count_once():
    # Twenty different rows, each of them sixty times: no evidence but of twenty.
    rng = np.random.default_rng(0)
    numbers, classes = np.arange(20.0)[:, None], rng.integers(0, 2, 20)

    assert columns_of(numbers.repeat(60, 0), classes.repeat(60)) == []


@pytest.fixture(scope="module")
def coded():
    """Return training and test rows whose classes hang on a code, and a fit of them."""
    codes, y = make_codes(3000)
    X = pd.DataFrame({"x": np.random.default_rng(5).normal(size=3000), "code": codes})
    classifier = DDCLClassifier(max_epochs=20, random_state=0)
    return X, y, classifier.fit(X[:2000], y[:2000])


def test_codes_are_predicted_better_as_categories_too(coded):
    X, y, exact = coded
    plain = DDCLClassifier(exact_values=False, max_epochs=20, random_state=0)
    plain.fit(X[:2000], y[:2000])

    assert exact.exact_features_.tolist() == [1]
    assert plain.exact_features_.tolist() == []
    # Nine rows in ten can be told.
    assert exact.score(X[2000:], y[2000:]) > 0.85
    assert exact.score(X[2000:], y[2000:]) > plain.score(X[2000:], y[2000:]) + 0.05


def test_values_never_seen_or_missing_are_predicted_and_explained(coded):
    _, _, classifier = coded
    odd = pd.DataFrame({"x": [0.0, 0.0, np.nan], "code": [0.5, np.nan, 1e9]})
    proba = classifier.predict_proba(odd)

    assert np.isfinite(proba).all()
    evidence = classifier.explain(odd).evidence.sum(axis=1)
    np.testing.assert_allclose(evidence, proba, atol=1e-5)


def test_a_file_keeps_which_columns_are_exact(coded, tmp_path):
    X, _, classifier = coded
    classifier.save(tmp_path / "model.ddcl")
    again = sklearn_ddcl.load(tmp_path / "model.ddcl")

    assert again.exact_features_.tolist() == [1]
    np.testing.assert_array_equal(
        again.predict_proba(X[2000:]), classifier.predict_proba(X[2000:])
    )


def test_a_state_without_exact_columns_is_one_of_before(coded):
    X, _, _ = coded
    classifier = DDCLClassifier(max_epochs=1, exact_values=False, random_state=0)
    classifier.fit(X[:200], np.arange(200) % 2)
    state = classifier._fitted.get_state()
    del state["table"]["exact"]
    again = type(classifier._fitted).from_state(state, classifier._fitted.device)

    encoded = classifier._encode(X[:9])
    np.testing.assert_array_equal(
        again.predict_proba(encoded), classifier._fitted.predict_proba(encoded)
    )


def test_other_passes_encode_numbers_alike(coded):
    X, y, _ = coded
    classifier = DDCLClassifier(max_epochs=2, warm_start=True, random_state=0)
    classifier.fit(X[:2000], y[:2000])
    shape = classifier._fitted.architecture.spec.cardinalities
    # Labels by lot tell nothing, but the columns are those of the first fit.
    classifier.fit(X[:2000], np.random.default_rng(0).integers(0, 2, 2000))

    assert classifier.exact_features_.tolist() == [1]
    assert classifier._fitted.architecture.spec.cardinalities == shape


def test_what_is_said_of_pools_is_said_of_the_columns_of_the_table(coded):
    from sklearn_ddcl.networks import TransformerEncoder

    X, y, _ = coded
    encoder = TransformerEncoder(
        n_layers=1, n_heads=1, d_token=8, context_pool="seriation"
    )
    classifier = DDCLClassifier(encoder=encoder, max_epochs=1, random_state=0)
    classifier.fit(X[:2000], y[:2000])

    assert classifier.exact_features_.tolist() == [1]
    assert classifier.pool_sizes_.shape == (1, 2)
    assert sorted(classifier.feature_order_) == [0, 1]
