"""Names of points, put where they cover neither points nor one another."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

# In typographic points, as is the radius.
_DISTANCES = (7, 16, 27, 40, 55, 72)
_DIRECTIONS = tuple(
    (np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 16, False)
)
_POINT_RADIUS = 3.6


def place_labels(
    ax: Axes,
    x: Sequence[float],
    y: Sequence[float],
    labels: Sequence[str],
    corners: np.ndarray,
    **text: Any,
) -> list[Annotation]:
    """Annotate points, each at the nearest free place around it.

    Parameters
    ----------
    ax : Axes
        With its final limits and size.
    x, y, labels : sequences
        The points and their names.
    corners : ndarray of shape (n_corners, 2)
        Of a line of horizontal and vertical pieces that names should leave free.
    **text
        Goes to ``Axes.annotate``.
    """
    renderer = ax.figure.canvas.get_renderer()
    points = ax.transData.transform(np.column_stack([x, y]))
    radius = renderer.points_to_pixels(_POINT_RADIUS)
    taken = [Bbox.from_bounds(px, py, 0, 0).padded(radius) for px, py in points]
    bends = ax.transData.transform(corners)
    taken += [
        Bbox([np.minimum(a, b), np.maximum(a, b)]).padded(1) for a, b in pairwise(bends)
    ]
    frame = ax.get_window_extent(renderer)
    notes = []
    for xi, yi, label in zip(x, y, labels, strict=True):
        note = ax.annotate(
            label,
            (xi, yi),
            xytext=(0, 0),
            textcoords="offset points",
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "#999999"},
            **text,
        )
        taken.append(_move_to_free_place(note, taken, frame, renderer))
        notes.append(note)
    return notes


def _move_to_free_place(
    note: Annotation, taken: Sequence[Bbox], frame: Bbox, renderer: Any
) -> Bbox:
    best = None
    for distance in _DISTANCES:
        for direction in _DIRECTIONS:
            _put(note, distance, direction)
            box = _extent(note, renderer)
            faults = sum(_overlap(box, other) for other in taken)
            faults += box.width * box.height - _overlap(box, frame)
            if best is None or faults < best[0] - 1e-6:
                best = faults, distance, direction
        if best[0] <= 0:
            break
    _put(note, *best[1:])
    return _extent(note, renderer)


def _extent(note: Annotation, renderer: Any) -> Bbox:
    """Return the box of the text alone, without its line."""
    note.update_positions(renderer)
    return Text.get_window_extent(note, renderer)


def _put(note: Annotation, distance: float, direction: tuple[float, float]) -> None:
    right, up = direction
    note.set_position((distance * right, distance * up))
    note.set_ha("left" if right > 0.3 else "right" if right < -0.3 else "center")
    note.set_va("bottom" if up > 0.3 else "top" if up < -0.3 else "center")


def _overlap(a: Bbox, b: Bbox) -> float:
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(width, 0.0) * max(height, 0.0)
