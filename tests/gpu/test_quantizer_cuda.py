"""On a CUDA device codebooks come out as on the processor."""

import copy

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sklearn_ddcl import DDCLQuantizer


@pytest.fixture(scope="module")
def digits():
    """Return the digits of scikit-learn."""
    return load_digits().data


def make(**params):
    return DDCLQuantizer(16, **{"random_state": 0, "device": "cuda"} | params)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_both_find_codebooks_as_good(digits, precision):
    there = make(precision=precision).fit(digits)
    here = make(precision=precision, device="cpu").fit(digits)

    assert there.inertia_ == pytest.approx(here.inertia_, rel=0.02)
    assert there.utilization_ == 1.0


@pytest.mark.parametrize(
    "params",
    [
        {"n_codebooks": 4},
        {"n_codebooks": 4, "quantization": "residual"},
        {"allow_nan": True},
        {"solver": "gradient"},
        {"init": "mean"},
        {"encoder": "mlp", "max_epochs": 10},
        {"encoder": "mlp", "max_epochs": 10, "precision": "bf16"},
    ],
)
def test_every_way_of_fitting_runs_there(digits, params):
    X = digits.copy()
    if params.get("allow_nan"):
        X[::7, ::5] = np.nan

    quantizer = make(**params).fit(X)

    total = np.nansum((X - np.nanmean(X, axis=0)) ** 2)
    assert quantizer.inertia_ < 0.9 * total
    np.testing.assert_array_equal(quantizer.predict(X), quantizer.labels_)


def test_the_same_codes_answer_alike_on_both(digits):
    quantizer = make(precision="float64").fit(digits)
    other = copy.deepcopy(quantizer.set_params(device="cpu"))

    np.testing.assert_array_equal(other.predict(digits), quantizer.predict(digits))
    np.testing.assert_allclose(
        other.transform(digits), quantizer.transform(digits), rtol=1e-9
    )


def test_a_stream_is_followed_there(digits):
    quantizer = make()

    for part in np.array_split(digits, 5):
        quantizer.partial_fit(part)

    assert -quantizer.score(digits) < 1.1 * make().fit(digits).inertia_
