"""A weight counts rows: two like two, zero like none, all times a constant like one."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ddcl.estimators.weights import apply_class_weight, check_weights

ENCODERS = ["mlp", "transformer", "aot", "incrt"]


@pytest.fixture
def sparse_table():
    """Return 30 rows of two numbers and a category, labels and whole weights."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 30)
    X = pd.DataFrame(
        {
            "a": rng.normal(y, 0.5),
            "b": np.where(rng.random(30) < 0.2, np.nan, rng.normal(size=30)),
            "c": rng.choice(["u", "v"], 30),
        }
    )
    return X, y, rng.integers(0, 4, 30)


@pytest.mark.parametrize("n_prototypes", [3, 32])
@pytest.mark.parametrize("readout", ["ddcl", "mean"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_whole_weights_are_repeated_rows(
    small, sparse_table, encoder, readout, n_prototypes
):
    X, y, weights = sparse_table
    params = {
        "readout": readout,
        "n_prototypes": n_prototypes,
        "precision": "float64",
        "max_epochs": 20,
        # "auto" would deal the repeated rows, which are more than forty.
        "early_stopping": False,
    }
    weighted = small(encoder, **params).fit(X, y, sample_weight=weights)
    repeated = small(encoder, **params).fit(
        X.loc[X.index.repeat(weights)], y.repeat(weights)
    )

    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-7
    )
    for column in ("loss", "perplexity", "tracking", "critical_temperature"):
        np.testing.assert_allclose(
            weighted.history_[column], repeated.history_[column], atol=1e-7
        )


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_row_of_weight_zero_is_absent(small, sparse_table, encoder, early_stopping):
    X, y, weights = sparse_table
    # What the absent rows hold must not matter: nor an unknown label, nor an outlier.
    absent = weights == 0
    wild, labels = X.copy(), y.copy()
    wild.loc[absent, "a"], wild.loc[absent, "c"] = 1e30, "w"
    labels[absent] = 77
    params = {"early_stopping": early_stopping, "max_epochs": 8}

    zeros = small(encoder, **params).fit(wild, labels, sample_weight=weights)
    removed = small(encoder, **params).fit(
        X[~absent], y[~absent], sample_weight=weights[~absent]
    )

    assert zeros.classes_.tolist() == [0, 1, 2]
    assert (zeros.predict_proba(X) == removed.predict_proba(X)).all()


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("factor", [2.0**-160, 2.0**20, 2.0**160])
def test_the_scale_of_all_weights_does_not_matter(small, sparse_table, encoder, factor):
    X, y, weights = sparse_table
    expected = small(encoder).fit(X, y, sample_weight=weights).predict_proba(X)
    scaled = small(encoder).fit(X, y, sample_weight=factor * weights)

    assert (scaled.predict_proba(X) == expected).all()


def test_any_factor_on_all_weights_changes_rounding_only(small, sparse_table):
    X, y, weights = sparse_table
    params = {"precision": "float64", "max_epochs": 10}
    expected = small(**params).fit(X, y, sample_weight=weights).predict_proba(X)
    scaled = small(**params).fit(X, y, sample_weight=weights / 7)

    np.testing.assert_allclose(scaled.predict_proba(X), expected, atol=1e-9)


@pytest.mark.parametrize("same", [None, 1, 0.3, np.full(30, 5.0), [2] * 30])
def test_equal_weights_are_no_weights(small, sparse_table, same):
    X, y, _ = sparse_table
    expected = small(precision="float64").fit(X, y).predict_proba(X)
    classifier = small(precision="float64").fit(X, y, sample_weight=same)

    np.testing.assert_allclose(classifier.predict_proba(X), expected, atol=1e-9)


def test_weights_may_be_a_series(small, sparse_table):
    X, y, weights = sparse_table
    expected = small().fit(X, y, sample_weight=weights).predict_proba(X)
    series = pd.Series(weights, index=np.arange(30)[::-1])

    actual = small().fit(X, y, sample_weight=series).predict_proba(X)

    assert (actual == expected).all()


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (np.zeros(30), "all zero"),
        (np.r_[-1.0, np.ones(29)], "Negative"),
        (np.r_[np.nan, np.ones(29)], "NaN"),
        (np.r_[np.inf, np.ones(29)], "infinity"),
        (np.ones(29), "29 values, expected one for each of the 30 samples"),
        (np.ones((30, 2)), r"1D array or scalar, got shape \(30, 2\)"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_wrong_weights_are_refused(small, sparse_table, method, weights, match):
    X, y, _ = sparse_table

    with pytest.raises(ValueError, match=match):
        getattr(small(), method)(X, y, sample_weight=weights)


def test_weights_that_leave_one_class_are_refused(small, sparse_table):
    X, y, _ = sparse_table

    with pytest.raises(ValueError, match="at least 2 classes in y, got 1 class: 1"):
        small().fit(X, y, sample_weight=(y == 1).astype(float))


def test_validation_weights_are_checked(small, sparse_table):
    X, y, weights = sparse_table

    with pytest.raises(ValueError, match="Negative"):
        small().fit(X, y, X_val=X, y_val=y, sample_weight_val=-weights)


def test_a_class_weight_is_a_weight_of_its_rows(small, sparse_table):
    X, y, weights = sparse_table
    factors = {0: 3.0, 1: 1.0, 2: 0.5}
    expected = small().fit(X, y, sample_weight=weights * np.vectorize(factors.get)(y))
    classifier = small(class_weight=factors).fit(X, y, sample_weight=weights)

    assert (classifier.predict_proba(X) == expected.predict_proba(X)).all()


def test_a_class_weight_is_named_by_the_label(small, sparse_table):
    X, y, _ = sparse_table
    expected = small(class_weight={1: 5.0}).fit(X, y).predict_proba(X)
    labels = np.array(["a", "b", "c"])[y]

    actual = small(class_weight={"b": 5.0}).fit(X, labels).predict_proba(X)

    assert (actual == expected).all()


def test_balanced_classes_have_the_same_total_weight_by_hand():
    # Classes of total weight 1 and 3: each is to weigh 2.
    balanced = apply_class_weight(
        "balanced",
        np.array(["a", "b"]),
        np.array([0, 1, 1]),
        np.array([1.0, 1.0, 2.0]),
    )

    np.testing.assert_allclose(balanced, [2.0, 2 / 3, 4 / 3])


def test_a_class_without_weight_stays_without_when_balanced():
    balanced = apply_class_weight(
        "balanced", np.array([0, 1, 2]), np.array([0, 1, 2]), np.array([1.0, 0.0, 3.0])
    )

    np.testing.assert_allclose(balanced, [2.0, 0.0, 2.0])


# The plain one finds little worth telling apart, and says so.
@pytest.mark.filterwarnings("ignore::sklearn_ddcl.training.CollapseWarning")
def test_balanced_weights_favor_the_rare_class(small):
    rng = np.random.default_rng(0)
    y = np.arange(200) % 10 == 0
    X = rng.normal(y[:, None] * 1.0, 1.0)
    params = {"max_epochs": 60, "n_prototypes": 2, "lr": 0.01}

    plain = small(**params).fit(X, y).predict(X)
    balanced = small(class_weight="balanced", **params).fit(X, y).predict(X)

    assert balanced.sum() > plain.sum() + 20


def test_class_weights_count_in_validation_too(small, sparse_table):
    X, y, weights = sparse_table
    factors = {0: 3.0, 1: 1.0, 2: 0.5}
    weighted = weights * np.vectorize(factors.get)(y)
    expected = small().fit(X, y, weighted, X_val=X, y_val=y, sample_weight_val=weighted)
    classifier = small(class_weight=factors).fit(
        X, y, weights, X_val=X, y_val=y, sample_weight_val=weights
    )

    assert classifier.history_["valid_loss"] == expected.history_["valid_loss"]


@pytest.mark.parametrize("wrong", ["even", 3, [1, 2]])
def test_a_wrong_class_weight_is_refused(small, sparse_table, wrong):
    with pytest.raises(ValueError, match="'class_weight' parameter"):
        small(class_weight=wrong).fit(*sparse_table[:2])


def test_an_unknown_class_in_class_weight_is_refused(small, sparse_table):
    with pytest.raises(ValueError, match="not in class_weight"):
        small(class_weight={7: 1.0}).fit(*sparse_table[:2])


def test_no_weights_are_ones():
    assert check_weights(None, 3).tolist() == [1.0, 1.0, 1.0]
    assert check_weights(2, 3).tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("factor", [-1.0, np.nan, np.inf, 0.0])
def test_unusable_class_weights_are_refused(small, sparse_table, factor):
    X, y, _ = sparse_table

    with pytest.raises(ValueError, match=r"class_weight=.*finite, non-negative"):
        small(class_weight=dict.fromkeys(range(3), factor)).fit(X, y)


def test_a_class_of_weight_zero_is_known_but_not_learned(small, sparse_table):
    X, y, _ = sparse_table
    classifier = small(class_weight={0: 0.0}, max_epochs=60, lr=0.01).fit(X, y)

    assert classifier.classes_.tolist() == [0, 1, 2]
    assert 0 not in classifier.predict(X)
    assert (y[classifier.prototype_indices_] != 0).all()
