"""A plan divides a training into three phases and cools it."""

from itertools import pairwise

import pytest

from sklearn_ddcl.training.autoencoding.plan import AutoencoderPlan


def make(max_epochs, **params):
    return AutoencoderPlan(max_epochs=max_epochs, batch_size=32, lr=1e-3, **params)


@pytest.mark.parametrize("max_epochs", [1, 2, 3, 5, 10, 30, 101])
def test_phases_follow_each_other_and_codes_are_soft_at_least_once(max_epochs):
    plan = make(max_epochs)
    phases = [plan.phase(epoch) for epoch in range(max_epochs)]

    order = {"free": 0, "soft": 1, "hard": 2}
    assert phases == sorted(phases, key=order.get)
    assert "soft" in phases
    if max_epochs > 1:
        assert phases[-1] == "hard"


def test_thirty_epochs_by_hand():
    plan = make(30)

    assert (plan.n_free, plan.n_soft) == (3, 22)
    assert plan.temperature_ratio(3) == plan.start
    assert plan.temperature_ratio(24) == pytest.approx(plan.end)
    assert plan.temperature_ratio(29) == pytest.approx(plan.end)


def test_the_temperature_falls_by_the_same_factor_every_epoch():
    plan = make(30)
    ratios = [plan.temperature_ratio(epoch) for epoch in range(3, 25)]
    factors = [after / before for before, after in pairwise(ratios)]

    assert max(factors) == pytest.approx(min(factors))
    assert max(factors) < 1


def test_rates_rise_and_fall():
    plan = make(10)
    factors = [plan.lr_factor(step, 1000) for step in range(1000)]

    assert factors[0] < 0.05
    assert max(factors) > 0.99
    assert factors[-1] < 1e-4
