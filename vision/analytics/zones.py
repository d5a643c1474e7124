"""Which points lie in a polygon, for millions of points at once."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["in_polygons", "points_in_polygon"]

# Points of one pass: a handful of arrays of this length stay in the processor's cache.
_CHUNK: Final = 16_384


def points_in_polygon(points: NDArray[Any], polygon: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which points lie inside a polygon (even-odd rule).

    Left and upper boundaries belong to the polygon, right and lower ones do not, so polygons that
    share an edge never share a point. A polygon that crosses itself has holes where it covers
    twice.

    Args:
        points: (N, 2) x, y.
        polygon: (M, 2) corners in order, not closed (closing it does no harm).

    Returns:
        (N,) bool; False for points that are not finite, and for fewer than three corners.

    Raises:
        ValueError: A shape is wrong.
    """
    corners = np.asarray(polygon, np.float64)
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 2 or corners.ndim != 2 or corners.shape[1] != 2:
        raise ValueError(f"points and corners are (N, 2), not {points.shape} and {corners.shape}")
    inside = np.zeros(len(points), np.bool_)
    if len(corners) < 3 or not np.isfinite(corners).all():
        return inside
    for start in range(0, len(points), _CHUNK):
        part = points[start : start + _CHUNK]
        near = np.flatnonzero(_near(part, corners))
        if len(near):
            inside[start + near] = _winding(part[near].astype(np.float64), corners)
    return inside


def in_polygons(points: NDArray[Any], polygons: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """Tell for each of P polygons which of (N, 2) points lie inside: (P, N) bool."""
    answers = [points_in_polygon(points, polygon) for polygon in polygons]
    return np.array(answers, np.bool_).reshape(len(polygons), len(points))


def _near(points: NDArray[Any], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which points lie in the box around the corners; half-open, as the polygon is."""
    x, y = points[:, 0], points[:, 1]
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    near: NDArray[np.bool_] = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    return near


def _winding(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Count the edges to the right of each point: odd is inside."""
    x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    inside = np.zeros(len(x), np.bool_)
    above = [y >= corner for corner in corners[:, 1].tolist()]
    for at in range(len(corners)):
        after = (at + 1) % len(corners)
        low, high = (at, after) if corners[at, 1] <= corners[after, 1] else (after, at)
        if corners[low, 1] == corners[high, 1]:
            continue
        (x1, y1), (dx, dy) = corners[low].tolist(), (corners[high] - corners[low]).tolist()
        # Every edge is taken from low to high: one that two polygons share rounds the same way.
        left_of_edge = (x - x1) * dy < (y - y1) * dx
        inside ^= (above[at] ^ above[after]) & left_of_edge
    return inside
