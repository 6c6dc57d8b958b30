"""Reading, splitting and scoring as the protocol says."""

import warnings

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.protocol import (
    Table,
    calibration_error,
    evaluate,
    read_table,
    score,
    split_rows,
)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes columns to a CSV and returns its path."""

    def write_csv(**columns):
        path = tmp_path / "table.csv"
        pd.DataFrame(columns).to_csv(path, index=False)
        return path

    return write_csv


def test_classes_of_fewer_than_eight_rows_are_dropped(write):
    target = ["rare"] * 7 + ["b"] * 8 + ["a"] * 9
    table = read_table(write(x=range(24), target=target))
    assert table.features["x"].tolist() == list(range(7, 24))
    assert table.classes.tolist() == [1] * 8 + [0] * 9


def test_classes_keep_their_order_when_one_is_dropped(write):
    target = [f"class {c:02}" for c in range(12) for _ in range(9)]
    target[0] = target[1] = "class 11"
    table = read_table(write(x=range(108), target=target))
    assert table.classes[[0, 2, -1]].tolist() == [10, 0, 10]
    assert table.classes.max() == 10


def test_a_long_table_is_cut_stratified_and_always_alike(write):
    path = write(x=range(400), target=["a", "b", "b", "b"] * 100)
    table = read_table(path, max_rows=100)
    assert np.bincount(table.classes).tolist() == [25, 75]
    assert table.features["x"].is_monotonic_increasing
    assert table.features.equals(read_table(path, max_rows=100).features)


def test_text_and_booleans_are_categories_and_missing_is_one(write):
    table = read_table(
        write(
            number=[1.5, None] * 8,
            text=["a", None] * 8,
            flag=[True, False] * 8,
            target=["x"] * 8 + ["y"] * 8,
        )
    )
    assert table.features.dtypes.astype(str).tolist() == [
        "float64",
        "category",
        "category",
    ]
    assert table.features["number"].isna().sum() == 8
    assert table.features["text"].cat.categories.tolist() == ["(missing)", "a"]


def test_groups_are_not_a_feature(write):
    table = read_table(write(group=[1, 2] * 8, x=range(16), target=[0, 1] * 8))
    assert list(table.features) == ["x"]
    assert table.groups.tolist() == ["1", "2"] * 8


def test_a_table_without_target_is_refused(write):
    with pytest.raises(ValueError, match=r"must have a column 'target', has \['x'\]"):
        read_table(write(x=[1]))


def test_a_split_is_stratified_without_overlap_and_seeded():
    classes = np.repeat([0, 1], [40, 120])
    train, test = split_rows(classes, seed=0)
    assert sorted([*train, *test]) == list(range(160))
    assert np.bincount(classes[test]).tolist() == [10, 30]
    assert np.array_equal(split_rows(classes, seed=0)[1], test)
    assert not np.array_equal(split_rows(classes, seed=1)[1], test)


def test_calibration_error_by_hand():
    # Two bins. Below 1/2 ... 3/4: confidences .6 and .7, one hit: gap |1/2 - .65|.
    # Above: confidences .8 and .9, two hits: gap 1 - .85. Each holds half of the rows.
    proba = np.array([[0.6, 0.4], [0.3, 0.7], [0.8, 0.2], [0.1, 0.9]])
    error = calibration_error(np.array([0, 0, 0, 1]), proba, n_bins=4)
    assert error == pytest.approx(0.5 * 0.15 + 0.5 * 0.15)


def test_gaps_of_opposite_sign_cancel_only_within_a_bin():
    proba = np.array([[0.75, 0.25]] * 4)
    assert calibration_error(np.array([0, 0, 0, 1]), proba) == pytest.approx(0)
    apart = np.array([[0.55, 0.45]] * 2 + [[0.95, 0.05]] * 2)
    assert calibration_error(np.array([0, 0, 0, 1]), apart) == pytest.approx(0.45)


def test_certainty_belongs_to_the_last_bin():
    # A hit at .95 and a miss at 1, in one bin: |.05 - 1| / 2.
    proba = np.array([[0.95, 0.05], [1.0, 0.0]])
    assert calibration_error(np.array([0, 1]), proba) == pytest.approx(0.475)


def test_scores_by_hand():
    proba = np.array([[0.5, 0.5 - 1e-9], [0.25, 0.75], [0.8, 0.2]])
    scores = score(np.array([0, 1, 1]), proba)
    assert scores["acc"] == pytest.approx(2 / 3)
    assert scores["bal"] == pytest.approx((1 + 1 / 2) / 2)
    expected = -np.log([0.5, 0.75, 0.2]).mean()
    assert scores["ll"] == pytest.approx(expected, rel=1e-6)


class Constant:
    """Say the same of every row, unless asked to fail."""

    def __init__(self, proba, error=None):
        self.proba = proba
        self.error = error

    def fit(self, X, y):
        if self.error:
            raise self.error
        return self

    def predict_proba(self, X):
        return np.tile(self.proba, (len(X), 1))


@pytest.fixture
def table():
    return Table(pd.DataFrame({"x": range(8)}), np.array([0, 1] * 4))


def test_only_the_test_rows_are_scored(table):
    model = Constant([0.2, 0.8])
    result = evaluate(lambda: model, table, np.arange(4), np.array([4, 5, 7]))
    assert result["acc"] == pytest.approx(2 / 3)
    assert result["ll"] == pytest.approx(-np.log([0.2, 0.8, 0.8]).mean())
    assert result["fit_cpu"] >= 0
    assert "warnings" not in result


def test_probabilities_are_normalized_first(table):
    model = Constant([1.0, 3.0])
    result = evaluate(lambda: model, table, np.arange(4), np.array([4, 5, 7]))
    assert result["ll"] == pytest.approx(-np.log([0.25, 0.75, 0.75]).mean())


def test_a_failure_is_a_result(table):
    model = Constant(None, error=ValueError("too hard"))
    result = evaluate(lambda: model, table, np.arange(4), np.arange(4, 8))
    assert result == {"error": "ValueError: too hard"}


def test_warnings_of_a_model_are_kept(table):
    class Wordy(Constant):
        def fit(self, X, y):
            warnings.warn("hm", RuntimeWarning, stacklevel=2)
            return self

    model = Wordy([0.5, 0.5])
    result = evaluate(lambda: model, table, np.arange(4), np.arange(4, 8))
    assert result["warnings"] == ["RuntimeWarning"]
