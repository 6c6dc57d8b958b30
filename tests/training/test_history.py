"""The history is a list of epochs and a table of columns."""

import pickle

import pytest

from sklearn_ddcl.training import TrainingHistory

HISTORY = TrainingHistory([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])


def test_rows_and_columns():
    assert HISTORY[0] == {"epoch": 1, "loss": 0.5}
    assert HISTORY["loss"] == [0.5, 0.25]
    assert HISTORY.columns == ["epoch", "loss"]


def test_a_slice_is_a_history():
    assert HISTORY[1:]["loss"] == [0.25]


def test_an_unknown_column_is_named_beside_the_known():
    with pytest.raises(KeyError, match=r"'accuracy' is not in.*'epoch', 'loss'"):
        HISTORY["accuracy"]


def test_an_empty_history_has_no_columns():
    assert TrainingHistory().columns == []
    with pytest.raises(KeyError, match="'loss' is not in the history"):
        TrainingHistory()["loss"]


def test_a_pickle_is_a_history():
    assert pickle.loads(pickle.dumps(HISTORY))["loss"] == [0.5, 0.25]
