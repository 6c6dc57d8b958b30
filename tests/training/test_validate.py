"""Epochs are judged by rows and views that do not know each other."""

import numpy as np
import pytest
import torch

from sklearn_ddcl.training import EncodedRows
from sklearn_ddcl.training.callbacks.validate import judge

ENCODERS = ["five views", "transformer"]
READOUTS = ["ddcl", "mean"]
RATIOS = (0.5, 1.0, 3.0)


def judged_by_hand(network, rows, ratio):
    """Return loss and accuracy of the rows, by NumPy from the tokens on."""
    inputs, targets = rows[:]
    with torch.no_grad():
        tokens = network.eval().tokens(*inputs).double().numpy()
    state = {k: v.double().numpy() for k, v in network.readout.state_dict().items()}
    total = hits = 0.0
    columns = [column.numpy() for column in targets]
    for z, label, weight, fold in zip(tokens, *columns, strict=True):
        views = probabilities(state, z, ratio)
        if len(views) > 1 and fold >= 0:
            views = [p for v, p in enumerate(views) if v % 4 == fold]
        mean = np.mean(views, axis=0)
        total -= weight * np.log(mean[label])
        hits += weight * (np.argmax(mean) == label)
    mass = float(targets.weights.sum())
    return total / mass, hits / mass


def probabilities(state, z, ratio):
    """Return the class probabilities of every view, or of all columns together."""
    if "head.weight" in state:
        z = z if len(z) == 5 else z.mean(0, keepdims=True)
        logits = z @ state["head.weight"].T + state["head.bias"]
        return softmax(logits / (ratio * state["temperature"]))
    gaps = np.square(z[:, None] - state["bank.prototypes"]).sum(-1)
    q = softmax(-gaps / (ratio * state["bank.temperature"]))
    q = q if len(z) == 5 else q.mean(0, keepdims=True)
    return q @ softmax(state["votes.logits"])


def softmax(x):
    odds = np.exp(x - x.max(-1, keepdims=True))
    return odds / odds.sum(-1, keepdims=True)


def trained(make, rows, encoder="five views", readout="ddcl", **params):
    net = make(encoder, readout, **params)
    net.partial_fit(rows)
    return net


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_rows_without_folds_are_judged_by_all_views(make, rows, encoder, readout):
    rows = EncodedRows(*rows.tensors[:3], torch.arange(60) % 3 + 1.0)
    net = trained(make, rows, encoder, readout)

    losses, scores = judge(net, rows, RATIOS)

    expected = [judged_by_hand(net.module_, rows, ratio) for ratio in RATIOS]
    np.testing.assert_allclose(losses, [loss for loss, _ in expected], rtol=1e-5)
    np.testing.assert_allclose(scores, [score for _, score in expected])


@pytest.mark.parametrize("readout", READOUTS)
def test_rows_with_folds_are_judged_by_the_views_that_left_them_out(
    make, folded, readout
):
    net = trained(make, folded, readout=readout)

    losses, scores = judge(net, folded, RATIOS)

    expected = [judged_by_hand(net.module_, folded, ratio) for ratio in RATIOS]
    np.testing.assert_allclose(losses, [loss for loss, _ in expected], rtol=1e-5)
    np.testing.assert_allclose(scores, [score for _, score in expected])


@pytest.mark.parametrize("fold", [0, 1, 2, 3])
def test_a_view_has_no_say_on_rows_that_it_learned_from(make, rows, fold):
    net = make("five views")
    numbers, codes, classes, weights, _ = rows.tensors
    rows = EncodedRows(
        numbers, codes, classes, weights, torch.full((60,), fold, dtype=torch.int64)
    )
    before = judge(net, rows, (1.0,))[0]
    felt = []
    for view in range(5):
        own = net.module_.encoder.views.weights[0].data[view]
        kept = own.clone()
        own += 1
        felt.append(bool(judge(net, rows, (1.0,))[0] != before))
        own.copy_(kept)

    assert felt == [view % 4 == fold for view in range(5)]


def test_large_tables_are_judged_in_parts_to_the_same_result(make, folded, monkeypatch):
    net = make("five views")
    expected = judge(net, folded, RATIOS)
    monkeypatch.setattr("sklearn_ddcl.training.callbacks.validate._BLOCK", 7)

    for actual, whole in zip(judge(net, folded, RATIOS), expected, strict=True):
        np.testing.assert_allclose(actual, whole, rtol=1e-6)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("precision", ["float32", "float64", "bf16"])
def test_the_network_is_left_as_it_was(make, folded, precision, readout, training):
    net = make("five views", readout, mixed_precision=precision == "bf16")
    if precision == "float64":
        net.module_.double()
        numbers, codes, classes, weights, folds = folded.tensors
        folded = EncodedRows(numbers.double(), codes, classes, weights.double(), folds)
    net.module_.readout.temperature.fill_(0.7)
    net.module_.train(training)
    before = {name: v.clone() for name, v in net.module_.state_dict().items()}

    losses, _ = judge(net, folded, RATIOS)

    after = net.module_.state_dict()
    assert all(torch.equal(values, after[name]) for name, values in before.items())
    assert all(module.training == training for module in net.module_.modules())
    assert all(p.grad is None for p in net.module_.parameters())
    rtol = {"float32": 1e-5, "float64": 1e-12, "bf16": 0.02}[precision]
    expected = [judged_by_hand(net.module_, folded, ratio)[0] for ratio in RATIOS]
    np.testing.assert_allclose(losses, expected, rtol=rtol)


@pytest.mark.parametrize("readout", READOUTS)
def test_an_interruption_leaves_the_network_as_it_was(make, folded, readout):
    net = make("five views", readout)
    net.module_.readout.temperature.fill_(0.7)
    net.module_.train()

    def interrupt(*args):
        raise KeyboardInterrupt

    net.module_.readout.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        judge(net, folded, (8.0,))

    assert float(net.module_.readout.temperature) == pytest.approx(0.7)
    assert net.module_.training


@pytest.mark.parametrize("readout", READOUTS)
def test_an_epoch_is_judged_at_the_temperature_that_suits_it(make, folded, readout):
    net = trained(make, folded, readout=readout, validation=folded, max_epochs=1)

    last = net.history[-1]
    # The temperature of training, before KeepBest applied the factor.
    net.module_.readout.temperature.div_(last["valid_ratio"])
    by_ratio = {
        2 ** (i / 2): judged_by_hand(net.module_, folded, 2 ** (i / 2))
        for i in range(-2, 7)
    }
    best = min(by_ratio, key=lambda ratio: by_ratio[ratio][0])
    assert last["valid_ratio"] == best
    assert last["valid_loss"] == pytest.approx(by_ratio[best][0], rel=1e-5)
    assert last["valid_score"] == pytest.approx(by_ratio[best][1])


@pytest.mark.parametrize("readout", READOUTS)
def test_the_kept_model_is_as_good_as_its_epoch_was_judged(make, folded, readout):
    params = {"max_epochs": 20, "lr": 0.07, "validation": folded}
    net = trained(make, folded, readout=readout, **params)

    best = net.measurements[net.best_epoch - 1]
    assert best["valid_loss"] == min(net.measurements["valid_loss"])
    loss, score = judged_by_hand(net.module_, folded, 1.0)
    assert loss == pytest.approx(best["valid_loss"], rel=1e-5)
    assert score == pytest.approx(best["valid_score"])
    # Not at the temperature of training, or this would test nothing.
    ratio = net.history[net.best_epoch - 1]["valid_ratio"]
    assert ratio != 1
    assert judged_by_hand(net.module_, folded, 1 / ratio)[0] > loss


@pytest.mark.parametrize("readout", READOUTS)
def test_a_temperature_that_was_given_is_not_touched(make, folded, readout):
    params = {"temperature": 0.05, "validation": folded}
    net = trained(make, folded, readout=readout, **params)

    assert {epoch["valid_ratio"] for epoch in net.history} == {1.0}
    expected = 0.05 if readout == "ddcl" else 1.0
    assert float(net.module_.readout.temperature) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("every", "max_epochs", "expected"),
    [(1, 3, [1, 2, 3]), (3, 7, [3, 6, 7]), (3, 6, [3, 6]), (3, 2, [2])],
)
def test_every_so_many_epochs_and_the_last_are_judged(
    make, folded, every, max_epochs, expected
):
    params = {"max_epochs": max_epochs, "validation": folded}
    net = trained(make, folded, validate_every=every, **params)

    judged = np.isfinite(net.measurements["valid_loss"])
    assert (1 + np.flatnonzero(judged)).tolist() == expected
    assert (judged == np.isfinite(net.measurements["valid_score"])).all()


def test_the_last_epoch_of_a_later_training_is_judged_too(make, folded):
    first = trained(make, folded, max_epochs=3)
    later = make("five views", validation=folded, validate_every=3, max_epochs=5)
    later.measurements = first.measurements
    later.partial_fit(folded)

    judged = np.isfinite(later.measurements["valid_loss"])
    assert (1 + np.flatnonzero(judged)).tolist() == [3 + 3, 3 + 5]


@pytest.mark.parametrize("readout", READOUTS)
def test_a_later_training_starts_at_the_temperature_of_training(make, folded, readout):
    params = {"max_epochs": 2, "validation": folded, "lr": 1e-12}
    net = make("five views", readout, **params)
    net.module_.readout.temperature.fill_(50.0)
    net.partial_fit(folded)
    expected = trained(make, folded, readout=readout, **params)

    assert net.measurements["valid_loss"] == expected.measurements["valid_loss"]
