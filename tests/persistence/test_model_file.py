"""A saved model answers as before, to the bit, whatever it was fitted on."""

import hashlib
import json
import os
import stat
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal
from safetensors.numpy import load as read_tensors
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import sklearn_ddcl
from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.networks import MLPEncoder, TransformerEncoder
from sklearn_ddcl.persistence import model_file


@pytest.fixture
def reload(tmp_path):
    """Return a function that saves an estimator and returns what is loaded."""

    def save_and_load(estimator):
        estimator.save(tmp_path / "reloaded.ddcl")
        return sklearn_ddcl.load(tmp_path / "reloaded.ddcl")

    return save_and_load


def assert_same_answers(loaded, fitted, X):
    """Assert that two classifiers say the same, bit by bit, about rows."""
    for method in ["predict_proba", "assign", "transform", "predict"]:
        ours, theirs = getattr(loaded, method)(X), getattr(fitted, method)(X)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    for part, values in fitted.decomposition(X).items():
        np.testing.assert_array_equal(loaded.decomposition(X)[part], values)
    ours, theirs = loaded.explain(X), fitted.explain(X)
    np.testing.assert_array_equal(ours.evidence, theirs.evidence)
    assert_frame_equal(ours.to_frame(), theirs.to_frame(), check_exact=True)
    assert [ours.describe(row) for row in range(3)] == [
        theirs.describe(row) for row in range(3)
    ]


def test_a_loaded_model_answers_as_the_saved_one(reload, fitted, table):
    assert_same_answers(reload(fitted), fitted, table)


def test_the_fitted_attributes_come_back(reload, fitted):
    loaded = reload(fitted)

    assert type(loaded) is DDCLClassifier
    assert_frame_equal(loaded.prototype_examples_, fitted.prototype_examples_)
    assert loaded.history_["task_loss"] == fitted.history_["task_loss"]
    assert loaded.history_.columns == fitted.history_.columns
    for name in ["prototypes_", "prototype_votes_", "prototype_indices_", "classes_"]:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(fitted, name))
    for name in ["n_iter_", "n_parameters_", "temperature_", "n_features_in_"]:
        assert getattr(loaded, name) == getattr(fitted, name)
    np.testing.assert_array_equal(
        loaded.get_feature_names_out(), fitted.get_feature_names_out()
    )


LABELS = {
    "objects": np.array(["b", "a"], dtype=object),
    "text": np.array(["b", "long label"]),
    "booleans": np.array([True, False]),
    "integers": np.array([3, -1]),
    "small integers": np.array([3, 250], dtype=np.uint8),
    "whole floats": np.array([0.0, 2.0]),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind_keep_it(reload, fit, table, kind):
    fitted = fit(y=LABELS[kind][np.arange(len(table)) % 2])

    loaded = reload(fitted)

    assert loaded.classes_.dtype == fitted.classes_.dtype
    assert list(map(type, loaded.classes_)) == list(map(type, fitted.classes_))
    assert_same_answers(loaded, fitted, table)


def as_polars(frame):
    text = frame.assign(shape=frame["shape"].astype(object))
    columns = {
        name: [None if pd.isna(value) else value for value in column]
        for name, column in text.items()
    }
    return pl.DataFrame(columns).with_columns(pl.col("shape").cast(pl.Categorical))


TABLES = {
    "floats": lambda frame: frame[["size", "count"]].to_numpy(),
    "single floats": lambda frame: frame[["size"]].to_numpy(np.float32),
    "objects": lambda frame: frame.astype(object).to_numpy(),
    "nullable": lambda frame: frame.convert_dtypes(),
    "text index": lambda frame: frame.set_index(frame.index.map("row {}".format)),
    "numbered columns": lambda frame: frame.set_axis(range(4), axis=1),
    "polars": as_polars,
}


@pytest.mark.parametrize("kind", TABLES)
def test_models_of_any_table_come_back(reload, fit, table, kind):
    X = TABLES[kind](table)
    fitted = fit(X)

    loaded = reload(fitted)

    assert type(loaded.prototype_examples_) is type(fitted.prototype_examples_)
    assert_same_answers(loaded, fitted, X)


PARAMS = [
    {"encoder": TransformerEncoder(n_layers=1, d_token=8, n_heads=2, n_bins=4)},
    {"encoder": MLPEncoder(n_layers=0, d_token=4, numerical="periodic")},
    {"encoder": MLPEncoder(n_layers=1, d_hidden=4, numerical="linear")},
    {"precision": "float64", "temperature": 0.5},
    {"precision": "bf16"},
    {"class_weight": {"yes": 2.0, "no": 1}},
    {"class_weight": "balanced", "early_stopping": True, "n_iter_no_change": None},
    {"categorical_features": ["count"]},
    {"categorical_features": np.array([False, True, True, True])},
    {"categorical_features": (1,), "n_prototypes": np.int64(3)},
]


@pytest.mark.parametrize("params", PARAMS, ids=lambda params: "-".join(params))
def test_models_with_any_parameters_come_back(reload, fit, table, params):
    n_prototypes = params.get("n_prototypes", 5)
    fitted = fit(**{k: v for k, v in params.items() if k != "n_prototypes"})
    fitted.set_params(n_prototypes=n_prototypes)

    loaded = reload(fitted)

    assert repr(loaded.get_params()) == repr(fitted.get_params())
    assert_same_answers(loaded, fitted, table)


@pytest.mark.parametrize("readout", ["mean", "cls"])
def test_models_without_prototypes_come_back(reload, fit, table, readout):
    fitted = fit(readout=readout)

    loaded = reload(fitted)

    np.testing.assert_array_equal(
        loaded.predict_proba(table), fitted.predict_proba(table)
    )
    assert not hasattr(loaded, "explain")


def test_a_loaded_model_is_fitted_again_as_the_saved_one(reload, fit, fitted, table):
    y = fitted.classes_[np.arange(len(table)) % 2]

    again, other = clone(reload(fitted)).fit(table, y), clone(fitted).fit(table, y)

    np.testing.assert_array_equal(
        again.predict_proba(table), other.predict_proba(table)
    )


def test_a_loaded_model_learns_on(reload, fitted, table):
    loaded = reload(fitted)
    before = loaded.predict_proba(table)

    loaded.partial_fit(table, loaded.classes_[np.arange(len(table)) % 2])

    assert (loaded.predict_proba(table) != before).any()


def test_a_loaded_model_goes_on_with_a_warm_start(reload, fitted, table):
    loaded = reload(fitted).set_params(warm_start=True, max_epochs=2)

    loaded.fit(table, fitted.classes_[np.arange(len(table)) % 2])

    assert loaded.n_iter_ == 3
    assert loaded.history_["task_loss"][:1] == fitted.history_["task_loss"]


def test_a_generator_in_the_parameters_is_saved_as_none(reload, fit):
    fitted = fit().set_params(random_state=np.random.RandomState(0))

    assert reload(fitted).random_state is None
    assert isinstance(fitted.random_state, np.random.RandomState)


def test_the_same_model_gives_the_same_bytes(reload, fitted, saved, tmp_path):
    fitted.save(tmp_path / "again.ddcl")
    reload(reload(fitted)).save(tmp_path / "reloaded twice.ddcl")

    assert (tmp_path / "again.ddcl").read_bytes() == saved.read_bytes()
    assert (tmp_path / "reloaded twice.ddcl").read_bytes() == saved.read_bytes()


def test_zip_json_and_safetensors_readers_understand_the_file(saved, fitted):
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["model.json", "weights.safetensors"]
        raw = archive.read("weights.safetensors")
        document = json.loads(archive.read("model.json"))

    assert document["class"] == "DDCLClassifier"
    assert document["params"]["max_epochs"] == 1
    assert document["versions"]["sklearn_ddcl"] == sklearn_ddcl.__version__
    assert document["weights_sha256"] == hashlib.sha256(raw).hexdigest()
    tensors = read_tensors(raw)
    np.testing.assert_array_equal(tensors["state/prototypes_"], fitted.prototypes_)


def test_the_device_of_the_parameters_is_used_and_kept(fit, tmp_path):
    fit(device="cpu").save(tmp_path / "model.ddcl")

    loaded = sklearn_ddcl.load(tmp_path / "model.ddcl")

    assert loaded.device == "cpu"
    assert loaded._fitted.device.type == "cpu"


def test_a_device_that_is_not_here_gives_way_to_one_that_is(fit, tmp_path, table):
    fitted = fit().set_params(device="cuda:99")
    fitted.save(tmp_path / "model.ddcl")

    loaded = sklearn_ddcl.load(tmp_path / "model.ddcl")

    assert loaded.device == "cuda:99"
    assert len(loaded.predict(table)) == len(table)


def test_an_impossible_device_is_the_callers_error(saved):
    with pytest.raises(ValueError, match="device='toaster' cannot be used") as caught:
        sklearn_ddcl.load(saved, device="toaster")

    assert not isinstance(caught.value, sklearn_ddcl.persistence.ModelFileError)


@pytest.mark.gpu
def test_a_model_moves_between_devices(fit, table, tmp_path):
    fit(device="cuda").save(tmp_path / "model.ddcl")

    on_gpu = sklearn_ddcl.load(tmp_path / "model.ddcl")
    on_cpu = sklearn_ddcl.load(tmp_path / "model.ddcl", device="cpu")

    assert on_gpu._fitted.device.type == "cuda"
    assert on_cpu._fitted.device.type == "cpu"
    np.testing.assert_allclose(
        on_gpu.predict_proba(table), on_cpu.predict_proba(table), atol=1e-4
    )


def test_only_fitted_models_are_saved(tmp_path):
    with pytest.raises(NotFittedError):
        DDCLClassifier().save(tmp_path / "model.ddcl")

    assert list(tmp_path.iterdir()) == []


class Derived(DDCLClassifier):
    """A class that no other installation knows."""


def test_classes_of_others_are_not_saved(table, tmp_path):
    model = Derived(max_epochs=1, random_state=0).fit(table, np.arange(len(table)) % 2)

    with pytest.raises(TypeError, match=r"hold one of .*DDCLClassifier.*got a Derived"):
        model.save(tmp_path / "model.ddcl")


def test_objects_of_others_are_refused_by_their_path(fit, tmp_path):
    fitted = fit().set_params(class_weight={"yes": 1, "no": object()})

    with pytest.raises(TypeError, match="params/class_weight/no has the type object"):
        fitted.save(tmp_path / "model.ddcl")

    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere .*create it"):
        fitted.save(tmp_path / "nowhere" / "model.ddcl")


def test_a_folder_is_no_file_to_save_to(fitted, tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; add a file name"):
        fitted.save(tmp_path)


def test_an_existing_file_is_replaced(fitted, tmp_path, table):
    (tmp_path / "model.ddcl").write_text("old")

    fitted.save(tmp_path / "model.ddcl")

    assert len(sklearn_ddcl.load(tmp_path / "model.ddcl").predict(table)) == 40


def test_a_link_stays_a_link(fitted, tmp_path):
    (tmp_path / "models").mkdir()
    link, target = tmp_path / "latest.ddcl", tmp_path / "models" / "first.ddcl"
    link.symlink_to(target)

    fitted.save(link)

    assert link.is_symlink()
    assert target.is_file()


def test_an_interrupted_save_leaves_the_old_file(fitted, saved, monkeypatch):
    old = saved.read_bytes()

    def pack_half(members):
        yield b"half a file"
        raise OSError("disk full")

    monkeypatch.setattr(model_file, "pack", pack_half)
    with pytest.raises(OSError, match="disk full"):
        fitted.save(saved)

    assert saved.read_bytes() == old
    assert [path.name for path in saved.parent.iterdir()] == ["model.ddcl"]


@pytest.mark.skipif(os.name != "posix", reason="permissions as on Unix")
def test_the_file_gets_the_permissions_of_any_new_file(saved, tmp_path):
    (tmp_path / "other").touch()

    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert len(modes) == 1
