"""Zones and counting lines as people draw them: shares of the picture, checked before use."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vision.errors import VisionError

__all__ = [
    "FEWEST_POINTS",
    "LEAST_AREA",
    "LEAST_LENGTH",
    "MOST_POINTS",
    "CountingLine",
    "RegionError",
    "Zone",
    "check_line",
    "check_polygon",
]

FEWEST_POINTS: Final = 3
MOST_POINTS: Final = 64
LEAST_AREA: Final = 0.0005
"""Of the picture's area: a square of about 12 x 12 pixels at 640 x 480."""
LEAST_LENGTH: Final = 0.02
"""Of the picture's sides: about 13 pixels along a side of 640."""

# Whatever is nearer touches: half a pixel along a side of 1,000.
_TOUCH: Final = 5e-4

Floats = NDArray[np.float64]


class RegionError(VisionError):
    """A zone or a line that cannot be watched.

    Codes: ``not_numbers``, ``too_few_points``, ``too_many_points``, ``outside``,
    ``crossing_edges`` (also edges that touch and points that lie on each other), ``no_area`` and
    ``too_short``.
    """


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """A part of the picture that objects enter, stay in and leave.

    Attributes:
        key: Names it in events; unique among the zones of a camera.
        polygon: (M, 2) corners x, y in order, shares 0..1 of the picture; see `check_polygon`.
        threshold: Seconds after which a stay is a dwell; 0 and more.
    """

    key: str
    polygon: Floats
    threshold: float


@dataclass(frozen=True, slots=True)
class CountingLine:
    """A line whose crossings count; its ends are shares 0..1 of the picture.

    Forward is from its left to its right side, as somebody sees it who looks along the line from
    start to end in the picture. Of a line drawn from left to right, left is up: forward is down.

    Attributes:
        key: Names it in events; unique among the lines of a camera.
        start: x, y.
        end: x, y.
    """

    key: str
    start: tuple[float, float]
    end: tuple[float, float]


def check_polygon(points: Any) -> None:
    """Refuse what is no zone.

    Args:
        points: 3 to 64 corners x, y in order, shares 0..1 of the picture; the last joins the first.

    Raises:
        RegionError: With a sentence that says what to change.
    """
    corners = _read(points)
    if len(corners) < FEWEST_POINTS:
        raise RegionError(
            "too_few_points",
            f"A zone needs at least {FEWEST_POINTS} points, but this one has {len(corners)}.",
        )
    if len(corners) > MOST_POINTS:
        raise RegionError(
            "too_many_points",
            f"A zone has at most {MOST_POINTS} points, but this one has {len(corners)}.",
        )
    _check_inside(corners)
    _check_edges(corners)
    # Below a pixel or two nobody could ever stand in it.
    if _area(corners) < LEAST_AREA:
        raise RegionError("no_area", "This zone is too small to watch: draw it larger.")


def check_line(points: Any) -> None:
    """Refuse what is no counting line.

    Args:
        points: Start and end x, y, shares 0..1 of the picture.

    Raises:
        RegionError: With a sentence that says what to change.
    """
    ends = _read(points)
    if len(ends) != 2:
        few = len(ends) < 2
        raise RegionError(
            "too_few_points" if few else "too_many_points",
            f"A line has two points, where it starts and where it ends, but not {len(ends)}.",
        )
    _check_inside(ends)
    if math.dist(ends[0], ends[1]) < LEAST_LENGTH:
        raise RegionError("too_short", "This line is too short to count on: draw it longer.")


def _read(points: Any) -> Floats:
    """Return (M, 2) finite numbers."""
    if isinstance(points, np.ndarray):
        points = points.tolist()
    if not isinstance(points, Sequence) or isinstance(points, str | bytes):
        raise _not_numbers("Points are a list of pairs [x, y].")
    return np.array([_pair(at, point) for at, point in enumerate(points, 1)]).reshape(-1, 2)


def _pair(at: int, point: Any) -> tuple[float, float]:
    if isinstance(point, str | bytes) or not isinstance(point, Sequence) or len(point) != 2:
        raise _not_numbers(f"Point {at} is no pair [x, y].")
    x, y = point
    if not (_is_number(x) and _is_number(y)):
        raise _not_numbers(f"Point {at} has coordinates that are no numbers.")
    return float(x), float(y)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # whole numbers of hundreds of digits
        return False


def _not_numbers(sentence: str) -> RegionError:
    return RegionError("not_numbers", sentence)


def _check_inside(points: Floats) -> None:
    outside = np.flatnonzero(((points < 0) | (points > 1)).any(axis=1))
    if len(outside):
        raise RegionError(
            "outside",
            f"Point {outside[0] + 1} lies outside of the picture: coordinates are shares from 0 "
            "to 1.",
        )


def _check_edges(corners: Floats) -> None:
    """Refuse edges that meet anywhere but at the corner that they share."""
    count = len(corners)
    apart = np.hypot(*(corners[:, None] - corners[None]).transpose(2, 0, 1))
    first, second = np.nonzero(np.triu(apart < _TOUCH, 1))
    if len(first):
        raise RegionError(
            "crossing_edges",
            f"Points {first[0] + 1} and {second[0] + 1} lie on each other: move or remove one.",
        )
    ends = np.roll(corners, -1, axis=0)
    edge, corner = np.nonzero(_near(corners, corners, ends) < _TOUCH)
    # An edge's own ends lie on it.
    foreign = (corner != edge) & (corner != (edge + 1) % count)
    if foreign.any():
        at, on = corner[foreign][0] + 1, edge[foreign][0] + 1
        raise RegionError(
            "crossing_edges",
            f"Point {at} lies on the edge after point {on}: edges may not touch; move it away.",
        )
    one, other = np.nonzero(np.triu(_cross(corners, ends), 1))
    if len(one):
        raise RegionError(
            "crossing_edges",
            f"The edges after points {one[0] + 1} and {other[0] + 1} cross: put the points in "
            "order around the zone.",
        )


def _near(points: Floats, starts: Floats, ends: Floats) -> Floats:
    """Return the (E, M) distances of points from edges."""
    along = ends - starts
    offset = points[None] - starts[:, None]
    share = (offset * along[:, None]).sum(axis=2) / (along * along).sum(axis=1)[:, None]
    gap = offset - np.clip(share, 0.0, 1.0)[..., None] * along[:, None]
    distance: Floats = np.hypot(gap[..., 0], gap[..., 1])
    return distance


def _cross(starts: Floats, ends: Floats) -> NDArray[np.bool_]:
    """Tell (E, E) which edges cross each other within both."""

    def sides(points: Floats) -> Floats:
        along = (ends - starts)[:, None]
        offset = points[None] - starts[:, None]
        side: Floats = along[..., 0] * offset[..., 1] - along[..., 1] * offset[..., 0]
        return side

    parted = sides(starts) * sides(ends) < 0
    crossing: NDArray[np.bool_] = parted & parted.T
    return crossing


def _area(corners: Floats) -> float:
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
