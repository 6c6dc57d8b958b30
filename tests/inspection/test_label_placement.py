"""Labels hide neither each other nor markers, as long as there is space."""

import numpy as np
import pytest

from sklearn_ddcl.inspection.label_placement import group_close, place_labels

FAR = (-1e3, -1e3, 1e3, 1e3)


def boxes_of(anchors, offsets, extents):
    centers = anchors + offsets
    return np.hstack([centers - extents / 2, centers + extents / 2])


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def test_a_label_that_fits_stays_inside_its_marker():
    offsets = place_labels(
        np.zeros((1, 2)), np.array([9.0]), np.array([[8.0, 8.0]]), np.empty((0, 4)), FAR
    )

    assert offsets.tolist() == [[0, 0]]


def test_a_label_that_does_not_fit_is_beside_its_marker():
    marker = np.array([[-3.0, -3.0, 3.0, 3.0]])

    (offset,) = place_labels(
        np.zeros((1, 2)), np.array([3.0]), np.array([[10.0, 8.0]]), marker, FAR
    )

    box = boxes_of(np.zeros(2), offset, np.array([10.0, 8.0]))
    assert overlap(box, marker[0]) == 0
    assert np.abs(offset).max() < 12


def test_a_label_makes_way_for_another_marker():
    neighbor = np.array([[4.0, -6.0, 20.0, 6.0]])

    (offset,) = place_labels(
        np.zeros((1, 2)), np.array([3.0]), np.array([[10.0, 8.0]]), neighbor, FAR
    )

    box = boxes_of(np.zeros(2), offset, np.array([10.0, 8.0]))
    assert overlap(box, neighbor[0]) == 0


@pytest.mark.parametrize("seed", range(5))
def test_labels_in_a_loose_crowd_do_not_touch(seed):
    anchors = np.random.default_rng(seed).uniform(0, 300, (30, 2))
    radii, extents = np.full(30, 2.0), np.full((30, 2), 9.0)
    markers = np.hstack([anchors - 2, anchors + 2])

    offsets = place_labels(anchors, radii, extents, markers, (-20, -20, 320, 320))

    boxes = boxes_of(anchors, offsets, extents)
    shared = [overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i]]
    assert max(shared) < 9


def test_a_label_at_the_border_is_put_inside():
    bounds = (0.0, 0.0, 100.0, 100.0)
    anchors = np.array([[99.0, 99.0], [1.0, 1.0]])
    extents = np.array([[12.0, 8.0], [12.0, 8.0]])

    offsets = place_labels(
        anchors, np.array([2.0, 2.0]), extents, np.empty((0, 4)), bounds
    )

    boxes = boxes_of(anchors, offsets, extents)
    assert boxes.min() >= 0
    assert boxes.max() <= 100


def test_every_point_is_in_one_group():
    points = np.random.default_rng(0).uniform(0, 10, (40, 2))

    groups = group_close(points, np.arange(40.0), reach=1.5)

    assert sorted(i for group in groups for i in group) == list(range(40))
    for center, *others in groups:
        distances = np.hypot(*(points[others] - points[center]).T)
        assert (distances <= 1.5).all()
        assert all(other < center for other in others)
