"""The dots are the sizes, in the order of the neighbors."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.inspection import ContextPoolDisplay
from sklearn_ddcl.networks import AoTEncoder

NAMES = ["length", "width", "height", "weight"]


def make(context_pool):
    encoder = AoTEncoder(2, d_token=8, n_heads=2, context_pool=context_pool)
    return DDCLClassifier(6, encoder=encoder, max_epochs=2, random_state=0)


@pytest.fixture(scope="module")
def seriated(iris):
    return make("seriation").fit(pd.DataFrame(iris[0], columns=NAMES), iris[1])


def test_every_layer_has_a_dot_for_every_column(seriated):
    display = ContextPoolDisplay.from_estimator(seriated)

    drawn = [line.get_xdata() for line in display.ax_.get_lines()]
    order = seriated.feature_order_
    np.testing.assert_array_equal(drawn, seriated.pool_sizes_[:, order])
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == [NAMES[j] for j in order]
    assert display.ax_.get_xlabel().endswith("in columns")


def test_distances_are_another_unit(iris):
    display = ContextPoolDisplay.from_estimator(make("correlation").fit(*iris))

    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == [f"column {j}" for j in range(4)]
    assert display.ax_.get_xlabel().endswith("in distances")


def test_layers_are_named_and_differ_in_color(seriated):
    ax = ContextPoolDisplay.from_estimator(seriated).ax_

    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "layer 1",
        "layer 2",
    ]
    colors = [tuple(line.get_color()) for line in ax.get_lines()]
    assert len(set(colors)) == 2


def test_one_layer_needs_no_legend():
    assert ContextPoolDisplay(np.ones((1, 3))).plot().ax_.get_legend() is None


def test_many_columns_are_curves():
    sizes = np.random.default_rng(0).random((2, 64))

    ax = ContextPoolDisplay(sizes).plot().ax_

    np.testing.assert_array_equal([line.get_ydata() for line in ax.get_lines()], sizes)
    assert ax.get_ylabel().startswith("size")


def test_axes_that_are_given_are_used(seriated):
    figure, ax = plt.subplots()

    display = ContextPoolDisplay.from_estimator(seriated, ax)

    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_the_picture_can_be_saved(seriated, tmp_path):
    figure = ContextPoolDisplay.from_estimator(seriated).figure_

    figure.savefig(tmp_path / "picture.png")

    assert (tmp_path / "picture.png").stat().st_size > 5000


def test_a_pipeline_is_asked_for_its_last_step(iris):
    pipeline = make_pipeline(StandardScaler(), make("index")).fit(*iris)

    display = ContextPoolDisplay.from_estimator(pipeline)

    np.testing.assert_array_equal(display.pool_sizes, pipeline[-1].pool_sizes_)


def test_an_estimator_that_does_not_pool_is_refused(fitted, iris):
    forest = RandomForestClassifier(2, random_state=0).fit(*iris)
    for estimator in (fitted, forest):
        name = type(estimator).__name__
        with pytest.raises(ValueError, match=f"got {name} without pool_sizes_"):
            ContextPoolDisplay.from_estimator(estimator)
    with pytest.raises(NotFittedError):
        ContextPoolDisplay.from_estimator(make("index"))
