"""How many prototypes are in use, and how distinct they are."""

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F


def test_perplexity_by_hand():
    # Mean assignment (1/2, 1/4, 1/4): entropy 3/2 log 2.
    q = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    assert_close(F.perplexity(q).item(), 2**1.5)


@pytest.mark.parametrize("n_used", [1, 3, 5])
def test_perplexity_counts_what_is_used_equally(n_used):
    q = torch.eye(5)[torch.arange(30) % n_used]
    assert_close(F.perplexity(q).item(), float(n_used))


def test_perplexity_cannot_tell_soft_from_varied():
    # It is of the mean: all undecided looks like all different.
    undecided, varied = torch.full((4, 4), 0.25), torch.eye(4)
    assert_close(F.perplexity(undecided), F.perplexity(varied))


def test_perplexity_does_not_depend_on_the_order(z, prototypes):
    q = F.soft_assign(z, prototypes, 1.0)
    assert_close(F.perplexity(q.flip(0, 1)), F.perplexity(q))


def test_utilization_by_hand():
    q = torch.tensor([[0.9, 0.1, 0.0, 0.0], [0.0, 0.0, 0.3, 0.7], [0.6, 0.4, 0.0, 0.0]])
    assert F.utilization(q).item() == 0.5


def test_of_equal_assignments_the_first_wins():
    assert F.utilization(torch.full((9, 4), 0.25)).item() == 0.25


def test_tokens_that_do_not_exist_use_no_prototype(z, prototypes):
    q = F.soft_assign(z, prototypes, 1.0)
    # Everybody but the first prototype, who would win rows of zeros by default.
    q = q[q.argmax(-1) != 0]
    padded = torch.cat([q, torch.zeros(7, 6)])

    assert_close(F.perplexity(padded), F.perplexity(q))
    assert_close(F.utilization(padded), F.utilization(q))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_measures_of_usage_keep_the_dtype(z, prototypes, dtype):
    q = F.soft_assign(z, prototypes, 1.0).to(dtype)

    assert F.perplexity(q).dtype == dtype
    assert F.utilization(q).dtype == dtype


def test_leading_dimensions_do_not_matter(z, prototypes):
    q = F.soft_assign(z, prototypes, 1.0)
    stacked = q.reshape(2, 20, 6)

    assert_close(F.perplexity(stacked), F.perplexity(q))
    assert_close(F.utilization(stacked), F.utilization(q))


def test_smallest_distance_by_hand():
    prototypes = torch.tensor([[0.0, 0.0], [10.0, 0.0], [3.0, 4.0]])
    assert F.min_prototype_distance(prototypes).item() == 5.0


def test_duplicates_have_distance_zero(prototypes):
    doubled = torch.cat([prototypes, prototypes[2:3]])
    assert F.min_prototype_distance(doubled).item() == 0


def test_a_single_prototype_has_nothing_near():
    assert F.min_prototype_distance(torch.zeros(1, 3)).item() == float("inf")
