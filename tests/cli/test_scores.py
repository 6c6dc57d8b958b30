"""Scores by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from sklearn_ddcl.cli import scores


@pytest.fixture
def predicted():
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(4), 200), rng.integers(0, 4, 200)


def test_accuracies_and_log_loss_are_those_of_scikit_learn(predicted):
    proba, y = predicted
    best = proba.argmax(1)

    assert scores.accuracy(proba, y) == metrics.accuracy_score(y, best)
    assert scores.balanced_accuracy(proba, y) == pytest.approx(
        metrics.balanced_accuracy_score(y, best)
    )
    assert scores.log_loss(proba, y) == pytest.approx(metrics.log_loss(y, proba))


def test_a_class_that_does_not_occur_does_not_count():
    proba = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])

    assert scores.balanced_accuracy(proba, np.array([0, 0, 2])) == 0.75


def test_certain_and_wrong_costs_much_but_not_infinity():
    assert scores.log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(
        52 * np.log(2)
    )


def test_calibration_error_by_hand():
    # Bin of 0.9: right and wrong, mean 0.9 against 0.5. Bin of 0.6: right, 0.4 off.
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]])

    error = scores.calibration_error(proba, np.array([0, 1, 0]))

    assert error == pytest.approx((2 * 0.4 + 0.4) / 3)


def test_calibration_error_bin_by_bin(predicted):
    proba, y = predicted
    confidence, right = proba.max(1), proba.argmax(1) == y
    expected = 0.0
    for b in range(15):
        inside = (confidence >= b / 15) & (confidence < (b + 1) / 15)
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            expected += inside.mean() * gap

    assert scores.calibration_error(proba, y) == pytest.approx(expected)


def test_certain_and_right_is_calibrated():
    assert scores.calibration_error(np.eye(3), np.arange(3)) == 0
