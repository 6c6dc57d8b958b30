"""The curves are the columns of the history."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.inspection import TrainingHistoryDisplay


@pytest.fixture(scope="module")
def display(fitted):
    return TrainingHistoryDisplay.from_estimator(fitted)


def panel(display, title):
    (ax,) = [ax for ax in display.axes_.ravel() if ax.get_title("left") == title]
    return ax


@pytest.mark.parametrize(
    ("title", "column"),
    [
        ("Loss", "loss"),
        ("Loss", "task_loss"),
        ("Temperature", "temperature"),
        ("Temperature", "critical_temperature"),
        ("Prototypes in use", "perplexity"),
        ("Closest prototypes", "min_prototype_distance"),
        ("Tracking", "tracking"),
    ],
)
def test_a_column_is_drawn_in_its_panel(display, fitted, title, column):
    drawn = [line.get_ydata() for line in panel(display, title).get_lines()]

    assert any(np.array_equal(y, fitted.history_[column]) for y in drawn)


def test_the_stack_is_as_high_as_both_parts_together(display, fitted):
    ax = panel(display, "Competition")

    tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]

    parts = np.array([fitted.history_["reconstruction"], fitted.history_["diversity"]])
    np.testing.assert_allclose(tops, [parts[0].max(), parts.sum(0).max()])


def test_the_temperature_has_a_logarithmic_axis(display):
    assert panel(display, "Temperature").get_yscale() == "log"


def test_without_validation_rows_there_is_no_curve_of_them(iris):
    clf = DDCLClassifier(4, early_stopping=False, max_epochs=3, random_state=0)
    clf.fit(*iris)
    ax = panel(TrainingHistoryDisplay.from_estimator(clf), "Loss")

    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "objective",
        "cross-entropy",
    ]


def test_the_dot_is_the_lowest_validation_loss():
    losses = [0.9, 0.4, 0.6]
    history = [{"epoch": i + 1, "valid_loss": loss} for i, loss in enumerate(losses)]

    display = TrainingHistoryDisplay(history, best_epoch=2).plot()

    dot = panel(display, "Loss").get_lines()[-1]
    assert (dot.get_xdata(), dot.get_ydata()) == ([2], [0.4])


def test_a_curve_goes_through_the_epochs_that_were_judged():
    losses = [np.nan, np.nan, 0.9, np.nan, np.nan, 0.4, np.nan, 0.6]
    history = [{"epoch": i + 1, "valid_loss": loss} for i, loss in enumerate(losses)]

    display = TrainingHistoryDisplay(history).plot()

    (line,) = panel(display, "Loss").get_lines()
    assert line.get_xdata().tolist() == [3, 6, 8]
    assert line.get_ydata().tolist() == [0.9, 0.4, 0.6]


def test_early_stopping_marks_its_epoch(iris):
    clf = DDCLClassifier(4, early_stopping=True, max_epochs=60, random_state=0)
    clf.fit(*iris)

    display = TrainingHistoryDisplay.from_estimator(clf)

    dot = panel(display, "Loss").get_lines()[-1]
    assert dot.get_ydata() == [min(clf.history_["valid_loss"])]


def test_revivals_are_ticks_at_their_epochs():
    history = [
        {"epoch": epoch, "n_revived": n} for epoch, n in [(1, 0), (2, 3), (3, 0)]
    ]

    display = TrainingHistoryDisplay(history).plot()

    (ticks,) = panel(display, "Closest prototypes").get_lines()
    assert ticks.get_xdata().tolist() == [2]


def test_a_single_epoch_is_drawn_as_dots(fitted):
    display = TrainingHistoryDisplay(fitted.history_[:1]).plot()

    assert all(line.get_marker() == "o" for line in panel(display, "Loss").get_lines())


def test_axes_that_are_given_are_used(fitted):
    figure, axes = plt.subplots(1, 6)

    display = TrainingHistoryDisplay.from_estimator(fitted, axes)

    assert display.axes_.tolist() == axes.tolist()
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_too_few_axes_are_an_error(fitted):
    _, axes = plt.subplots(2, 2)

    with pytest.raises(ValueError, match=r"axes must be 6 axes, got 4.*subplots\(2, 3"):
        TrainingHistoryDisplay.from_estimator(fitted, axes)
