"""A small fitted classifier, its table, and a way to write its file anew."""

import hashlib
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.networks import MLPEncoder


def small_encoder():
    return MLPEncoder(n_layers=1, d_hidden=8, n_views=2, d_token=4, n_bins=4)


@pytest.fixture(scope="session")
def table():
    """Return 40 rows with numbers, text, categories and gaps in each of them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=40),
            "count": rng.integers(0, 9, 40),
            "color": pd.Series(rng.choice(["red", "blue"], 40), dtype=object),
            "shape": pd.Categorical(rng.choice(["round", "flat"], 40)),
        }
    )
    frame.loc[[3, 17], "size"] = np.nan
    frame.loc[[4, 18], "color"] = None
    frame.loc[[5, 19], "shape"] = np.nan
    return frame


@pytest.fixture(scope="session")
def fit(table):
    """Return a function that fits a small classifier to the table."""

    def fit_small(X=table, y=None, **params):
        if y is None:
            y = np.where(np.arange(len(X)) % 3 == 0, "yes", "no").astype(object)
        params = {"encoder": small_encoder(), "max_epochs": 1} | params
        return DDCLClassifier(5, **params | {"random_state": 0}).fit(X, y)

    return fit_small


@pytest.fixture(scope="session")
def fitted(fit):
    """Return a fitted classifier; not to be changed."""
    return fit()


@pytest.fixture
def saved(fitted, tmp_path):
    """Return the path of its file."""
    fitted.save(tmp_path / "model.ddcl")
    return tmp_path / "model.ddcl"


@pytest.fixture
def document(saved):
    """Return what ``model.json`` of its file says."""
    with zipfile.ZipFile(saved) as archive:
        return json.loads(archive.read("model.json"))


@pytest.fixture
def forge(saved):
    """Return a function that writes a document into the file, checksums in order."""
    from sklearn_ddcl.persistence.archive import pack

    with zipfile.ZipFile(saved) as archive:
        weights = archive.read("weights.safetensors")

    def write(document):
        document = {k: v for k, v in document.items() if k != "sha256"}
        document["sha256"] = hashlib.sha256(compact(document)).hexdigest()
        members = {"model.json": compact(document), "weights.safetensors": weights}
        saved.write_bytes(b"".join(pack(members)))
        return saved

    return write


def compact(document):
    return json.dumps(document, separators=(",", ":")).encode()
