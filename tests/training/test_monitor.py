"""What is measured of a bank is right, and a collapse is told with a cure."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

import sklearn_ddcl.functional as F
from sklearn_ddcl.training import CollapseWarning, EncodedRows, TimeScaleWarning
from sklearn_ddcl.training.callbacks import monitor, warn
from sklearn_ddcl.training.callbacks.warn import WarnOfCollapse, told_apart
from sklearn_ddcl.training.probe import BankProbe


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_measurements_are_those_of_the_tokens(make, rows, encoder):
    net = make(encoder, temperature=2.0)
    net.partial_fit(rows, epochs=2)
    network, last = net.module_.eval(), net.measurements[-1]
    with torch.no_grad():
        tokens = network.tokens(*rows[:][0]).double().flatten(0, 1).numpy()
    prototypes = network.bank.prototypes.detach().double().numpy()

    gaps = np.square(tokens[:, None] - prototypes).sum(-1)
    q = np.exp(-gaps / 2.0)
    q /= q.sum(1, keepdims=True)
    usage = q.mean(0)
    spread = np.linalg.eigvalsh(np.cov(tokens.T, bias=True))
    pairs = itertools.combinations(prototypes, 2)
    expected = {
        "reconstruction": np.square(tokens - q @ prototypes).sum(1).mean(),
        "diversity": (q * gaps).sum(1).mean()
        - np.square(tokens - q @ prototypes).sum(1).mean(),
        "perplexity": np.exp(-(usage * np.log(usage)).sum()),
        "min_prototype_distance": min(np.linalg.norm(a - b) for a, b in pairs),
        "critical_temperature": 2 * spread[-1],
        "temperature": 2.0,
    }
    for name, value in expected.items():
        assert last[name] == pytest.approx(value, rel=1e-4, abs=1e-5), name


def test_the_loss_of_at_most_so_many_tokens_is_taken_apart(make, rows, monkeypatch):
    # 60 rows of two tokens: every third row.
    monkeypatch.setattr(monitor, "_MOST_TOKENS", 40)
    net = make()
    net.partial_fit(rows, epochs=2)
    state, last = net.bank_state, net.measurements[-1]
    parts = F.decompose(
        state.tokens[::3], net.module_.bank.prototypes, state.assignments[::3]
    )

    assert last["reconstruction"] == pytest.approx(parts.reconstruction.item())
    assert last["diversity"] == pytest.approx(parts.diversity.item())
    assert last["perplexity"] == pytest.approx(F.perplexity(state.assignments).item())


def test_the_token_variance_is_relative_to_the_start(make, rows):
    net = make(lr=1e-12)
    net.partial_fit(rows, epochs=2)

    np.testing.assert_allclose(net.measurements["token_variance"], 1, rtol=1e-5)


def test_the_clock_runs_from_the_start_of_training(make, rows):
    net = make()
    net.partial_fit(rows)
    seconds = net.measurements["seconds"]

    assert 0 < seconds[0] <= seconds[1] <= seconds[2]


def test_groups_told_apart_by_hand(state_of):
    # Four tokens, each with a prototype of its own; two of which are one.
    _, cold = state_of([0.0, 1.0, 2.0, 2.0], [0.0, 1.0, 2.0], temperature=1e-4)
    _, hot = state_of([0.0, 1.0, 2.0, 2.0], [0.0, 1.0, 2.0], temperature=1e6)
    _, one = state_of([0.0, 0.0], [0.0, 1.0], temperature=1e-4)

    # Shares 1/4, 1/4, 1/2 have entropy 1.5 bits.
    assert told_apart(cold) == pytest.approx(2**1.5)
    assert told_apart(hot) == pytest.approx(1)
    assert told_apart(one) == pytest.approx(1)


def test_far_above_the_critical_temperature_the_collapse_is_told(make, rows):
    with pytest.warns(
        CollapseWarning, match=r"prototypes collapsed.*temperature=.auto"
    ):
        make(temperature=1e6).partial_fit(rows)


def test_tokens_that_fall_together_are_told(make, rows):
    # Without centering, as if training went on.
    net = make(lr=1e-12)
    net.partial_fit(rows, epochs=1)
    net.module_.norm.register_forward_hook(lambda module, inputs, out: 0.01 * out)

    with pytest.warns(CollapseWarning, match=r"tokens collapsed.*lower lr"):
        net.partial_fit(rows, epochs=1)


class Shrink(Callback):
    """Draw all tokens together before the last of three epochs."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.measurements) == 2:
            net.module_.encoder.views.project.weight.data *= 1e-3


def test_a_collapse_after_the_epoch_that_is_kept_is_not_told(make, rows):
    # Warnings are errors here.
    net = make(callbacks=[Shrink()], validation=rows)
    net.partial_fit(rows)

    assert net.best_epoch < 3
    assert net.measurements[-1]["token_variance"] < 0.01
    with pytest.warns(CollapseWarning, match="tokens collapsed"):
        make(callbacks=[Shrink()]).partial_fit(rows)


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_an_ordinary_training_warns_of_nothing(make, rows, encoder):
    # Warnings are errors here.
    make(encoder, max_epochs=110).partial_fit(rows)


def test_prototypes_that_lag_behind_are_told(make, rows):
    # After the annealing, which would revive them, the tokens run away from them.
    net = make(max_epochs=110, lr=1e-12, temperature=1.0)
    net.partial_fit(rows, epochs=80)
    net.module_.norm.register_forward_hook(lambda module, inputs, out: out + 3)

    with pytest.warns(TimeScaleWarning, match=r"lag behind.*lower it"):
        net.partial_fit(rows, epochs=30)

    assert net.step >= 300


def test_a_short_training_is_not_blamed_for_lagging(make, rows):
    make(max_epochs=5, prototype_lr_ratio=1e-6, lr=0.05).partial_fit(rows)


@pytest.mark.parametrize(("step", "n_told"), [(299, 0), (300, 1)])
def test_a_bank_may_lag_that_is_kept_from_an_early_step(
    make, rows, monkeypatch, step, n_told
):
    net = make(validation=rows)
    net.partial_fit(rows)
    assert net.bank_state.step == 3 * net.best_epoch
    measured = warn.measure_bank(net) | {"tracking": 2.0}
    monkeypatch.setattr(warn, "measure_bank", lambda net: measured)
    net.bank_state = net.bank_state._replace(step=step)

    with warnings.catch_warnings(record=True, action="always") as told:
        WarnOfCollapse().on_train_end(net)

    assert [warning.category for warning in told] == [TimeScaleWarning] * n_told


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [(10, 10), (256, 256), (1000, 334), (30_000, 1024), (10**6, 1024)],
)
def test_the_probe_takes_a_regular_sample(make, n_rows, expected):
    x = torch.arange(n_rows)
    numbered = EncodedRows(x[:, None].expand(-1, 2) * 1.0, x[:, None] % 3, x, x * 1.0)
    probe = BankProbe()
    probe.look = lambda net: None
    probe.on_train_begin(make(), X=numbered)
    chosen = probe.rows_.tensors[2]

    assert len(chosen) == expected
    assert len(set(chosen.diff().tolist())) <= 1
    assert chosen[0] == 0


def test_looking_leaves_the_network_in_its_mode(make, rows):
    net = make()
    net.partial_fit(rows, epochs=1)
    for training in (True, False):
        net.module_.train(training)
        dict(net.callbacks_)["probe"].look(net)
        assert net.module_.training is training
