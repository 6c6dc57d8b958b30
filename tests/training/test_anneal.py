"""The temperature follows the plan, in units of the critical one."""

import numpy as np
import pytest
import torch


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_the_temperature_is_the_planned_share_of_the_critical_one(make, rows, encoder):
    net = make(encoder, max_epochs=10, lr=1e-12)
    net.partial_fit(rows, epochs=10)
    history = net.measurements

    # Without learning tokens stay, and so does the critical temperature.
    ratios = np.divide(history["temperature"], history["critical_temperature"])
    expected = [net.plan.temperature_ratio(epoch) for epoch in range(10)]
    np.testing.assert_allclose(ratios, expected, rtol=1e-4)


def test_the_temperature_falls_relative_to_the_critical_one(make, rows):
    net = make(max_epochs=60)
    net.partial_fit(rows, epochs=60)
    history = net.measurements
    ratios = np.divide(history["temperature"], history["critical_temperature"])

    assert ratios[-1] < ratios[0] / 2


@pytest.mark.filterwarnings("ignore::sklearn_ddcl.training.CollapseWarning")
def test_tokens_that_draw_together_do_not_harden_the_assignments(make, rows):
    net = make(max_epochs=10, lr=1e-12)
    net.partial_fit(rows, epochs=1)
    widest = net.measurements["critical_temperature"][0]
    net.module_.norm.register_forward_hook(lambda module, inputs, out: 0.01 * out)
    net.partial_fit(rows, epochs=2)

    assert net.measurements["critical_temperature"][-1] < 0.01 * widest
    expected = net.plan.temperature_ratio(2) * widest
    assert net.measurements["temperature"][-1] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("temperature", [1e-3, 1.0, 7])
def test_a_fixed_temperature_stays(make, rows, temperature):
    net = make(temperature=temperature)
    net.partial_fit(rows, epochs=3)

    np.testing.assert_allclose(net.measurements["temperature"], temperature)
    assert float(net.module_.bank.temperature) == pytest.approx(temperature)


def test_the_temperature_is_never_learned(make):
    names = {name for name, _ in make().module_.named_parameters()}

    assert "readout.bank.temperature" not in names


def test_tokens_that_are_all_equal_have_a_temperature(make, rows):
    net = make(lr=1e-12)
    net.module_.norm.register_forward_hook(lambda module, inputs, out: 0 * out)
    with pytest.warns(UserWarning, match="collapsed"):
        net.partial_fit(rows, epochs=1)

    assert 0 < float(net.module_.bank.temperature) < float("inf")


def test_prototypes_at_one_place_are_parted_while_annealing(make, rows):
    net = make(max_epochs=10, lr=1e-12)
    anneal = dict(net.callbacks_)["anneal"]
    net.partial_fit(rows, epochs=1)
    prototypes = net.module_.bank.prototypes
    with torch.no_grad():
        prototypes[:] = prototypes[0].clone()

    anneal.on_epoch_begin(net)
    spread = net.bank_state.top_eigenvalue.sqrt()
    gap = (prototypes[0] - prototypes[1]).norm()
    assert 1e-5 * spread < gap < 0.02 * spread

    net.partial_fit(rows, epochs=7)
    before = prototypes.detach().clone()
    anneal.on_epoch_begin(net)
    assert torch.equal(prototypes, before)
