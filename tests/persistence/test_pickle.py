"""Pickle, joblib and deepcopy work as scikit-learn's users expect."""

import copy
import pickle
import pickletools

import joblib
import numpy as np
import pytest


def through_pickle(estimator, folder):
    return pickle.loads(pickle.dumps(estimator))


def through_joblib(estimator, folder):
    joblib.dump(estimator, folder / "model.joblib")
    return joblib.load(folder / "model.joblib")


def through_deepcopy(estimator, folder):
    return copy.deepcopy(estimator)


@pytest.mark.parametrize("way", [through_pickle, through_joblib, through_deepcopy])
def test_a_copy_predicts_the_same_bits(fitted, table, tmp_path, way):
    other = way(fitted, tmp_path)

    assert other is not fitted
    for method in ["predict_proba", "assign", "predict"]:
        np.testing.assert_array_equal(
            getattr(other, method)(table), getattr(fitted, method)(table)
        )
    assert other.explain(table).describe() == fitted.explain(table).describe()


def names_in(pickled):
    """Return the text that a pickle holds, names of modules among it."""
    found = (argument for _, argument, _ in pickletools.genops(pickled))
    return [argument for argument in found if isinstance(argument, str)]


@pytest.mark.parametrize("protocol", [0, pickle.DEFAULT_PROTOCOL, 5])
def test_a_pickle_holds_no_torch_objects(fitted, protocol):
    names = names_in(pickle.dumps(fitted, protocol=protocol))

    assert any("sklearn_ddcl" in name for name in names)
    assert [name for name in names if "torch" in name or "skorch" in name] == []


def test_the_probe_sees_a_torch_object():
    import torch

    assert any("torch" in name for name in names_in(pickle.dumps(torch.zeros(1))))


def test_a_copy_does_not_share_its_network(fitted, table):
    before = fitted.predict_proba(table)
    other = copy.deepcopy(fitted)

    other.partial_fit(table, other.classes_[np.arange(len(table)) % 2])

    np.testing.assert_array_equal(fitted.predict_proba(table), before)
    assert (other.predict_proba(table) != before).any()
