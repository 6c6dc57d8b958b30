"""Small classifiers that train in a moment, and tables for them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.networks import (
    AoTEncoder,
    INCRTEncoder,
    MLPEncoder,
    TransformerEncoder,
)

SMALL = {
    "mlp": MLPEncoder(
        n_layers=1,
        d_hidden=32,
        n_views=4,
        d_token=8,
        n_bins=48,
        d_column=4,
        dropout=0.1,
    ),
    "transformer": TransformerEncoder(
        n_layers=1, d_token=8, n_heads=2, n_bins=8, dropout=0.1
    ),
    "aot": AoTEncoder(n_layers=2, d_token=8, n_heads=2, n_bins=8, dropout=0.1),
    "incrt": INCRTEncoder(n_layers=1, d_token=8, d_head=4, n_prototypes=4, n_bins=8),
}


@pytest.fixture(scope="session")
def small():
    """Return a function that makes a small classifier, its encoder given by name."""

    def make(encoder="mlp", **params):
        params = {"max_epochs": 5, "random_state": 0} | params
        return DDCLClassifier(
            params.pop("n_prototypes", 6),
            encoder=type(SMALL[encoder])(**SMALL[encoder].get_params()),
            **params,
        )

    return make


@pytest.fixture(scope="session")
def blobs():
    """Return 120 rows of 3 columns in three easy classes."""
    return make_blobs(120, 3, centers=3, random_state=0)


@pytest.fixture(scope="session")
def mixed():
    """Return a frame of every kind of column with missing values, and labels."""
    rng = np.random.default_rng(0)
    n = 90
    y = rng.integers(0, 3, n)
    size = rng.normal(y, 0.3)
    size[::7] = np.nan
    color = np.array(["red", "green", "blue"])[y].astype(object)
    color[::5] = None
    frame = pd.DataFrame(
        {
            "size": size,
            "color": pd.Series(color, dtype=object),
            "grade": pd.Categorical(np.array(["a", "b"])[rng.integers(0, 2, n)]),
            "flag": rng.random(n) < 0.5,
            "count": rng.integers(0, 9, n),
        }
    )
    return frame, y
