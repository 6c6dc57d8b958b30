"""On a CUDA device everything goes as on the processor."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.training import resolve_device

ENCODERS = ["mlp", "transformer", "aot", "incrt"]


@pytest.fixture(scope="module")
def table():
    """Return 3,000 rows of numbers and categories in three classes."""
    rng = np.random.default_rng(0)
    n = 3000
    y = rng.integers(0, 3, n)
    X = pd.DataFrame(
        {
            "a": rng.normal(y, 0.6),
            "b": np.where(rng.random(n) < 0.1, np.nan, rng.normal(-y, 0.6)),
            "c": np.where(rng.random(n) < 0.8, np.array(["u", "v", "w"])[y], "u"),
        }
    )
    return X, y


def make(encoder="mlp", **params):
    defaults = {"max_epochs": 5, "random_state": 0, "device": "cuda"}
    return DDCLClassifier(8, encoder=encoder, **defaults | params)


def on_the_processor(classifier):
    """Return a copy of a fitted classifier that answers on the CPU."""
    other = copy.deepcopy(classifier.set_params(device="cuda"))
    other._fitted.network.to("cpu")
    return other


@pytest.mark.parametrize("precision", ["float32", "float64", "bf16"])
@pytest.mark.parametrize("readout", ["ddcl", "mean"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_fit_on_the_device_learns(table, encoder, readout, precision):
    X, y = table
    classifier = make(encoder, readout=readout, precision=precision, max_epochs=20)
    classifier.fit(X, y)

    assert classifier._fitted.device.type == "cuda"
    assert classifier.score(X, y) > 0.8
    last = classifier.history_[-1]
    assert np.isfinite(last["task_loss"])


@pytest.mark.parametrize(
    ("precision", "atol"), [("float32", 1e-3), ("float64", 1e-9), ("bf16", 0.05)]
)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_same_weights_answer_alike_on_both(table, encoder, precision, atol):
    X, y = table
    classifier = make(encoder, precision=precision).fit(X, y)
    other = on_the_processor(classifier)

    assert other._fitted.device.type == "cpu"
    assert classifier._fitted.device.type == "cuda"
    np.testing.assert_allclose(
        classifier.predict_proba(X), other.predict_proba(X), atol=atol
    )
    if precision != "bf16":
        np.testing.assert_allclose(classifier.assign(X), other.assign(X), atol=atol)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_training_starts_alike_on_both(table, encoder):
    # Dropout draws other numbers there, so only the start can be compared.
    X, y = table
    params = {"precision": "float64", "max_epochs": 1, "lr": 1e-12}
    device = make(encoder, **params).fit(X, y)
    processor = make(encoder, device="cpu", **params).fit(X, y)

    np.testing.assert_allclose(
        device.predict_proba(X), processor.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize("encoder", ENCODERS)
def test_fits_on_both_are_about_as_good(table, encoder):
    X, y = table
    scores = [
        make(encoder, device=device, max_epochs=20)
        .fit(X[:2000], y[:2000])
        .score(X[2000:], y[2000:])
        for device in ("cpu", "cuda")
    ]

    assert scores[1] == pytest.approx(scores[0], abs=0.03)


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_a_pickle_opens_where_there_is_no_device(table, monkeypatch, device):
    X, y = table
    classifier = make(device=device).fit(X, y)
    expected = classifier.predict_proba(X)
    pickled = pickle.dumps(classifier)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    other = pickle.loads(pickled)

    assert other._fitted.device.type == "cpu"
    np.testing.assert_allclose(other.predict_proba(X), expected, atol=1e-3)
    assert b"torch" not in pickled


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_row_is_answered_alike_whatever_stands_beside_it(table, encoder):
    X, y = table
    classifier = make(encoder, max_epochs=1).fit(X, y)
    expected = classifier.predict_proba(X)
    order = np.random.default_rng(0).permutation(len(X))

    assert (classifier.predict_proba(X.iloc[order]) == expected[order]).all()
    for row in (0, 255, 256, 2999):
        alone = classifier.predict_proba(X.iloc[row : row + 1])
        assert (alone == expected[row]).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_same_seed_trains_about_the_same_model(table, encoder):
    # Sums of gradients are added up in any order there.
    X, y = table
    proba = [
        make(encoder, precision="float64").fit(X, y).predict_proba(X) for _ in range(2)
    ]

    np.testing.assert_allclose(proba[0], proba[1], atol=1e-6)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_weights_are_repeated_rows(table, encoder):
    X, y = table[0][:100], table[1][:100]
    weights = np.arange(100) % 3
    params = {"precision": "float64", "batch_size": 1000, "max_epochs": 10}
    params |= {"encoder__dropout": 0.0}
    weighted = make(encoder).set_params(**params).fit(X, y, sample_weight=weights)
    repeated = (
        make(encoder)
        .set_params(**params)
        .fit(X.loc[X.index.repeat(weights)], y.repeat(weights))
    )

    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6
    )


def test_training_leaves_the_global_generators_alone(table):
    before = torch.get_rng_state(), torch.cuda.get_rng_state()
    make(max_epochs=1).fit(*table)

    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.equal(torch.cuda.get_rng_state(), before[1])


def test_explanations_and_prototypes_come_as_arrays(table):
    X, y = table
    classifier = make(early_stopping=True).fit(X, y)
    explanation = classifier.explain(X[:50])

    assert isinstance(classifier.prototypes_, np.ndarray)
    np.testing.assert_allclose(
        explanation.evidence.sum(1), classifier.predict_proba(X[:50]), atol=1e-5
    )
    assert classifier.decomposition(X).loss.shape == (3000,)


def test_a_stream_and_a_warm_start_go_on_there(table):
    X, y = table
    classifier = make(warm_start=True, max_epochs=2).fit(X, y).fit(X, y)
    classifier.partial_fit(X, y)

    assert classifier.n_iter_ == 5
    assert classifier._fitted.device.type == "cuda"


def test_rows_that_do_not_fit_there_are_moved_in_batches(table, monkeypatch):
    X, y = table
    expected = make().fit(X, y)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1, 1))
    classifier = make().fit(X, y)

    assert classifier.score(X, y) == pytest.approx(expected.score(X, y), abs=0.02)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_compiled_network_learns_the_same(table, encoder):
    X, y = table
    plain = make(encoder).fit(X, y)
    compiled = make(encoder, compile=True).fit(X, y)

    assert compiled.score(X, y) == pytest.approx(plain.score(X, y), abs=0.03)


def test_auto_takes_the_device():
    assert resolve_device("auto").type == "cuda"


def test_a_device_of_a_number_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"device='cuda:77' cannot be used here"):
        resolve_device("cuda:77")
