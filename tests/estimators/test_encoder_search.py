"""Searches over encoders, their depth, and how they pool columns."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_ddcl import DDCLClassifier, DDCLTransformer, load

ENCODERS = ["mlp", "transformer", "aot"]
POOLS = [None, "index", "correlation"]


@pytest.fixture(params=["classifier", "transformer"])
def search(request, blobs):
    """Return a function that searches a grid, with either estimator."""
    X, y = blobs

    def run(grid, **params):
        params = {"max_epochs": 2, "random_state": 0} | params
        if request.param == "classifier":
            return GridSearchCV(DDCLClassifier(6, **params), grid, cv=2).fit(X, y)
        pipeline = make_pipeline(DDCLTransformer(3, **params), LogisticRegression())
        grid = {f"ddcltransformer__{name}": values for name, values in grid.items()}
        found = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
        found.best_estimator_ = found.best_estimator_[0]
        return found

    return run


def test_encoders_are_searched_by_name(search):
    found = search({"encoder": ENCODERS})

    (tried,) = (
        values for name, values in found.cv_results_.items() if name.endswith("encoder")
    )
    assert list(tried) == ENCODERS
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()
    assert found.best_estimator_.encoder in ENCODERS


@pytest.mark.parametrize("encoder", ["transformer", "aot"])
def test_depth_and_pooling_of_an_encoder_are_searched(search, encoder):
    grid = {"encoder__n_layers": [1, 2], "encoder__context_pool": POOLS}
    found = search(grid, encoder=encoder)

    assert len(found.cv_results_["params"]) == 6
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()
    best, network = found.best_estimator_, found.best_estimator_._fitted.network
    assert len(network.encoder.blocks) == best.encoder.n_layers
    pools = best.encoder.n_layers if best.encoder.context_pool else 0
    assert len(network.encoder.pools) == pools


def test_each_encoder_is_searched_with_parameters_of_its_own(search):
    # What belongs to the encoder is set after the encoder itself.
    found = search({"encoder": ENCODERS[1:], "encoder__n_layers": [1, 3]})

    kinds = {
        type(params[name]).__name__ if not isinstance(params[name], str) else "name"
        for params in found.cv_results_["params"]
        for name in params
        if name.endswith("encoder")
    }
    assert kinds == {"name"}
    best = found.best_estimator_
    assert len(best._fitted.network.encoder.blocks) == best.encoder.n_layers
    assert best.encoder.n_layers in {1, 3}


def test_sizes_may_come_from_a_grid_of_numpy(search, tmp_path):
    grid = {"encoder__n_layers": np.arange(1, 3), "encoder__dropout": np.zeros(1)}
    best = search(grid, encoder="transformer").best_estimator_
    best.save(tmp_path / "model")

    assert load(tmp_path / "model").n_iter_ == best.n_iter_
    assert len(best._fitted.network.encoder.blocks) == best.encoder.n_layers


@pytest.mark.parametrize(("n_rows", "width"), [(2900, 128), (3100, 256)])
def test_hidden_layers_are_wider_where_there_are_many_rows(n_rows, width):
    X = np.arange(2.0 * n_rows).reshape(-1, 2)
    # No rows held out, and few views.
    clf = DDCLClassifier(
        4, max_epochs=1, early_stopping=False, random_state=0, readout="mean"
    )
    clf.set_params(encoder__n_views=1, encoder__n_bins=2)
    clf.fit(X, X[:, 0] > n_rows)

    assert clf.encoder.d_hidden == "auto"
    assert clf._fitted.architecture.encoder.d_hidden == width
    weights = clf._fitted.network.encoder.views.state_dict()
    assert width in {n for weight in weights.values() for n in weight.shape}
