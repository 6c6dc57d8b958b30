"""A training can be judged by what a rehearsal showed."""

import math

import pytest

from sklearn_ddcl.training.callbacks.recall import Recall

JUDGMENTS = [
    {},
    {"valid_loss": 0.5, "valid_score": 0.7, "valid_ratio": 2.0},
    {},
    {"valid_loss": 0.25, "valid_score": 0.9, "valid_ratio": 4.0},
]


@pytest.fixture
def net(make, rows):
    net = make(judge=Recall(JUDGMENTS), max_epochs=9)
    return net.partial_fit(rows)


def test_training_ends_where_the_rehearsal_was_best(net):
    assert len(net.measurements) == net.best_epoch == 4


def test_what_was_measured_then_is_told_again(net):
    assert net.measurements["valid_loss"][1::2] == [0.5, 0.25]
    assert net.measurements["valid_score"][1::2] == [0.7, 0.9]
    assert all(math.isnan(loss) for loss in net.measurements["valid_loss"][::2])


def test_decisions_are_as_soft_as_was_best_then(net):
    told = net.measurements["temperature"][-1]
    assert net.module_.bank.temperature.item() == pytest.approx(4 * told)
