"""A result counts for every cap under which the same rows would be drawn."""

import pytest

from benchmarks.harness.caps import holds_for


@pytest.mark.parametrize(
    ("own", "n", "cap", "same"),
    [
        # A table of 1,000 rows: neither 3,000 nor "all" cuts it, 500 does.
        (3000, 750, 3000, True),
        (3000, 750, 0, True),
        (0, 750, 3000, True),
        (0, 750, 500, False),
        (500, 375, 0, False),
        # A table cut at 3,000 rows.
        (3000, 2250, 0, False),
        (3000, 2250, 10_000, False),
        # A table of 4,000 rows, measured whole.
        (0, 3000, 3000, False),
        (0, 3000, 10_000, True),
    ],
)
def test_results_hold_where_neither_cap_cuts_the_table(own, n, cap, same):
    assert holds_for({"cap": own, "n": n}, cap) is same


def test_a_result_without_a_cap_is_of_three_thousand_rows():
    assert holds_for({"n": 2250}, 3000)
    assert not holds_for({"n": 2250}, 0)
    assert holds_for({"n": 750}, 0)


def test_a_result_that_does_not_tell_its_rows_holds_for_its_own_cap_only():
    assert holds_for({"cap": 100}, 100)
    assert not holds_for({"cap": 100}, 200)


@pytest.mark.parametrize("n_rows", range(90, 103))
def test_rounding_never_takes_a_cut_table_for_a_whole_one(n_rows):
    n_train = n_rows - -(-n_rows // 4)
    assert not holds_for({"cap": n_rows, "n": n_train}, 0)
