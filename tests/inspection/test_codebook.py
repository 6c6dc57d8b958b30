"""The panels show the passes and the usage of a codebook."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLQuantizer
from sklearn_ddcl.inspection import CodebookDisplay


@pytest.fixture(scope="module")
def quantizer(iris):
    return DDCLQuantizer(6, init="mean", random_state=0).fit(iris[0])


@pytest.fixture
def display(quantizer):
    yield CodebookDisplay.from_estimator(quantizer)
    plt.close("all")


def test_the_cooling_is_drawn_against_the_temperature(display, quantizer):
    ax = display.axes_[0]
    soft = np.array(quantizer.history_["temperature"]) > 0
    (line,) = ax.get_lines()

    assert ax.get_xscale() == "log"
    assert ax.xaxis_inverted()
    np.testing.assert_array_equal(
        line.get_xdata(), np.array(quantizer.history_["temperature"])[soft]
    )
    np.testing.assert_array_equal(
        line.get_ydata(), np.array(quantizer.history_["loss"])[soft]
    )


def test_a_second_line_counts_the_codes_that_have_parted(display):
    (twin,) = [
        ax for ax in display.figure_.axes if ax.get_ylabel() == "codes that have parted"
    ]
    counts = twin.get_lines()[0].get_ydata()

    assert counts[0] == 1
    assert counts[-1] == 6
    # On their way to where they belong, two may pass each other.
    assert (np.diff(counts) < 0).sum() <= 2


def test_the_usage_is_sorted_and_sums_to_one(display):
    (stairs,) = display.axes_[2].patches
    shares = stairs.get_data().values

    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares) <= 0).all()


def test_several_codebooks_are_named(iris):
    quantizer = DDCLQuantizer(4, n_codebooks=2, random_state=0).fit(iris[0])
    display = CodebookDisplay.from_estimator(quantizer)

    names = [text.get_text() for text in display.axes_[2].get_legend().get_texts()]
    assert names == ["codebook 0", "codebook 1"]
    assert len(display.figure_.axes) == 3
    plt.close("all")


def test_a_pipeline_shows_its_last_step(iris):
    model = make_pipeline(StandardScaler(), DDCLQuantizer(4, random_state=0))

    display = CodebookDisplay.from_estimator(model.fit(iris[0]))

    assert display.usage is model[-1].codebook_usage_
    plt.close("all")


def test_what_has_no_codebook_is_refused(iris, fitted):
    with pytest.raises(NotFittedError):
        CodebookDisplay.from_estimator(DDCLQuantizer())
    with pytest.raises(ValueError, match="has no codebook"):
        CodebookDisplay.from_estimator(fitted)
    with pytest.raises(ValueError, match="axes must be 3 axes, got 1"):
        CodebookDisplay([], np.ones(2)).plot(plt.subplots()[1])
    plt.close("all")
