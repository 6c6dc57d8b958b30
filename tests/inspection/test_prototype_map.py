"""The map shows rows and prototypes where they are, and all of the prototypes."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

from sklearn_ddcl.inspection import PrototypeMapDisplay
from sklearn_ddcl.inspection.style import PALETTE


@pytest.fixture
def display(fitted, iris):
    return PrototypeMapDisplay.from_estimator(fitted, *iris)


def test_there_is_one_marker_per_prototype_and_row(display):
    assert len(display.prototype_markers_.get_offsets()) == 6
    assert len(display.row_markers_.get_offsets()) == 150


def test_every_prototype_is_numbered_once(display):
    text = ", ".join(label.get_text() for label in display.labels_)

    assert sorted(map(int, re.findall(r"\d+", text))) == list(range(6))


def test_prototypes_on_one_spot_share_a_label():
    display = PrototypeMapDisplay(
        rows=np.array([[0.0, 0.0], [4.0, 3.0]]),
        row_codes=np.array([0, 1]),
        prototypes=np.array([[0.0, 0.0], [4.0, 3.0], [0.0, 0.0]]),
        prototype_codes=np.array([0, 1, 0]),
        mass=np.array([0.2, 0.5, 0.3]),
        classes=np.array(["a", "b"]),
        explained=np.array([1.0, 0.0]),
    ).plot()

    assert sorted(label.get_text() for label in display.labels_) == ["0, 2", "1"]


def in_plane(fitted, X):
    """Return rows and prototypes on the map, by way of scikit-learn; signs differ."""
    q = fitted.assign(X).astype(float)
    means = np.array([np.average(fitted.prototypes_, axis=0, weights=w) for w in q])
    centers = np.array([np.average(means, axis=0, weights=w) for w in q.T])
    pca = PCA(2, svd_solver="full").fit(means)
    return pca.transform(means), pca.transform(centers), pca.explained_variance_ratio_


def test_rows_lie_at_the_means_of_their_prototypes(display, fitted, iris):
    rows, _, explained = in_plane(fitted, iris[0])

    for name, code in zip(fitted.classes_, range(3), strict=True):
        drawn = np.abs(display.rows[display.row_codes == code])
        expected = np.abs(rows[iris[1] == name])
        np.testing.assert_allclose(
            np.sort(drawn, axis=0), np.sort(expected, axis=0), rtol=1e-3, atol=1e-3
        )
    np.testing.assert_allclose(display.explained, explained, atol=1e-4)


def test_prototypes_lie_at_the_means_of_their_rows(display, fitted, iris):
    _, prototypes, _ = in_plane(fitted, iris[0])

    np.testing.assert_allclose(
        np.abs(display.prototypes), np.abs(prototypes), rtol=1e-3, atol=1e-3
    )


def test_a_prototype_without_rows_has_a_place_nevertheless():
    class Fitted(BaseEstimator):
        readout, classes_ = "ddcl", np.array(["a", "b"])
        prototypes_ = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 5.0]])
        prototype_votes_ = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])

        def fit(self, X):
            raise AssertionError("it is fitted")

        def __sklearn_is_fitted__(self):
            return True

        def assign(self, X):
            return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])

    display = PrototypeMapDisplay.from_estimator(Fitted(), [[0], [1]])

    np.testing.assert_allclose(display.prototypes, [[-1, 0], [1, 0], [0, 0]])


def test_markers_are_drawn_where_the_display_says(display):
    drawn = np.asarray(display.prototype_markers_.get_offsets())

    order = np.argsort(-display.mass, kind="stable")
    np.testing.assert_array_equal(drawn, display.prototypes[order])
    np.testing.assert_array_equal(display.row_markers_.get_offsets(), display.rows)


def test_prototypes_have_the_color_of_their_vote(display, fitted):
    order = np.argsort(-display.mass, kind="stable")
    colors = [to_hex(c) for c in display.prototype_markers_.get_facecolors()]

    votes = fitted.prototype_votes_.argmax(1)[order]
    assert colors == [PALETTE[vote] for vote in votes]


def test_the_area_of_a_marker_is_its_share_of_the_rows(display, fitted, iris):
    share = fitted.assign(iris[0]).mean(0)
    areas = display.prototype_markers_.get_sizes()

    np.testing.assert_allclose(display.mass, share)
    heavy = np.sort(share)[::-1] > 0.01
    ratios = areas[heavy] / np.sort(share)[::-1][heavy]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-5)


def test_rows_have_the_color_of_their_class(fitted, iris):
    X, y = iris

    display = PrototypeMapDisplay.from_estimator(fitted, X[100:], y[100:])

    colors = {to_hex(color) for color in display.row_markers_.get_facecolors()}
    assert colors == {PALETTE[2]}


def test_without_classes_rows_have_the_color_of_the_prediction(fitted, iris):
    display = PrototypeMapDisplay.from_estimator(fitted, iris[0])

    counts = np.bincount(np.searchsorted(fitted.classes_, fitted.predict(iris[0])))
    np.testing.assert_array_equal(np.bincount(display.row_codes), counts)


def test_of_many_rows_a_sample_is_drawn_but_all_count(fitted, iris, display):
    sample = PrototypeMapDisplay.from_estimator(fitted, *iris, max_rows=20)

    assert len(sample.rows) == len(np.unique(sample.rows, axis=0)) == 20
    np.testing.assert_array_equal(sample.prototypes, display.prototypes)
    np.testing.assert_array_equal(sample.mass, display.mass)


def test_the_sample_follows_its_seed(fitted, iris):
    def sample(seed):
        return PrototypeMapDisplay.from_estimator(
            fitted, *iris, max_rows=20, random_state=seed
        ).rows

    np.testing.assert_array_equal(sample(1), sample(1))
    assert not np.array_equal(sample(1), sample(2))


def test_a_single_row_can_be_drawn(fitted, iris):
    display = PrototypeMapDisplay.from_estimator(fitted, iris[0][:1])

    assert display.explained.tolist() == [0, 0]


def test_the_legend_names_the_classes(display):
    names = {text.get_text() for text in display.ax_.get_legend().get_texts()}

    assert {"setosa", "versicolor", "virginica", "row"} <= names


def test_the_axes_say_how_much_variance_they_show(display):
    assert display.ax_.get_xlabel() == (
        f"first direction, {display.explained[0]:.0%} of the variance"
    )


def test_axes_that_are_given_are_used(fitted, iris):
    figure, ax = plt.subplots()

    display = PrototypeMapDisplay.from_estimator(fitted, iris[0], ax=ax)

    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_too_few_classes_are_an_error(fitted, iris):
    X, y = iris

    with pytest.raises(ValueError, match=r"each of the 150 rows of X, got.*\(3,\)"):
        PrototypeMapDisplay.from_estimator(fitted, X, y[:3])


def test_an_unknown_class_is_an_error(fitted, iris):
    X, _ = iris

    with pytest.raises(ValueError, match=r"has not seen: \['rose'\].*'setosa'"):
        PrototypeMapDisplay.from_estimator(fitted, X[:2], ["setosa", "rose"])
