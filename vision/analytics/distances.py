"""How far points are from the borders of zones and from lines, all of them in one pass."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.analytics.regions import CountingLine, Zone

__all__ = ["EVERYWHERE", "Distances"]

Floats = NDArray[np.float64]

EVERYWHERE: Final = 1e9
"""Pixels from the border of the whole picture, which nobody crosses."""

# Who is nearer to a border than this share of their height may be on either side of it. Feet
# wander by some hundredths of it while people stand.
_ZONE_BAND: Final = 0.05
_LINE_BAND: Final = 0.12
_LEAST_BAND: Final = 2.0  # pixels; boxes of far people are no more exact than that
# Of the mean half width of a zone: in a narrow one somebody must be able to stand, too.
_MOST_OF_ZONE: Final = 0.5
# An edge this near to the picture's, as a share of the picture, is meant to lie on it.
_AT_BORDER: Final = 0.005


class Distances:
    """Signed distances in pixels for pictures of one size.

    Columns are the zones, or the whole picture where there are none, then the lines. A distance is
    above 0 inside a zone, and on the right of a line, its side when looking from start to end.

    A zone that reaches the edge of the picture goes on beyond it: whose feet are cut off by the
    edge is well inside.

    Args:
        zones: As they were checked.
        lines: As they were checked.
        width: Of the picture in pixels.
        height: Of the picture in pixels.
    """

    def __init__(
        self, zones: Sequence[Zone], lines: Sequence[CountingLine], width: int, height: int
    ) -> None:
        size = np.array([width, height], np.float64)
        self._zones = len(zones)
        self._shares = np.array([_ZONE_BAND] * max(len(zones), 1) + [_LINE_BAND] * len(lines))
        self._most = np.full(len(self._shares), np.inf)
        for at, zone in enumerate(zones):
            self._most[at] = _MOST_OF_ZONE * _half_width(np.asarray(zone.polygon) * size)
        self._take_edges([_beyond_border(np.asarray(zone.polygon)) * size for zone in zones])
        self._starts = np.array([line.start for line in lines]).reshape(-1, 2) * size
        along = np.array([line.end for line in lines]).reshape(-1, 2) * size - self._starts
        lengths = np.hypot(along[:, 0], along[:, 1])[:, None]
        self._directions = along / lengths
        self._along = along / lengths**2

    def measure(self, points: Floats) -> Floats:
        """Return the (N, R) distances of (N, 2) points in pixels."""
        columns = [self._to_zones(points)] if self._zones else []
        if not self._zones:
            columns.append(np.full((len(points), 1), EVERYWHERE))
        if len(self._starts):
            x, y = self._from_starts(points)
            columns.append(self._directions[:, 0] * y - self._directions[:, 1] * x)
        return np.concatenate(columns, axis=1)

    def along(self, points: Floats) -> Floats:
        """Return (N, L) where along each line points are: 0 is beside its start, 1 its end."""
        x, y = self._from_starts(points)
        share: Floats = x * self._along[:, 0] + y * self._along[:, 1]
        return share

    def bands(self, heights: Floats) -> Floats:
        """Return (N, R) pixels from a border within which the side is uncertain.

        Args:
            heights: (N,) of the objects in pixels.
        """
        bands = np.maximum(heights[:, None] * self._shares, _LEAST_BAND)
        capped: Floats = np.minimum(bands, self._most)
        return capped

    def _from_starts(self, points: Floats) -> tuple[Floats, Floats]:
        return points[:, :1] - self._starts[:, 0], points[:, 1:] - self._starts[:, 1]

    def _take_edges(self, polygons: Sequence[Floats]) -> None:
        """Lay the edges of all zones one after the other."""
        counts = [len(polygon) for polygon in polygons]
        self._firsts = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)
        begin = np.concatenate([np.empty((0, 2)), *polygons])
        end = np.concatenate([np.empty((0, 2)), *(np.roll(one, -1, 0) for one in polygons)])
        way = end - begin
        self._x, self._y, self._end_y = begin[:, 0], begin[:, 1], end[:, 1]
        self._dx, self._dy = way[:, 0], way[:, 1]
        self._inverse = 1.0 / np.maximum(self._dx**2 + self._dy**2, 1e-12)
        # Of level edges, which no level ray crosses, any slope will do.
        self._slope = self._dx / np.where(self._dy == 0, 1.0, self._dy)

    def _to_zones(self, points: Floats) -> Floats:
        x, y = points[:, :1] - self._x, points[:, 1:] - self._y
        share = np.clip((x * self._dx + y * self._dy) * self._inverse, 0.0, 1.0)
        squares = (x - share * self._dx) ** 2 + (y - share * self._dy) ** 2
        distance = np.sqrt(np.minimum.reduceat(squares, self._firsts, axis=1))
        crossed = ((y >= 0) != (points[:, 1:] >= self._end_y)) & (x < y * self._slope)
        inside = np.add.reduceat(crossed, self._firsts, axis=1, dtype=np.int64) & 1
        signed: Floats = np.where(inside == 1, distance, -distance)
        return signed


def _half_width(polygon: Floats) -> float:
    """Return area over circumference: half the width of a strip, and a quarter of a square's."""
    ends = np.roll(polygon, -1, axis=0)
    area = abs(float((polygon[:, 0] * ends[:, 1] - polygon[:, 1] * ends[:, 0]).sum())) / 2
    return area / float(np.hypot(*(ends - polygon).T).sum())


def _beyond_border(polygon: Floats) -> Floats:
    """Push edges that lie on the picture's border a picture's size outwards."""
    ends = np.roll(polygon, -1, axis=0)
    low = (polygon <= _AT_BORDER) & (ends <= _AT_BORDER)
    high = (polygon >= 1 - _AT_BORDER) & (ends >= 1 - _AT_BORDER)
    pushes = high.astype(np.float64) - low
    if not pushes.any() or (pushes == pushes[0]).all():
        return polygon
    corners: list[Floats] = []
    for corner, before, after in zip(polygon, np.roll(pushes, 1, axis=0), pushes, strict=True):
        if before.any() and after.any():
            corners.append(corner + np.clip(before + after, -1, 1))
        elif before.any():
            corners += [corner + before, corner]
        elif after.any():
            corners += [corner, corner + after]
        else:
            corners.append(corner)
    return np.array(corners)
