"""Competitors take turns, and ratios are taken round by round."""

import gc

import pytest

from benchmarks.harness.timing import compare, split_cost, take_turns


@pytest.fixture(autouse=True)
def garbage_can_wait(monkeypatch):
    """Skip collections, which take long beside a whole test suite."""
    monkeypatch.setattr(gc, "collect", lambda: 0)


def test_competitors_take_turns_in_rotating_order():
    calls = []
    tasks = {name: lambda name=name: calls.append(name) for name in "abc"}

    seconds = take_turns(tasks, n_rounds=4, warm_up=False)

    assert "".join(calls) == "abc" + "bca" + "cab" + "abc"
    assert {name: len(times) for name, times in seconds.items()} == dict.fromkeys(
        "abc", 4
    )


def test_a_warm_up_is_not_measured():
    calls = []
    seconds = take_turns({"a": lambda: calls.append("a")}, n_rounds=2)
    assert len(calls) == 3
    assert len(seconds["a"]) == 2


def test_a_ratio_is_the_median_of_the_rounds():
    # Ratios 2, 1 and 6, while the medians have the ratio 3 / 1.
    ratio = compare([2.0, 3.0, 6.0], [1.0, 3.0, 1.0])
    assert ratio == (2.0, 1.0, 6.0)
    assert str(ratio) == "2.00 (1.00-6.00)"


def test_epochs_and_fixed_cost_by_hand():
    # 5 s once and 2 s per epoch: 3 epochs take 11 s, 6 epochs 17 s.
    per_epoch, fixed = split_cost([11.0], [17.0], n_epochs=3)
    assert per_epoch == pytest.approx([2.0])
    assert fixed == pytest.approx([5.0])
