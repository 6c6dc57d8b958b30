"""Columns along a line and on a map, by nothing but their distances."""

import itertools

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.networks.column_layout import column_order, column_positions


def squared(places):
    """Return squared distances between the rows of `places`."""
    return (places[:, None] - places).square().sum(-1)


@pytest.fixture
def line(generator):
    """Return places on a line, in any order."""
    return torch.rand(9, 1, generator=generator, dtype=torch.float64)


@pytest.fixture
def cloud(generator):
    return torch.randn(7, 3, generator=generator, dtype=torch.float64)


def test_places_on_a_line_are_found_in_their_order(line):
    found = line[column_order(squared(line)), 0]

    steps = found.diff()
    assert bool((steps > 0).all() or (steps < 0).all())


def test_the_end_that_is_nearer_to_all_others_comes_first(line):
    distances = squared(line)
    order = column_order(distances)
    remote = distances.sqrt().sum(0)[order]

    assert remote[0] < remote[-1]


def test_the_order_goes_with_the_columns(cloud, generator):
    order = column_order(squared(cloud))
    for _ in range(20):
        moved = torch.randperm(len(cloud), generator=generator)
        assert torch.equal(moved[column_order(squared(cloud[moved]))], order)


def test_reversed_columns_have_the_same_order(cloud):
    order = column_order(squared(cloud))
    assert torch.equal(len(cloud) - 1 - column_order(squared(cloud.flip(0))), order)


def test_neighbors_are_as_near_as_any_order_of_the_clusters_allows():
    # Two pairs that are far apart: no more than eight orders keep pairs together.
    places = torch.tensor([[0.0, 0.0], [10.0, 1.0], [1.0, 2.0], [11.0, 4.0]])
    apart = squared(places).sqrt().numpy()

    def length(order):
        return sum(apart[a, b] for a, b in itertools.pairwise(order))

    pairs = ([0, 2], [1, 3])
    allowed = [
        [*first[::turn], *second[::other]]
        for first, second in (pairs, pairs[::-1])
        for turn, other in itertools.product((1, -1), repeat=2)
    ]

    found = column_order(squared(places)).tolist()

    assert found in allowed
    assert length(found) == pytest.approx(min(map(length, allowed)))


@pytest.mark.parametrize("n_columns", [0, 1, 2, 5])
def test_columns_that_are_equally_far_stay_as_they_are(n_columns):
    distances = 2 * (1 - torch.eye(n_columns))

    assert column_order(distances).tolist() == list(range(n_columns))


def test_a_map_of_all_dimensions_has_the_distances_given(cloud):
    distances = squared(cloud)

    found = column_positions(distances, 3)

    assert_close(squared(found), distances)
    assert_close(found.mean(0), torch.zeros(3, dtype=torch.float64))


def test_a_map_of_fewer_dimensions_is_the_widest_shadow(cloud):
    centered = cloud.numpy() - cloud.numpy().mean(0)
    values = np.linalg.svd(centered, compute_uv=False)

    found = column_positions(squared(cloud), 2)

    np.testing.assert_allclose(found.square().sum(0), values[:2] ** 2)
    assert_close(found[:, 0] @ found[:, 1], torch.tensor(0.0, dtype=torch.float64))


@pytest.mark.parametrize("n_columns", [1, 2])
def test_few_columns_leave_dimensions_empty(n_columns):
    found = column_positions(torch.zeros(n_columns, n_columns), 3)

    assert found.dtype == torch.float32
    assert torch.equal(found, torch.zeros(n_columns, 3))
