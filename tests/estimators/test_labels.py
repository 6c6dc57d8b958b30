"""Labels of any kind come back as they were given."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import DataConversionWarning

CODES = np.arange(40) % 2
X = np.column_stack([CODES * 4.0, np.arange(40) % 3])
TEXT = np.array(["no", "yes"])[CODES]

LABELS = {
    "text": TEXT,
    "text as objects": TEXT.astype(object),
    "list of text": TEXT.tolist(),
    "5 and 7": 2 * CODES + 5,
    "-1 and 1": 2 * CODES - 1,
    "uint8": CODES.astype(np.uint8),
    "whole floats": CODES * 1.0,
    "bool": CODES == 1,
    "integers as objects": CODES.astype(object),
    "bools as objects": (CODES == 1).astype(object),
    "pandas category": pd.Series(pd.Categorical(TEXT)),
    "reversed category": pd.Series(pd.Categorical(TEXT, ["yes", "no"], ordered=True)),
    "pandas category of integers": pd.Series(pd.Categorical(CODES + 5)),
    "pandas Categorical": pd.Categorical(TEXT),
    "pandas string": pd.Series(TEXT, dtype="string"),
    "pandas Int64": pd.Series(CODES, dtype="Int64"),
    "pandas boolean": pd.Series(CODES == 1, dtype="boolean"),
    "pandas Series": pd.Series(CODES, index=CODES),
    "polars text": pl.Series(TEXT),
    "polars category": pl.Series(TEXT, dtype=pl.Categorical),
    "polars bool": pl.Series(CODES == 1),
}


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_labels_come_back_as_they_were_given(small, y):
    classifier = small(max_epochs=60, lr=0.01).fit(X, y)

    predicted = classifier.predict(X)

    assert predicted.tolist() == list(y)
    assert classifier.classes_.tolist() == sorted(set(y))
    assert predicted.dtype == classifier.classes_.dtype


def test_the_kind_of_label_changes_no_bit(small):
    expected = small().fit(X, CODES).predict_proba(X)

    for y in LABELS.values():
        assert (small().fit(X, y).predict_proba(X) == expected).all()


def test_a_column_vector_is_taken_with_a_warning(small):
    with pytest.warns(DataConversionWarning, match="column-vector"):
        classifier = small().fit(X, CODES[:, None])

    assert classifier.classes_.tolist() == [0, 1]


MISSING = {
    "nan": np.where(np.arange(40) == 3, np.nan, CODES),
    "infinity": np.where(np.arange(40) == 3, np.inf, CODES),
    "None": np.where(np.arange(40) == 3, None, TEXT.astype(object)),
    "NA": pd.Series(CODES, dtype=object).mask(np.arange(40) == 3, pd.NA),
    "Int64": pd.Series(CODES, dtype="Int64").mask(np.arange(40) == 3),
    "string": pd.Series(TEXT, dtype="string").mask(np.arange(40) == 3),
    "boolean": pd.Series(CODES == 1, dtype="boolean").mask(np.arange(40) == 3),
    "category": pd.Series(pd.Categorical(TEXT)).mask(np.arange(40) == 3),
    "list with nan": [*TEXT[:3].tolist(), float("nan"), *TEXT[4:].tolist()],
    "list with None": [*CODES[:3].tolist(), None, *CODES[4:].tolist()],
    "polars": pl.Series([*CODES[:3].tolist(), None, *CODES[4:].tolist()]),
}


@pytest.mark.parametrize("y", MISSING.values(), ids=MISSING)
def test_a_missing_label_is_refused_by_row(small, y):
    with pytest.raises(ValueError, match=r"y contains NaN.*at row 3; drop rows"):
        small().fit(X, y)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (None, "y is None; give one label per row"),
        (CODES[:-1], r"\[40, 39\]; y must have one label per row"),
        (CODES * 0, "at least 2 classes in y, got 1 class: 0"),
        (["no"] * 40, "at least 2 classes in y, got 1 class: 'no'"),
        (np.linspace(0, 1, 40), "Unknown label type: continuous"),
        (np.c_[CODES, CODES], "1d array"),
        (3, "1d array"),
        (np.array([1, "a"], dtype=object)[CODES], "Unknown label type"),
    ],
    ids=["None", "short", "one", "one word", "continuous", "two", "scalar", "mixed"],
)
def test_other_wrong_labels_are_refused(small, y, match):
    with pytest.raises(ValueError, match=match):
        small().fit(X, y)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_a_class_of_one_row_is_a_class(small, encoder, early_stopping):
    y = np.where(np.arange(40) == 7, 2, CODES)
    classifier = small(encoder, early_stopping=early_stopping).fit(X, y)

    assert classifier.classes_.tolist() == [0, 1, 2]
    assert classifier.predict_proba(X).shape == (40, 3)


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_there_is_a_prototype_per_class_at_least(small, encoder):
    y = np.arange(60) % 10
    features = np.column_stack([y % 3, y // 3]) * 1.0
    classifier = small(encoder, n_prototypes=2, max_epochs=150, lr=0.01).fit(
        features, y
    )

    assert len(classifier.prototypes_) == len(classifier.prototype_votes_) == 10
    assert classifier.get_params()["n_prototypes"] == 2
    assert classifier.transform(features).shape == (60, 10)
    assert len(classifier.get_feature_names_out()) == 10
    assert classifier.score(features, y) > 0.5


def test_one_prototype_is_enough_to_ask_for(small):
    assert len(small(n_prototypes=1).fit(X, CODES).prototypes_) == 2


def test_text_among_numbers_is_an_unknown_label(small):
    classifier = small().fit(X, TEXT.astype(object))

    with pytest.raises(ValueError, match=r"label 0, which is not among.*'no', 'yes'"):
        classifier.partial_fit(X, CODES)
