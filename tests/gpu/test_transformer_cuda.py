"""On a CUDA device a transformer learns as on the processor."""

import copy

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sklearn_ddcl import DDCLTransformer


@pytest.fixture(scope="module")
def digits():
    """Return the digits of scikit-learn."""
    return load_digits().data


def make(**params):
    usual = {"random_state": 0, "device": "cuda", "scaling": "common"}
    return DDCLTransformer(10, **usual | params)


def test_prototypes_are_those_of_the_processor(digits):
    there, here = (make(device=device).fit(digits) for device in ("cuda", "cpu"))

    np.testing.assert_allclose(there.prototypes_, here.prototypes_, atol=1e-3)
    assert (there.labels_ == here.labels_).mean() > 0.9


@pytest.mark.parametrize(
    "params",
    [
        {"precision": "bf16"},
        {"precision": "float64"},
        {"solver": "dual"},
        {"n_prototypes": 40, "n_clusters": 10},
        {"encoder": "transformer", "max_epochs": 2},
        {"encoder": "aot", "max_epochs": 2},
        {"encoder": "incrt", "max_epochs": 2},
    ],
)
def test_every_way_of_fitting_runs_there(digits, params):
    transformer = make(**params).fit(digits)

    assert np.isfinite(transformer.transform(digits)).all()
    np.testing.assert_array_equal(transformer.predict(digits), transformer.labels_)
    transformer.partial_fit(digits[:200])


def test_the_same_network_answers_alike_on_both(digits):
    transformer = make(precision="float64").fit(digits)
    other = copy.deepcopy(transformer.set_params(device="cpu"))

    np.testing.assert_allclose(
        other.transform(digits), transformer.transform(digits), atol=1e-8
    )
