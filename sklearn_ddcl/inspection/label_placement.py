"""Where labels go so that they hide neither each other nor the markers."""

import numpy as np

_ANGLES = np.deg2rad([0, 90, 180, 270, 45, 135, 225, 315])
_GAPS = (3.0, 9.0, 18.0)
_NUMBERS_PER_LINE = 4


def group_close(points: np.ndarray, sizes: np.ndarray, reach: float) -> list[list[int]]:
    """Join points that lie on top of each other, so that one label names them all.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
        Positions.
    sizes : ndarray of shape (n,)
        The largest point of each group is its center.
    reach : float
        Points at most so far from a center belong to it.

    Returns
    -------
    groups : list of list of int
        Every point once; the center comes first, the others follow in order.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 1.0]])
    >>> group_close(points, np.array([1.0, 1.0, 2.0]), reach=2.0)
    [[2, 0], [1]]
    """
    groups: list[list[int]] = []
    free = np.ones(len(points), dtype=bool)
    for center in np.argsort(-sizes, kind="stable"):
        if free[center]:
            near = np.hypot(*(points - points[center]).T) <= reach
            members = np.flatnonzero(near & free).tolist()
            members.remove(center)
            groups.append([int(center), *members])
            free[[center, *members]] = False
    return groups


def join_numbers(numbers: list[int]) -> str:
    r"""Return numbers separated by commas, a few on each line.

    Examples
    --------
    >>> join_numbers([0, 3, 6, 15, 18])
    '0, 3, 6, 15,\n18'
    """
    lines = [
        ", ".join(map(str, numbers[start : start + _NUMBERS_PER_LINE]))
        for start in range(0, len(numbers), _NUMBERS_PER_LINE)
    ]
    return ",\n".join(lines)


def text_extent(text: str, size: float) -> tuple[float, float]:
    """Return about how wide and high a text of digits is, in the unit of its size."""
    lines = text.split("\n")
    return 0.58 * size * max(map(len, lines)), 1.2 * size * len(lines)


def place_labels(
    anchors: np.ndarray,
    radii: np.ndarray,
    extents: np.ndarray,
    obstacles: np.ndarray,
    bounds: tuple[float, float, float, float],
) -> np.ndarray:
    """Choose a place beside its marker for every label, one after the other.

    Parameters
    ----------
    anchors : ndarray of shape (n, 2)
        Centers of the markers that are labeled.
    radii : ndarray of shape (n,)
        Their radii. A label that fits into its marker is put there.
    extents : ndarray of shape (n, 2)
        Width and height of the labels.
    obstacles : ndarray of shape (m, 4)
        Boxes to keep clear if possible: left, bottom, right, top.
    bounds : (left, bottom, right, top)
        Labels stay inside if possible.

    Returns
    -------
    offsets : ndarray of shape (n, 2)
        From anchor to the center of the label.
    """
    offsets = np.zeros((len(anchors), 2))
    placed = np.empty((0, 4))
    for i, (anchor, radius, extent) in enumerate(
        zip(anchors, radii, extents, strict=True)
    ):
        if np.hypot(*extent) > 2 * radius:
            candidates = _candidates(radius, extent)
            boxes = np.hstack(
                [anchor + candidates - extent / 2, anchor + candidates + extent / 2]
            )
            cost = 4 * _overlap(boxes, placed) + _overlap(boxes, obstacles)
            cost += 4 * (np.prod(extent) - _overlap(boxes, np.array([bounds])))
            cost /= np.prod(extent)
            # Of places that are equally free the nearest, the earliest angle first.
            cost += 1e-3 * np.arange(len(candidates))
            offsets[i] = candidates[cost.argmin()]
        box = [*(anchor + offsets[i] - extent / 2), *(anchor + offsets[i] + extent / 2)]
        placed = np.vstack([placed, box])
    return offsets


def _candidates(radius: float, extent: np.ndarray) -> np.ndarray:
    """Return centers of labels around a marker, rings outward, (n, 2)."""
    directions = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
    sides = np.sign(directions.round(6)) * extent / 2
    return np.vstack([directions * (radius + gap) + sides for gap in _GAPS])


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the area that each box shares with all others, summed, (n,)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return (high - low).clip(0).prod(-1).sum(-1)
