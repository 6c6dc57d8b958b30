"""How a fit goes: what it measures, where and in which precision it runs."""

import pickle

import numpy as np
import pytest
import torch

from sklearn_ddcl.estimators import fitting
from sklearn_ddcl.training import CollapseWarning, TimeScaleWarning
from sklearn_ddcl.training.callbacks.monitor import Monitor

ENCODERS = ["mlp", "transformer"]
OF_THE_API = (
    "loss task_loss reconstruction diversity identity_residual perplexity "
    "min_prototype_distance token_variance temperature critical_temperature tracking "
    "lr valid_loss seconds"
).split()


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_history_measures_every_epoch_in_sensible_numbers(
    small, mixed, encoder, precision
):
    params = {"max_epochs": 20, "precision": precision, "early_stopping": True}
    classifier = small(encoder, **params).fit(*mixed)
    history = classifier.history_
    column = {name: np.array(history[name]) for name in history.columns}

    assert set(OF_THE_API) <= set(history.columns)
    assert all(np.isfinite(values).all() for values in column.values())
    assert column["epoch"].tolist() == list(range(1, classifier.n_iter_ + 1))
    assert (column["loss"] >= column["task_loss"]).all()
    assert (column["task_loss"] > 0).all()
    assert (column["reconstruction"] > 0).all()
    assert (column["diversity"] >= 0).all()
    assert column["identity_residual"].max() < 1e-5
    assert (column["perplexity"] >= 1).all()
    assert (column["perplexity"] <= 6 + 1e-4).all()
    assert (column["min_prototype_distance"] > 0).all()
    assert (column["temperature"] > 0).all()
    relative = column["temperature"] / column["critical_temperature"]
    assert relative[-1] < relative[0]
    assert (column["tracking"] >= 0).all()
    assert (np.diff(column["seconds"]) >= 0).all()
    # After the warm-up of 30 steps, or all of a short training, rates fall.
    assert 0 < column["lr"].max() <= classifier.lr
    # By the factor of the best epoch, one of nine from a half to eight.
    factor = classifier.temperature_ / column["temperature"][classifier.best_epoch_ - 1]
    halvings = 2 * np.log2(factor)
    assert halvings == pytest.approx(round(halvings), abs=1e-4)
    assert 0.49 < factor < 8.01


def test_fitted_attributes_describe_the_model(small, blobs):
    classifier = small().fit(*blobs)
    module = classifier.net_.module_

    assert classifier.n_iter_ == 5
    assert classifier.n_parameters_ == sum(p.numel() for p in module.parameters())
    assert classifier.prototypes_.shape == (6, 8)
    np.testing.assert_allclose(classifier.prototype_votes_.sum(1), 1, atol=1e-6)
    assert classifier.prototype_votes_.shape == (6, 3)
    assert classifier.n_features_in_ == 3
    assert not hasattr(classifier, "feature_names_in_")


def test_fitted_prototypes_are_a_copy(small, blobs):
    classifier = small().fit(*blobs)
    expected = classifier.predict_proba(blobs[0])
    classifier.prototypes_[:] = 0
    classifier.prototype_votes_[:] = 0

    assert (classifier.predict_proba(blobs[0]) == expected).all()


@pytest.mark.parametrize("temperature", [0.5, 3])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_fixed_temperature_is_respected(small, blobs, encoder, temperature):
    classifier = small(encoder, temperature=temperature).fit(*blobs)

    assert set(classifier.history_["temperature"]) == {temperature}
    assert classifier.temperature_ == temperature


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_temperature_far_above_the_critical_one_is_told_with_a_cure(
    small, blobs, encoder
):
    with pytest.warns(CollapseWarning, match=r"1e\+06. Set temperature=.auto") as told:
        classifier = small(encoder, temperature=1e6).fit(*blobs)

    kept = (classifier.best_epoch_ or classifier.n_iter_) - 1
    critical = classifier.history_["critical_temperature"][kept]
    assert f"{critical:.3g}" in str(told[0].message)


def test_prototypes_that_cannot_follow_are_told_with_a_cure(small, blobs):
    params = {"max_epochs": 310, "prototype_lr_ratio": 1e-6, "temperature": 1.0}
    params["early_stopping"] = False
    with pytest.warns(TimeScaleWarning, match=r"raise prototype_lr_ratio \(now 1e-06"):
        small(lr=0.02, **params).fit(*blobs)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interruption_keeps_a_model_that_works(
    small, blobs, monkeypatch, early_stopping
):
    measure = Monitor.on_epoch_end

    def interrupt(monitor, net, **kwargs):
        measure(monitor, net, **kwargs)
        if len(net.measurements) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Monitor, "on_epoch_end", interrupt)
    classifier = small(max_epochs=50, early_stopping=early_stopping)
    with pytest.warns(UserWarning, match="interrupted; the model is kept"):
        classifier.fit(*blobs)

    assert classifier.n_iter_ == 3
    assert np.isfinite(classifier.predict_proba(blobs[0])).all()
    assert len(classifier.prototype_indices_) == 6


def test_an_interruption_before_the_first_epoch_ends_keeps_a_model(
    small, blobs, monkeypatch
):
    def interrupt(monitor, net, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(Monitor, "on_epoch_end", interrupt)
    with pytest.warns(UserWarning, match="interrupted"):
        classifier = small().fit(*blobs)

    assert classifier.n_iter_ == 0
    assert np.isfinite(classifier.predict_proba(blobs[0])).all()


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(
    ("precision", "dtype"),
    [
        ("float64", torch.float64),
        ("float32", torch.float32),
        ("bf16", torch.float32),
    ],
)
def test_all_weights_are_in_the_asked_precision(
    small, mixed, encoder, precision, dtype
):
    classifier = small(encoder, precision=precision).fit(*mixed)
    network = classifier._fitted.network
    numpy_dtype = torch.zeros(0, dtype=dtype).numpy().dtype

    floating = [v for v in network.state_dict().values() if v.is_floating_point()]
    assert {values.dtype for values in floating} == {dtype}
    for moments in classifier.net_.optimizer_.state.values():
        assert {v.dtype for n, v in moments.items() if n != "step"} == {dtype}
    assert classifier.prototypes_.dtype == numpy_dtype
    assert classifier.assign(mixed[0]).dtype == numpy_dtype
    assert classifier.decomposition(mixed[0]).loss.dtype == numpy_dtype
    assert classifier.predict_proba(mixed[0]).dtype == np.float64


def test_double_precision_reaches_rounding_that_single_cannot(small, blobs):
    residuals = {
        precision: max(
            small(precision=precision).fit(*blobs).history_["identity_residual"]
        )
        for precision in ("float32", "float64")
    }

    assert residuals["float64"] < 1e-12 < residuals["float32"]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_mixed_precision_learns_and_answers_almost_the_same(small, blobs, encoder):
    X, y = blobs
    classifier = small(encoder, precision="bf16", max_epochs=60, lr=0.01).fit(X, y)
    mixed = classifier.predict_proba(X)
    classifier._fitted.mixed_precision = False
    full = classifier.predict_proba(X)

    assert classifier.score(X, y) > 0.7
    assert not (mixed == full).all()
    assert np.abs(mixed - full).mean() < 0.02


@pytest.mark.parametrize("name", ["nonsense", "gpu:0"])
def test_an_unknown_device_is_refused_with_a_cure(small, blobs, name):
    with pytest.raises(ValueError, match=rf"device='{name}' cannot be used here"):
        small(device=name).fit(*blobs)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_refused_with_a_cure(small, blobs):
    with pytest.raises(ValueError, match=r"device='cuda' .*\"auto\" or \"cpu\""):
        small(device="cuda").fit(*blobs)


def test_auto_is_the_processor_where_there_is_nothing_else(small, blobs, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    classifier = small(device="auto").fit(*blobs)

    assert classifier._fitted.device == torch.device("cpu")


@pytest.mark.parametrize("when", ["at once", "at the first call"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_compilation_that_fails_is_told_and_done_without(
    small, blobs, monkeypatch, encoder, when
):
    def fail(*args, **kwargs):
        raise RuntimeError("no compiler")

    def compile_to_failure(module):
        if when == "at once":
            fail()
        module._compiled_call_impl = fail

    monkeypatch.setattr(torch.nn.Module, "compile", compile_to_failure)
    expected = small(encoder).fit(*blobs).predict_proba(blobs[0])
    with pytest.warns(UserWarning, match=r"RuntimeError\), going on without.*compile="):
        classifier = small(encoder, compile=True).fit(*blobs)

    assert (classifier.predict_proba(blobs[0]) == expected).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_compiled_network_is_used_and_can_be_pickled(
    small, blobs, monkeypatch, encoder
):
    n_calls = 0

    def compile_to_counter(module):
        def count(*args):
            nonlocal n_calls
            n_calls += 1
            return type(module).forward(module, *args)

        module._compiled_call_impl = count

    monkeypatch.setattr(torch.nn.Module, "compile", compile_to_counter)
    expected = small(encoder).fit(*blobs).predict_proba(blobs[0])
    assert n_calls == 0
    classifier = small(encoder, compile=True).fit(*blobs)
    assert n_calls > 5

    assert (classifier.predict_proba(blobs[0]) == expected).all()
    again = pickle.loads(pickle.dumps(classifier))
    assert (again.predict_proba(blobs[0]) == expected).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_really_compiled_network_learns_the_same(small, blobs):
    expected = small().fit(*blobs).predict_proba(blobs[0])
    classifier = small(compile=True).fit(*blobs)
    if classifier._fitted.network._compiled_call_impl is None:
        pytest.skip("needs a working compiler")

    np.testing.assert_allclose(classifier.predict_proba(blobs[0]), expected, atol=1e-3)


def test_the_plan_is_made_from_the_training_rows(small, blobs, monkeypatch):
    seen = []
    make_plan = fitting.make_plan
    monkeypatch.setattr(
        fitting,
        "make_plan",
        lambda estimator, n_rows, *, judged, streaming: (
            seen.append((n_rows, judged))
            or make_plan(estimator, n_rows, judged=judged, streaming=streaming)
        ),
    )
    X, y = blobs
    small(early_stopping=True, validation_fraction=0.25).fit(X, y)
    small(early_stopping=False).fit(X, y)
    small(early_stopping=False).fit(X, y, X_val=X[:30], y_val=y[:30])
    small().fit(X, y)
    small("transformer").fit(X, y)
    small().partial_fit(X, y)

    assert seen == [
        (90, True),
        (120, False),
        (120, True),
        (120, True),
        # A rehearsal on fewer rows has the plan of the training that it is for.
        (120, True),
        (120, True),
        (120, False),
    ]
