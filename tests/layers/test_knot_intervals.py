"""Where numbers stand among the knots of their column."""

import math

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import KnotIntervals


@pytest.fixture
def intervals():
    """Return a column of three intervals, and one of a single interval."""
    return KnotIntervals(
        [torch.tensor([0.0, 1.0, 5.0, 6.0]), torch.tensor([-2.0, 2.0])]
    )


@pytest.mark.parametrize(
    ("x", "first", "second"),
    [
        ([-9.0, -9.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        ([0.5, 0.0], [0.5, 0.0, 0.0], [0.5, 0.0, 0.0]),
        ([2.0, 1.0], [1.0, 0.25, 0.0], [0.75, 0.0, 0.0]),
        ([9.0, 1e30], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0]),
    ],
)
def test_progress_and_position_by_hand(intervals, x, first, second):
    x = torch.tensor([x])

    assert intervals.progress(x).tolist() == [[first, second]]
    # Of three intervals, and of one.
    shares = torch.tensor([[sum(first) / 3, sum(second)]])
    assert_close(intervals.position(x), math.sqrt(3) * (2 * shares - 1))


def test_between_quantiles_positions_have_mean_0_and_variance_1():
    x = torch.linspace(0, 1, 4001, dtype=torch.float64) ** 3
    levels = torch.linspace(0, 1, 41, dtype=torch.float64)
    intervals = KnotIntervals([x.quantile(levels)]).double()

    position = intervals.position(x[:, None])

    assert abs(position.mean()) < 1e-2
    assert position.var().item() == pytest.approx(1, abs=1e-2)


def test_a_table_may_lack_numbers():
    assert KnotIntervals([]).position(torch.zeros(5, 0)).shape == (5, 0)
