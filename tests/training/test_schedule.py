"""Rates and temperatures over a training, by hand."""

import dataclasses

import pytest

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.estimators.plan import choose_batch_size, choose_epochs, make_plan
from sklearn_ddcl.training.data import n_batches


def test_the_temperature_falls_geometrically_over_seventy_percent(plan):
    annealing = plan(max_epochs=100, start=0.5, end=0.1)

    assert annealing.temperature_ratio(0) == 0.5
    assert annealing.temperature_ratio(35) == pytest.approx((0.5 * 0.1) ** 0.5)
    assert annealing.temperature_ratio(70) == pytest.approx(0.1)
    assert annealing.temperature_ratio(1000) == pytest.approx(0.1)


def test_the_temperature_never_rises(plan):
    ratios = [plan(max_epochs=17).temperature_ratio(epoch) for epoch in range(30)]

    assert ratios == sorted(ratios, reverse=True)
    assert 0 < ratios[-1] < ratios[0] < 1


def test_one_epoch_has_a_temperature(plan):
    assert plan(max_epochs=1).temperature_ratio(0) == plan().start


def test_the_bank_is_rearranged_over_seventy_percent(plan):
    assert [plan(max_epochs=10).is_annealing(epoch) for epoch in (0, 6, 7, 9)] == [
        True,
        True,
        False,
        False,
    ]


def test_rates_warm_up_and_fall_like_a_cosine(plan):
    factor = plan().lr_factor

    assert factor(0, 1000) == pytest.approx(1 / 30, rel=1e-3)
    assert factor(29, 1000) == pytest.approx(1, rel=3e-3)
    assert factor(500, 1000) == pytest.approx(0.5)
    assert factor(1000, 1000) == pytest.approx(0)
    assert factor(2000, 1000) == pytest.approx(0)


def test_rates_of_a_short_training_are_positive_until_the_last_step(plan):
    for n_steps in (1, 2, 5):
        assert all(plan().lr_factor(step, n_steps) > 0 for step in range(n_steps))


def test_a_stream_keeps_half_the_rate(plan):
    factor = plan(streaming=True).lr_factor

    assert factor(0, 40) == pytest.approx(0.5 / 30)
    assert factor(30, 40) == factor(10**6, 40) == pytest.approx(0.5)


def test_a_plan_cannot_be_changed(plan):
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan().lr = 1.0


@pytest.mark.parametrize("n_rows", [1, 10, 1_000, 30_000, 100_000, 10**6, 10**7])
def test_auto_chooses_usable_sizes(n_rows):
    size = choose_batch_size(n_rows)
    epochs = choose_epochs(n_rows, size)

    assert 128 <= size <= 1024
    assert size & (size - 1) == 0
    assert 30 <= epochs <= 100


def test_batches_grow_and_epochs_shrink_with_the_table():
    sizes = [choose_batch_size(n) for n in (100, 5_000, 50_000, 10**6)]
    epochs = [choose_epochs(n, choose_batch_size(n)) for n in (100, 5_000, 10**6)]

    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] > epochs[-1]


def test_a_plan_follows_the_parameters():
    params = {
        "max_epochs": 7,
        "batch_size": 33,
        "lr": 0.5,
        "prototype_lr_ratio": 4.0,
        "weight_decay": 0.25,
        "distortion_weight": 0.125,
        "temperature": 2.0,
    }
    plan = dataclasses.asdict(make_plan(DDCLClassifier(**params), 100, streaming=True))

    assert params.items() <= plan.items()
    assert plan["streaming"] is True


def test_auto_leaves_nothing_open():
    plan = make_plan(DDCLClassifier(), 5_000)

    assert plan.temperature is None
    assert plan.streaming is False
    assert plan.batch_size == choose_batch_size(5_000)
    assert plan.max_epochs * n_batches(5_000, plan.batch_size) > 500
