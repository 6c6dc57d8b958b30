"""Prototypes that share rows become one cluster."""

import numpy as np
import pytest

from sklearn_ddcl.estimators.merging import merge_prototypes, share_rows


def rings(n=160):
    """Return two rings, one around the other, and prototypes along them."""
    angles = np.linspace(0, 2 * np.pi, n, endpoint=False)
    ring = np.c_[np.cos(angles), np.sin(angles)]
    rows = np.vstack([ring, 5 * ring])
    prototypes = np.vstack([ring[:: n // 8], 5 * ring[:: n // 16]])
    squared = ((rows[:, None] - prototypes) ** 2).sum(2)
    between = ((prototypes[:, None] - prototypes) ** 2).sum(2)
    return squared, between, np.array([0] * 8 + [1] * 16)


def test_clusters_may_have_any_shape():
    squared, between, expected = rings()

    clusters = merge_prototypes(squared, between, np.ones(len(squared)), 2, seed=0)

    np.testing.assert_array_equal(clusters, expected)


@pytest.mark.parametrize("n_clusters", [24, 30])
def test_as_many_clusters_as_prototypes_leave_them_alone(n_clusters):
    squared, between, _ = rings()
    ones = np.ones(len(squared))
    clusters = merge_prototypes(squared, between, ones, n_clusters, seed=0)

    np.testing.assert_array_equal(clusters, np.arange(24))


def test_a_row_is_shared_by_its_nearest_prototypes():
    squared = np.array([[0.0, 1.0, 1.0, 4.0, 9.0, 16.0, 100.0]])

    shares = share_rows(squared)

    assert shares.sum() == pytest.approx(1.0)
    assert (np.diff(shares[0]) <= 0).all()
    assert shares[0, 1] == shares[0, 2]
    assert (shares[0, 5:] == 0).all()
    # The sixth is not shared by: as soft as it is far.
    assert shares[0, 1] / shares[0, 0] == pytest.approx(np.exp(-1 / 8))


def test_a_heavy_row_between_them_joins_prototypes():
    squared = np.array([[0.0, 9.0, 99.0, 99.0], [9.0, 0.0, 99.0, 99.0]] * 3)
    squared = np.vstack([squared, squared[:, ::-1], [[99.0, 0.5, 0.5, 99.0]]])
    light, heavy = np.ones(13), np.r_[np.ones(12), 0.0]

    apart = merge_prototypes(squared, np.ones((4, 4)), heavy, 2, seed=0)

    np.testing.assert_array_equal(apart, [0, 0, 1, 1])
    whole = merge_prototypes(squared, np.ones((4, 4)), light, 1, seed=0)
    assert whole.tolist() == [0] * 4


def test_pieces_that_share_no_rows_go_to_the_nearest_cluster():
    # Five prototypes, far from each other by what rows say, on a line.
    places = np.array([0.0, 1.0, 2.0, 50.0, 51.0])
    between = (places[:, None] - places) ** 2
    rows = np.repeat(places, 4)
    squared = (rows[:, None] - places) ** 2 * 1e6

    clusters = merge_prototypes(squared, between, np.ones(20), 2, seed=0)

    np.testing.assert_array_equal(clusters, [0, 0, 0, 1, 1])
