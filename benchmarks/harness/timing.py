"""Times of competitors that take turns, and ratios between them."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Seconds(NamedTuple):
    """How long something took."""

    cpu: float
    """Of the process, all its threads together; hardly depends on other processes."""
    wall: float


class Ratio(NamedTuple):
    """How two competitors compare over the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def time_once(function: Callable[[], Any]) -> Seconds:
    """Return the seconds of one call."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    function()
    return Seconds(time.process_time() - cpu, time.perf_counter() - wall)


def take_turns(
    tasks: Mapping[str, Callable[[], Any]], n_rounds: int, *, warm_up: bool = True
) -> dict[str, list[Seconds]]:
    """Return the seconds of every task in every round.

    Each round runs all tasks and starts with another one, so that a machine that slows
    down, or a neighbor that comes and goes, treats them alike.
    """
    if warm_up:
        for task in tasks.values():
            task()
    names = list(tasks)
    seconds: dict[str, list[Seconds]] = {name: [] for name in names}
    for turn in range(n_rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(time_once(tasks[name]))
    return seconds


def compare(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Return the ratio of two competitors, round by round: median and extremes."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def split_cost(
    short: Sequence[float], long: Sequence[float], n_epochs: int
) -> tuple[list[float], list[float]]:
    """Return seconds per epoch and fixed seconds of every round.

    `short` are fits of `n_epochs`, `long` of twice as many: what they differ in are
    `n_epochs` epochs, what they share comes once per fit.
    """
    pairs = list(zip(short, long, strict=True))
    return (
        [(b - a) / n_epochs for a, b in pairs],
        [2 * a - b for a, b in pairs],
    )
