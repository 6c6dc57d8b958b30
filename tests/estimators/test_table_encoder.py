"""What the table encoder learns, by hand."""

import numpy as np
import pandas as pd
import pytest

from sklearn_ddcl.estimators.table_encoder import TableEncoder, canonical


def fit(X, weights=None, **params):
    """Return a fitted encoder and the encoded table."""
    encoder = TableEncoder(**params)
    weights = np.ones(len(X)) if weights is None else np.asarray(weights, float)
    return encoder, encoder.fit(X, weights)


def test_numbers_are_centered_on_the_median_and_divided_by_the_quartile_range():
    # Of 1 ... 8 the lower quartile is 2, the median 4, the upper quartile 6.
    X = np.arange(1.0, 9.0)[:, None]
    encoder, encoded = fit(X)

    assert (encoder.centers.tolist(), encoder.scales.tolist()) == ([4.0], [4.0])
    np.testing.assert_array_equal(encoded.numbers, (X - 4) / 4)


def test_a_weight_counts_like_repeated_rows():
    X = np.array([[5.0], [1.0], [2.0], [9.0], [4.0]])
    weights = [1, 3, 0, 2, 2]
    weighted, _ = fit(X, weights)
    repeated, _ = fit(np.repeat(X, weights, axis=0))

    assert weighted.centers.tolist() == repeated.centers.tolist()
    assert weighted.scales.tolist() == repeated.scales.tolist()


def test_when_half_the_rows_share_a_value_the_range_is_the_scale():
    encoder, _ = fit(np.array([[0.0]] * 9 + [[5.0]]))

    assert encoder.scales.tolist() == [5.0]


@pytest.mark.parametrize(
    ("values", "center"), [([7.0] * 4, 7.0), ([np.nan] * 4, 0.0), ([np.nan, 2], 2.0)]
)
def test_a_column_without_spread_has_scale_one(values, center):
    encoder, encoded = fit(np.array(values)[:, None])

    assert (encoder.centers.tolist(), encoder.scales.tolist()) == ([center], [1.0])
    np.testing.assert_array_equal(encoded.numbers[:, 0], np.array(values) - center)


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e308])
def test_extreme_magnitudes_stay_finite(scale):
    X = np.linspace(-1, 1, 9)[:, None] * scale
    encoded = fit(X)[1].numbers

    assert np.isfinite(encoded).all()


def test_a_far_outlier_is_cut_at_a_million():
    encoder, _ = fit(np.arange(8.0)[:, None])

    numbers = encoder.transform(np.array([[1e300], [-1e300]])).numbers

    assert numbers.ravel().tolist() == [1e6, -1e6]


def test_categories_are_numbered_from_one_and_missing_is_the_last():
    frame = pd.DataFrame({"a": pd.Series(["v", None, "u", "v"], dtype=object)})
    encoder, encoded = fit(frame)

    assert encoder.categories == [["u", "v", None]]
    assert encoded.codes.ravel().tolist() == [2, 3, 1, 2]


def test_an_unseen_or_unseen_missing_category_is_zero():
    encoder, _ = fit(pd.DataFrame({"a": ["u", "v"]}))
    later = pd.DataFrame({"a": pd.Series(["w", None, "u"], dtype=object)})

    assert encoder.transform(later).codes.ravel().tolist() == [0, 0, 1]


@pytest.mark.parametrize(("n_rows", "kept"), [(49, ["once", "u"]), (50, ["u"])])
def test_a_category_seen_once_is_pooled_in_tables_of_fifty_rows(n_rows, kept):
    encoder, encoded = fit(pd.DataFrame({"a": ["once"] + ["u"] * (n_rows - 1)}))

    assert encoder.categories == [kept]
    assert encoded.codes[0, 0] == ("once" in kept)


def test_rows_of_weight_zero_teach_nothing():
    frame = pd.DataFrame({"a": ["u", "v", "w"], "b": [1.0, 2.0, 1e9]})
    encoder, encoded = fit(frame, [1, 1, 0])

    assert encoder.categories == [["u", "v"]]
    assert encoder.scales.tolist() == [1.0]
    constant = np.array([[0.0]] * 9 + [[5.0], [1e9]])
    assert fit(constant, [1] * 10 + [0])[0].scales.tolist() == [5.0]
    assert encoded.codes.ravel().tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, None),
        (np.nan, None),
        (pd.NA, None),
        (pd.NaT, None),
        (1, "1"),
        (1.0, "1"),
        (np.float32(1), "1"),
        (1.5, "1.5"),
        (np.int8(1), "1"),
        (True, "1"),
        (np.bool_(False), "0"),
        ("u", "u"),
        (b"u", "u"),
        ("", ""),
    ],
    ids=repr,
)
def test_equal_categories_have_one_name(value, name):
    assert canonical(value) == name


def test_equal_values_of_other_types_are_one_category():
    frame = pd.DataFrame({"a": pd.Series(["u", True, 1, 1.0, 0], dtype=object)})
    encoder, encoded = fit(frame)

    assert encoded.codes.ravel().tolist() == [3, 2, 2, 2, 1]
    for row in range(5):
        alone = encoder.transform(frame.iloc[[row]]).codes
        assert alone[0, 0] == encoded.codes[row, 0]


def test_booleans_may_come_as_numbers_later():
    encoder, encoded = fit(pd.DataFrame({"a": [True, False, True]}))
    later = pd.DataFrame({"a": [1.0, 0.0, 1.0]})

    assert (encoder.transform(later).codes == encoded.codes).all()


@pytest.mark.parametrize(
    "marked", [["b"], [1], [-1], (1,), np.array([1]), [False, True], pd.Index(["b"])]
)
def test_marked_columns_are_categories(marked):
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4, 5, 4]})
    encoder, encoded = fit(frame, categorical_features=marked)

    assert encoder.kinds == ["number", "category"]
    assert encoder.categories == [["4", "5"]]
    assert encoded.codes.ravel().tolist() == [1, 2, 1]


def test_marking_adds_to_the_columns_that_are_categorical_by_dtype():
    frame = pd.DataFrame({"a": ["u", "v"], "b": [4, 5], "c": [0.0, 1.0]})

    assert fit(frame, categorical_features=["b"])[0].kinds == [
        "category",
        "category",
        "number",
    ]


@pytest.mark.parametrize(
    ("marked", "match"),
    [
        (["z"], r"does not have: \['z'\]"),
        ([2], r"does not have: \[2\]"),
        ([-3], r"does not have: \[-3\]"),
        ([0.5], r"does not have: \[0.5\]"),
        ([True], "1 entries as a mask, but X has 2 columns"),
    ],
)
def test_wrong_marks_are_refused(marked, match):
    with pytest.raises(ValueError, match=match):
        fit(pd.DataFrame({"a": [1.0], "b": [2.0]}), categorical_features=marked)


def test_a_number_column_that_holds_text_later_is_refused_by_name():
    encoder, _ = fit(pd.DataFrame({"a": [1.0, 2.0]}))

    with pytest.raises(ValueError, match=r"'a' was numerical in fit.*'1.5'.*Convert"):
        encoder.transform(pd.DataFrame({"a": ["1.5", "2"]}))


def test_booleans_and_nothing_at_all_count_as_numbers_where_numbers_were():
    encoder, _ = fit(pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]}))

    flags = encoder.transform(pd.DataFrame({"a": [True, False]})).numbers
    nothing = encoder.transform(pd.DataFrame({"a": [None, None]})).numbers

    expected = encoder.transform(pd.DataFrame({"a": [1.0, 0.0]})).numbers
    np.testing.assert_array_equal(flags, expected)
    assert np.isnan(nothing).all()


def test_state_round_trips_through_plain_values():
    frame = pd.DataFrame(
        {"a": [1.0, 2.5, np.nan], "b": pd.Series(["u", None, "v"], dtype=object)}
    )
    encoder, encoded = fit(frame)
    again = TableEncoder.from_state(encoder.get_state()).transform(frame)

    np.testing.assert_array_equal(again.numbers, encoded.numbers)
    np.testing.assert_array_equal(again.codes, encoded.codes)


CATEGORIES = {
    "text": ["u", None, "v", "u"],
    "whole numbers": [3, 1, None, 3],
    "numbers": [0.5, 1.0, np.nan, 0.5],
    "booleans": [True, False, None, True],
    "many": [f"{i % 300:03d}" for i in range(900)],
}


@pytest.mark.parametrize("values", CATEGORIES.values(), ids=CATEGORIES)
@pytest.mark.parametrize("unused", [False, True])
def test_categories_of_pandas_are_encoded_like_their_values(values, unused):
    categories = pd.Categorical(values)
    if unused:
        categories = categories.add_categories(["never seen"])
    objects = pd.Series(values, dtype=object)
    as_category = pd.DataFrame({"a": categories, "x": 1.0})
    as_objects = pd.DataFrame({"a": objects, "x": 1.0})
    marked = {"categorical_features": ["a"]}
    encoder, encoded = fit(as_category, **marked)
    other, expected = fit(as_objects, **marked)

    assert encoder.categories == other.categories
    np.testing.assert_array_equal(encoded.codes, expected.codes)
    # Other rows, and the one kind where the other was learned.
    for frame in (as_category, as_objects):
        np.testing.assert_array_equal(
            encoder.transform(frame[::-1][:2]).codes, expected.codes[::-1][:2]
        )


def test_categories_go_by_their_names_whatever_they_are():
    encoder, encoded = fit(pd.DataFrame({"a": pd.cut([1, 5, 9, 1], [0, 4, 10])}))

    assert encoder.categories == [["(0, 4]", "(4, 10]"]]
    assert encoded.codes[:, 0].tolist() == [1, 2, 2, 1]


def test_categories_where_numbers_were_learned_are_read_or_refused():
    encoder, _ = fit(pd.DataFrame({"a": [0.0, 1.0, 2.0]}))
    flags = pd.DataFrame({"a": pd.Categorical([True, None, False])})

    np.testing.assert_array_equal(
        encoder.transform(flags).numbers,
        encoder.transform(pd.DataFrame({"a": [1.0, np.nan, 0.0]})).numbers,
    )
    with pytest.raises(ValueError, match="was numerical in fit but now holds 'u'"):
        encoder.transform(pd.DataFrame({"a": pd.Categorical(["u"])}))
