"""Every step has the rate that the plan gives it, each group in its proportion."""

import numpy as np
import pytest
from skorch.callbacks import Callback


class Rates(Callback):
    """Note the rates of every training step."""

    def __init__(self):
        self.seen = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.seen.append([group["lr"] for group in net.optimizer_.param_groups])


def test_rates_follow_the_plan_and_keep_their_proportions(make, rows):
    rates = Rates()
    net = make(callbacks=[rates], max_epochs=4, lr=0.01, prototype_lr_ratio=8.0)
    net.partial_fit(rows, epochs=4)

    assert len(rates.seen) == net.step == 12
    for step, seen in enumerate(rates.seen):
        expected = 0.01 * net.plan.lr_factor(step, 12)
        assert sorted(set(seen)) == pytest.approx([expected, 8 * expected])
        # The history calls it the rate of the encoder.
        assert seen[-1] == pytest.approx(expected)


def test_steps_are_counted_on_over_several_calls(make, rows):
    rates = Rates()
    net = make(callbacks=[rates], max_epochs=4)
    for _ in range(4):
        net.partial_fit(rows, epochs=1)
    at_once = Rates()
    make(callbacks=[at_once], max_epochs=4).partial_fit(rows, epochs=4)

    assert rates.seen == at_once.seen


def test_validation_is_no_step(make, rows):
    net = make(validation=rows)
    net.partial_fit(rows, epochs=3)

    assert np.isfinite(net.measurements["valid_loss"]).all()
    assert net.step == 9
