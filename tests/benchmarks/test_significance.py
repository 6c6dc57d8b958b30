"""Critical differences agree with published tables and a published example.

The constants and the example are of J. Demsar, "Statistical comparisons of classifiers
over multiple data sets", JMLR 7, 2006: table 5 (a) and the AUC of table 6.
"""

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.significance import (
    compare_ranks,
    critical_difference,
    critical_value,
    groups_within,
)

PUBLISHED_Q = (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)
AUC = {
    "C4.5": """0.763 0.599 0.954 0.628 0.882 0.936 0.661 0.583 0.775 1.000 0.940
        0.619 0.972 0.957""",
    "C4.5+m": """0.768 0.591 0.971 0.661 0.888 0.931 0.668 0.583 0.838 1.000 0.962
        0.666 0.981 0.978""",
    "C4.5+cf": """0.771 0.590 0.968 0.654 0.886 0.916 0.609 0.563 0.866 1.000 0.965
        0.614 0.9751 0.946""",
    "C4.5+m+cf": """0.798 0.569 0.967 0.657 0.898 0.931 0.685 0.625 0.875 1.000 0.962
        0.669 0.975 0.970""",
}


@pytest.fixture
def published_ranks():
    scores = pd.DataFrame(
        {name: list(map(float, text.split())) for name, text in AUC.items()}
    )
    return scores.rank(axis=1, ascending=False)


@pytest.mark.parametrize(("n_models", "q"), [*enumerate(PUBLISHED_Q, start=2)])
def test_critical_values_are_the_published_ones(n_models, q):
    assert critical_value(n_models) == pytest.approx(q, abs=1.5e-3)


def test_the_published_example(published_ranks):
    result = compare_ranks(published_ranks)

    assert result.mean_ranks.round(3).to_dict() == {
        "C4.5+m+cf": 1.964,
        "C4.5+m": 2.0,
        "C4.5+cf": 2.893,
        "C4.5": 3.143,
    }
    assert result.n_tables == 14
    assert result.critical_difference == pytest.approx(1.25, abs=5e-3)
    # Its 9.28 does not correct for ties, which only makes p smaller.
    assert 0.01 < result.p_value < 0.026


def test_at_ten_percent_the_published_example_differs(published_ranks):
    # The same source: 2.291 for four models, and a critical difference of 1.12.
    result = compare_ranks(published_ranks, alpha=0.1)

    assert result.critical_difference == pytest.approx(1.12, abs=5e-3)
    # "C4.5" differs from both variants with m, by 1.18 and 1.14.
    assert result.groups == [
        ["C4.5+m+cf", "C4.5+m", "C4.5+cf"],
        ["C4.5+cf", "C4.5"],
    ]


def test_four_times_the_tables_halve_the_critical_difference():
    assert critical_difference(5, 40) == pytest.approx(critical_difference(5, 10) / 2)


def test_groups_by_hand():
    ranks = pd.Series({"d": 5.0, "a": 1.0, "b": 1.5, "c": 2.5})
    assert groups_within(ranks, 1.2) == [["a", "b"], ["b", "c"]]
    assert groups_within(ranks, 1.6) == [["a", "b", "c"]]
    assert groups_within(ranks, 0.1) == []
    assert groups_within(ranks, 9.0) == [["a", "b", "c", "d"]]


def test_models_exactly_at_the_distance_differ():
    assert groups_within(pd.Series({"a": 1.0, "b": 2.0}), 1.0) == []


def test_models_that_always_tie_do_not_differ():
    ranks = pd.DataFrame(np.full((5, 3), 2.0), columns=list("abc"))
    result = compare_ranks(ranks)
    assert result.p_value == 1
    assert result.groups == [["a", "b", "c"]]


@pytest.mark.parametrize("shape", [(5, 2), (1, 3)])
def test_too_little_to_compare_is_refused(shape):
    with pytest.raises(ValueError, match="at least 3 models on at least 2 tables"):
        compare_ranks(pd.DataFrame(np.ones(shape)))
