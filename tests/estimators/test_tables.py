"""The classifier on tables of every kind: what it takes, and what it refuses."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from sklearn_ddcl import DDCLClassifier, DDCLTransformer


def nullable(frame):
    """Return a frame with the dtypes of pandas that know NA."""
    return frame.convert_dtypes()


def objects(frame):
    return frame.astype(object)


def polars(frame):
    return pl.from_pandas(frame)


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
@pytest.mark.parametrize("convert", [nullable, objects, polars])
def test_every_kind_of_frame_gives_the_same_bits(small, mixed, encoder, convert):
    X, y = mixed
    expected = small(encoder).fit(X, y).predict_proba(X)
    other = convert(X)
    classifier = small(encoder).fit(other, y)

    assert (classifier.predict_proba(other) == expected).all()
    assert (classifier.predict_proba(X) == expected).all()


def test_a_list_of_rows_gives_the_same_bits_as_an_array(small, blobs):
    X, y = blobs
    expected = small().fit(X, y).predict_proba(X)

    assert (small().fit(X.tolist(), y.tolist()).predict_proba(X) == expected).all()


def test_a_list_of_mixed_rows_gives_the_same_bits_as_a_frame(small):
    rows = [[0.5, "u"], [1.5, "v"], [2.5, "u"], [3.5, "v"]] * 5
    y = [0, 0, 1, 1] * 5
    expected = small().fit(pd.DataFrame(rows), y).predict_proba(pd.DataFrame(rows))

    assert (small().fit(rows, y).predict_proba(rows) == expected).all()


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16", "float32", "Int64", "O"])
def test_the_same_numbers_in_another_dtype_give_the_same_bits(small, dtype):
    frame = pd.DataFrame({"a": np.arange(40) % 7, "b": np.arange(40) % 11})
    y = np.arange(40) % 7 > 3
    expected = small().fit(frame.astype(float), y).predict_proba(frame)

    assert (small().fit(frame.astype(dtype), y).predict_proba(frame) == expected).all()


def test_the_order_of_memory_and_the_index_do_not_matter(small, blobs):
    X, y = blobs
    expected = small().fit(X, y).predict_proba(X)
    frame = pd.DataFrame(X, index=np.arange(len(X))[::-1] * 3)

    assert (small().fit(np.asfortranarray(X), y).predict_proba(X) == expected).all()
    assert (small().fit(frame, y).predict_proba(frame) == expected).all()


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_nan_that_first_comes_in_predict_is_fine(small, blobs, encoder):
    X, y = blobs
    classifier = small(encoder).fit(X, y)

    proba = classifier.predict_proba(np.full((2, 3), np.nan))

    assert np.isfinite(proba).all()
    assert (proba[0] == proba[1]).all()


def test_an_unseen_category_is_answered_like_any_other_unseen_one(small, mixed):
    X, y = mixed
    classifier = small().fit(X, y)

    first = classifier.predict_proba(X.assign(color="mauve"))
    second = classifier.predict_proba(X.assign(color="teal"))

    assert (first == second).all()
    assert (first != classifier.predict_proba(X.assign(color="red"))).any()


def test_a_missing_category_is_a_category_of_its_own(small, mixed):
    X, y = mixed
    classifier = small().fit(X, y)

    missing = [
        classifier.predict_proba(X.assign(color=pd.Series([value] * 90, dtype=object)))
        for value in (None, np.nan, pd.NA)
    ]

    assert (missing[0] == missing[1]).all()
    assert (missing[0] == missing[2]).all()
    assert (missing[0] != classifier.predict_proba(X.assign(color="mauve"))).any()


@pytest.mark.parametrize(
    "column",
    [
        np.full(120, np.nan),
        np.ones(120),
        pd.Series([None] * 120, dtype=object),
        pd.Series(["same"] * 120),
        pl.Series([None] * 120).to_pandas(),
    ],
    ids=["nan", "constant", "None", "text", "null"],
)
@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_a_column_that_says_nothing_does_no_harm(small, blobs, column, encoder):
    X, y = blobs
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(nothing=column)
    classifier = small(encoder, max_epochs=60, lr=0.01).fit(frame, y)

    assert classifier.score(frame, y) > 0.7


# It may be told, rightly, that tokens have nothing to tell apart.
@pytest.mark.filterwarnings("ignore::sklearn_ddcl.training.CollapseWarning")
@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_a_table_of_which_nothing_is_known_gets_the_most_frequent_class(small, encoder):
    X, y = np.full((60, 2), np.nan), ["often"] * 45 + ["rarely"] * 15
    classifier = small(encoder, max_epochs=60).fit(X, y)

    assert set(classifier.predict(X)) == {"often"}
    assert 0.5 < classifier.predict_proba(X[:1])[0, 0] < 0.98


@pytest.mark.parametrize("fit_as", [pd.DataFrame, pl.DataFrame])
def test_columns_must_be_those_of_fit_in_their_order(small, blobs, fit_as):
    X, y = blobs
    frame = fit_as(dict(zip("abc", X.T, strict=True)))
    classifier = small().fit(frame, y)

    assert classifier.feature_names_in_.tolist() == ["a", "b", "c"]
    for columns, match in [
        (["b", "a", "c"], "same order"),
        (["a", "b"], "yet now missing:\n- c"),
    ]:
        with pytest.raises(ValueError, match=match):
            classifier.predict(frame[columns])
    wider = fit_as(dict(zip("abcd", [*X.T, X[:, 0]], strict=True)))
    with pytest.raises(ValueError, match="unseen at fit time:\n- d"):
        classifier.predict(wider)


def test_arrays_must_have_as_many_columns_as_in_fit(small, blobs):
    X, y = blobs
    classifier = small().fit(X, y)

    with pytest.raises(ValueError, match="X has 2 features, but DDCLClassifier is exp"):
        classifier.predict_proba(X[:, :2])


def test_an_array_after_a_frame_is_read_by_position_with_a_warning(small, mixed):
    X, y = mixed
    classifier = small().fit(X, y)

    with pytest.warns(UserWarning, match="does not have valid feature names"):
        proba = classifier.predict_proba(X.to_numpy())

    assert (proba == classifier.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("column", "error", "match"),
    [
        (np.r_[np.inf, np.zeros(89)], ValueError, "infinity.*'size'"),
        (pd.date_range("2024", periods=90), TypeError, "'size'.*into days"),
        (pd.Series([{"a": 1}] * 90), TypeError, "'size'.*got dict"),
        (np.full(90, 1j), ValueError, "Complex.*'size'"),
    ],
    ids=["infinity", "dates", "dicts", "complex"],
)
def test_what_cannot_be_read_is_refused_in_fit_and_in_predict(
    small, mixed, column, error, match
):
    X, y = mixed
    bad = X.assign(size=column)

    with pytest.raises(error, match=match):
        small().fit(bad, y)
    with pytest.raises(error, match=match):
        small().fit(X, y).predict(bad)


def test_text_in_a_column_of_numbers_is_refused(small, mixed):
    X, y = mixed

    with pytest.raises(ValueError, match="'size' was numerical in fit"):
        small().fit(X, y).predict(X.assign(size="large"))


def test_sparse_tables_are_refused(small, blobs):
    X, y = blobs

    with pytest.raises(TypeError, match="dense data is required"):
        small().fit(scipy.sparse.csr_array(X), y)


@pytest.mark.parametrize("method", ["fit", "predict", "explain"])
def test_empty_tables_are_refused(small, blobs, method):
    X, y = blobs
    classifier = small().fit(X, y)
    arguments = (X[:0], y[:0]) if method == "fit" else (X[:0],)

    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        getattr(classifier, method)(*arguments)


@pytest.mark.parametrize("marked", [["count"], [4], [-1], [False] * 4 + [True]])
def test_categorical_features_are_marked_by_name_index_or_mask(small, mixed, marked):
    X, y = mixed
    expected = small().fit(X.assign(count=X["count"].astype(str)), y)
    classifier = small(categorical_features=marked).fit(X, y)

    assert (weights(classifier) == weights(expected)).all()


def weights(classifier):
    state = classifier.__getstate__()["_fitted"]["weights"]
    return np.concatenate([np.ravel(values) for values in state.values()])


def test_marked_integers_and_floats_are_the_same_categories(small):
    X, y = pd.DataFrame({"a": np.arange(60) % 3}), np.arange(60) % 3 == 1
    classifier = small(categorical_features=["a"]).fit(X, y)

    expected = classifier.predict_proba(X)
    assert (classifier.predict_proba(X.astype(float)) == expected).all()
    assert (classifier.predict_proba(X.astype("category")) == expected).all()
    assert (classifier.predict_proba(X.astype(str)) == expected).all()


@pytest.mark.parametrize("marked", [["z"], [5], [True], [0.5]])
def test_a_wrong_mark_is_an_error(small, mixed, marked):
    with pytest.raises(ValueError, match="categorical_features"):
        small(categorical_features=marked).fit(*mixed)


@pytest.mark.parametrize("marked", ["color", 3])
def test_a_mark_that_is_no_list_is_an_error(small, mixed, marked):
    with pytest.raises(ValueError, match=r"'categorical_features'.*array-like"):
        small(categorical_features=marked).fit(*mixed)


def test_input_is_left_as_it_was(small, mixed):
    X, y = mixed
    before, labels = X.copy(deep=True), y.copy()

    small(early_stopping=True).fit(X, y).explain(X)

    pd.testing.assert_frame_equal(X, before)
    assert (y == labels).all()


@pytest.mark.parametrize(
    "make",
    [lambda: DDCLTransformer(4, max_epochs=2), lambda: DDCLClassifier(max_epochs=2)],
)
def test_what_is_masked_is_missing(blobs, make):
    X, y = blobs
    mask = np.random.default_rng(0).random(X.shape) < 0.1
    masked, missing = np.ma.masked_array(X, mask), np.where(mask, np.nan, X)
    one, other = (
        make().set_params(random_state=0).fit(T, y) for T in (masked, missing)
    )
    np.testing.assert_array_equal(one.transform(masked), other.transform(missing))
