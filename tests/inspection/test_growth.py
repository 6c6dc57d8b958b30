"""The steps are the heads, and the curves what was missing."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.inspection import GrowthDisplay
from sklearn_ddcl.networks import INCRTEncoder

N_HEADS = {0: [1, 2, 2, 1], 1: [1, 1, 1, 1]}
ACTIONS = {0: ["none", "grow", "none", "prune"], 1: ["none", "none", "turn", "none"]}


@pytest.fixture
def history():
    return [
        {
            "epoch": epoch + 1,
            "layer": layer,
            "energy": 0.1 / (1 + epoch) * (layer < 1),
            "threshold": 0.02,
            "action": ACTIONS[layer][epoch],
            "n_heads": N_HEADS[layer][epoch],
        }
        for epoch in range(4)
        for layer in range(2)
    ]


def test_every_layer_is_a_step_with_a_mark_where_it_changed(history):
    heads, _ = GrowthDisplay(history).plot().axes_
    lines = heads.get_lines()
    steps = [line for line in lines if line.get_drawstyle().startswith("steps")]
    assert [line.get_ydata().tolist() for line in steps] == list(N_HEADS.values())
    marks = {
        line.get_marker(): line.get_xdata().tolist()
        for line in lines
        if len(line.get_xdata()) == 1
    }
    assert marks == {"^": [2], "v": [4], "D": [3]}
    names = [text.get_text() for text in heads.get_legend().get_texts()]
    assert names == ["layer 1", "layer 2"]


def test_what_was_missing_is_drawn_with_its_threshold(history):
    _, missing = GrowthDisplay(history).plot().axes_
    energy, threshold = missing.get_lines()[:2]
    np.testing.assert_allclose(energy.get_ydata(), [0.1, 0.05, 0.1 / 3, 0.025])
    np.testing.assert_allclose(threshold.get_ydata(), 0.02)
    assert missing.get_yscale() == "log"
    # Nothing missing has no logarithm.
    assert (missing.get_lines()[2].get_ydata() > 0).all()


def test_a_fitted_estimator_is_drawn(iris):
    encoder = INCRTEncoder(1, d_token=8, d_head=4)
    clf = DDCLClassifier(6, encoder=encoder, max_epochs=2, random_state=0).fit(*iris)
    display = GrowthDisplay.from_estimator(clf, plt.subplots(1, 2)[1])
    assert display.axes_[0].get_legend() is None


def test_what_does_not_grow_is_refused(fitted):
    with pytest.raises(ValueError, match='encoder="incrt"'):
        GrowthDisplay.from_estimator(fitted)


def test_it_takes_two_axes(history):
    with pytest.raises(ValueError, match="axes must be 2 axes, got 3"):
        GrowthDisplay(history).plot(plt.subplots(1, 3)[1])
