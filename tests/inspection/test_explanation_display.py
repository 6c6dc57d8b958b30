"""The bars are the whole decision, nothing more and nothing less."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sklearn_ddcl.estimators.explanation import Explanation
from sklearn_ddcl.inspection import ExplanationDisplay


@pytest.fixture
def by_hand():
    """Two classes, three prototypes; probabilities 0.55 and 0.45."""
    weights = np.array([[0.5, 0.2, 0.3]])
    votes = np.array([[1.0, 0.0], [0.25, 0.75], [0.0, 1.0]])
    return Explanation(
        weights, votes, np.array(["a", "b"]), np.array([7, 8, 9]), np.zeros((3, 2))
    )


def lengths(display):
    """Return the lengths of the pieces, (bars, classes)."""
    return np.array([[p.get_width() for p in bars] for bars in display.bars_]).T


def test_the_bars_of_three_prototypes_by_hand(by_hand):
    display = ExplanationDisplay(by_hand).plot()

    expected = [[0.5, 0.0], [0.0, 0.3], [0.05, 0.15]]
    np.testing.assert_allclose(lengths(display), expected, atol=1e-12)


def test_prototypes_that_are_not_shown_share_a_bar(by_hand):
    display = ExplanationDisplay(by_hand, n=1).plot()

    expected = [[0.5, 0.0], [0.05, 0.45]]
    np.testing.assert_allclose(lengths(display), expected, atol=1e-12)
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == [
        "prototype 0\nlike training row 7",
        "2 others",
    ]


def test_pieces_follow_each_other_without_a_gap(by_hand):
    display = ExplanationDisplay(by_hand).plot()

    first, second = (
        [(p.get_x(), p.get_x() + p.get_width()) for p in bars] for bars in display.bars_
    )
    assert [start for start, _ in first] == [0, 0, 0]
    np.testing.assert_allclose([end for _, end in first], [x for x, _ in second])


@pytest.mark.parametrize("n", [1, 3, 6, 50])
def test_pieces_of_a_class_add_up_to_its_probability(fitted, iris, n):
    for row in (0, 70, 133):
        display = ExplanationDisplay.from_estimator(fitted, iris[0], row=row, n=n)

        proba = fitted.predict_proba(iris[0])[row]
        np.testing.assert_allclose(lengths(display).sum(0), proba, atol=1e-6)


def test_the_heaviest_prototype_comes_first_from_above(fitted, iris):
    display = ExplanationDisplay.from_estimator(fitted, iris[0], row=70, n=6)

    weights = lengths(display).sum(1)
    assert (np.diff(weights) <= 0).all()
    assert display.ax_.yaxis_inverted()


def test_the_legend_says_the_probabilities(by_hand):
    display = ExplanationDisplay(by_hand).plot()

    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["a: 55.0%", "b: 45.0%"]


def test_of_many_classes_the_legend_names_the_most_probable():
    votes = np.eye(9)
    weights = np.array([[1, 9, 2, 8, 3, 7, 4, 6, 5]]) / 45
    explanation = Explanation(
        weights, votes, np.arange(9), np.arange(9), np.zeros((9, 1))
    )

    display = ExplanationDisplay(explanation).plot()

    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert sorted(text[0] for text in texts) == ["1", "3", "5", "6", "7", "8"]


def test_a_negative_row_counts_from_the_end(fitted, iris):
    last = ExplanationDisplay.from_estimator(fitted, iris[0], row=-1)

    np.testing.assert_array_equal(
        lengths(last),
        lengths(ExplanationDisplay.from_estimator(fitted, iris[0], row=149)),
    )


@pytest.mark.parametrize("row", [150, -151])
def test_a_row_that_is_not_there_is_an_error(fitted, iris, row):
    with pytest.raises(IndexError, match=f"X has 150 rows, got row={row}"):
        ExplanationDisplay.from_estimator(fitted, iris[0], row=row)


def test_axes_that_are_given_are_used(fitted, iris):
    figure, ax = plt.subplots()

    display = ExplanationDisplay.from_estimator(fitted, iris[0], ax=ax)

    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
