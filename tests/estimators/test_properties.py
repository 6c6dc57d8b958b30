"""Laws that hold for any table, tried on tables that Hypothesis makes up."""

import contextlib

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklearn_ddcl.estimators.columns import CATEGORY, NUMBER, read_columns

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn_ddcl.training.CollapseWarning"),
    # Of two columns of one number each there may be as many classes as rows.
    pytest.mark.filterwarnings("ignore:The number of unique classes"),
]
few = settings(max_examples=12)

N = 24
Y = np.arange(N) % 3

finite = st.floats(-1e6, 1e6, allow_subnormal=False)
numbers = st.one_of(
    arrays(np.float64, N, elements=st.one_of(finite, st.just(np.nan))),
    arrays(np.float32, N, elements=st.floats(-1e3, 1e3, width=32)),
    arrays(np.int64, N, elements=st.integers(-(2**62), 2**62)),
    arrays(np.uint8, N),
    st.lists(st.none() | st.integers(-5, 5), min_size=N, max_size=N).map(
        lambda values: pd.array(values, dtype="Int64")
    ),
)
words = st.text(max_size=3)
categories = st.one_of(
    st.lists(st.none() | words, min_size=N, max_size=N).map(
        lambda values: pd.Series(values, dtype=object)
    ),
    st.lists(st.none() | words, min_size=N, max_size=N).map(pd.Categorical),
    st.lists(words | st.integers() | st.booleans(), min_size=N, max_size=N).map(
        lambda values: pd.Series(values, dtype=object)
    ),
    arrays(np.bool_, N),
    st.lists(st.none() | st.booleans(), min_size=N, max_size=N).map(
        lambda values: pd.array(values, dtype="boolean")
    ),
    st.just(pd.Series([None] * N, dtype=object)),
)


@st.composite
def frames(draw):
    """Return frames of one to four columns of any kind."""
    columns = draw(st.lists(numbers | categories, min_size=1, max_size=4))
    return pd.DataFrame({f"column {i}": values for i, values in enumerate(columns)})


@st.composite
def tables(draw):
    """Return arrays of numbers whose columns have several values."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, draw(st.integers(1, 4))))
    return np.where(rng.random(X.shape) < draw(st.sampled_from([0, 0.2])), np.nan, X)


encoders = st.sampled_from(["mlp", "transformer"])


@few
@given(frames(), encoders)
def test_any_frame_can_be_fitted_predicted_and_explained(small, frame, encoder):
    classifier = small(encoder, max_epochs=1).fit(frame, Y)
    proba = classifier.predict_proba(frame)

    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(1), 1)
    np.testing.assert_allclose(
        classifier.explain(frame).evidence.sum(1), proba, atol=1e-5
    )


@few
@given(frames(), encoders)
def test_in_any_frame_a_row_is_answered_alike_alone(small, frame, encoder):
    classifier = small(encoder, max_epochs=1).fit(frame, Y)
    expected = classifier.predict_proba(frame)

    for row in (0, 11, N - 1):
        alone = classifier.predict_proba(frame.iloc[row : row + 1])
        assert (alone == expected[row]).all()


@few
@given(
    st.dictionaries(
        st.text("abcxyz", min_size=1, max_size=5),
        st.lists(st.none() | finite, min_size=N, max_size=N),
        min_size=1,
        max_size=3,
    )
)
def test_polars_and_pandas_give_the_same_bits(small, columns):
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64))
    pandas = pd.DataFrame(columns, dtype=float)

    by_polars = small(max_epochs=1).fit(frame, Y).predict_proba(frame)
    by_pandas = small(max_epochs=1).fit(pandas, Y).predict_proba(pandas)

    assert (by_polars == by_pandas).all()


@few
@given(tables(), st.sets(st.text() | st.integers(), min_size=3, max_size=3), encoders)
def test_renaming_the_classes_in_order_changes_no_bit(small, X, names, encoder):
    names = sorted({str(name) for name in names} | {"p", "q", "r"})[:3]
    expected = small(encoder, max_epochs=1).fit(X, Y).predict_proba(X)
    classifier = small(encoder, max_epochs=1).fit(X, np.array(names, object)[Y])

    assert classifier.classes_.tolist() == names
    assert (classifier.predict_proba(X) == expected).all()


@few
@given(tables(), st.integers(-300, 300), encoders)
def test_a_scale_by_a_power_of_two_changes_no_bit(small, X, exponent, encoder):
    scaled = X * 2.0**exponent
    expected = small(encoder, max_epochs=1).fit(X, Y).predict_proba(X)

    actual = small(encoder, max_epochs=1).fit(scaled, Y).predict_proba(scaled)

    assert (actual == expected).all()


@few
@given(tables(), st.floats(1e-3, 1e3), st.floats(-100, 100), encoders)
def test_units_and_origins_do_not_matter(small, X, scale, shift, encoder):
    moved = X * scale + shift * scale
    params = {"max_epochs": 2, "precision": "float64"}
    expected = small(encoder, **params).fit(X, Y).predict_proba(X)

    actual = small(encoder, **params).fit(moved, Y).predict_proba(moved)

    np.testing.assert_allclose(actual, expected, atol=1e-6)


@few
@given(frames(), st.randoms(use_true_random=False), encoders)
def test_columns_can_come_in_any_order(small, frame, random, encoder):
    order = list(frame.columns)
    random.shuffle(order)
    shuffled = frame[order]
    classifier = small(encoder, max_epochs=1).fit(shuffled, Y)

    assert classifier.feature_names_in_.tolist() == order
    assert np.isfinite(classifier.predict_proba(shuffled)).all()
    if order != list(frame.columns):
        with pytest.raises(ValueError, match="same order"):
            classifier.predict(frame)


@few
@given(frames(), frames(), encoders)
def test_any_later_frame_is_answered_or_refused_with_a_reason(
    small, first, second, encoder
):
    classifier = small(encoder, max_epochs=1).fit(first, Y)
    proba = None
    if list(first.columns) != list(second.columns):
        refused = pytest.raises(ValueError, match="feature names should match")
    elif turned_to_text(first, second):
        refused = pytest.raises(ValueError, match="was numerical in fit")
    else:
        refused = contextlib.nullcontext()
    with refused:
        proba = classifier.predict_proba(second)

    assert proba is None or np.isfinite(proba).all()


def turned_to_text(first, second):
    """Return whether a column of numbers holds text in the second frame."""
    for name in first.columns:
        numerical = read_columns(first[[name]])[0].kind == NUMBER
        column = read_columns(second[[name]])[0]
        present = [value for value in column.values if not pd.isna(value)]
        text = not all(isinstance(value, bool | np.bool_) for value in present)
        if numerical and column.kind == CATEGORY and text:
            return True
    return False
