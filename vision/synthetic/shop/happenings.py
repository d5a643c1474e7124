"""What really happens in the shop: crossings, stays and how many are where, from floor points.

Everything is worked out between the points of the visitors' ways in metres, exact to a
thousandth of a second; nothing depends on pictures, frames or what a camera could see.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.synthetic.shop.plan import FloorLine, FloorZone, View
from vision.synthetic.shop.visitors import Visitor

__all__ = ["Crossing", "Happenings", "Stay", "happenings_of", "occupancy_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Somebody crossed a counting line.

    Attributes:
        line: Its name.
        time: Seconds.
        direction: ``"forward"`` or ``"backward"``.
        person: The world's id.
    """

    line: str
    time: float
    direction: str
    person: int


@dataclass(frozen=True, slots=True)
class Stay:
    """Somebody was in a zone without a break.

    Attributes:
        zone: Its name.
        start: Seconds at which they entered.
        end: Seconds at which they left.
        person: The world's id.
        dwelt: Whether that was the zone's threshold or longer.
    """

    zone: str
    start: float
    end: float
    person: int
    dwelt: bool

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Happenings:
    """All that happens in one view, in order of time.

    Attributes:
        crossings: Of all lines.
        stays: In all zones; each is an entry and an exit, and a dwell if it ``dwelt``.
    """

    crossings: tuple[Crossing, ...]
    stays: tuple[Stay, ...]


def happenings_of(view: View, visitors: Sequence[Visitor]) -> Happenings:
    """Return what happens in a view."""
    crossings = [
        crossing for line in view.lines for one in visitors for crossing in _crossings(line, one)
    ]
    stays = [stay for zone in view.zones for one in visitors for stay in _stays(zone, one)]
    return Happenings(
        tuple(sorted(crossings, key=lambda crossing: (crossing.time, crossing.person))),
        tuple(sorted(stays, key=lambda stay: (stay.start, stay.person))),
    )


def occupancy_of(stays: Sequence[Stay], zone: str, times: Floats) -> NDArray[np.int64]:
    """Return how many are in a zone at (N,) seconds."""
    here = [stay for stay in stays if stay.zone == zone]
    starts = np.sort([stay.start for stay in here])
    ends = np.sort([stay.end for stay in here])
    inside = np.searchsorted(starts, times, "right") - np.searchsorted(ends, times, "right")
    return inside.astype(np.int64)


def _crossings(line: FloorLine, visitor: Visitor) -> list[Crossing]:
    start, along = np.array(line.start), np.array(line.end) - np.array(line.start)
    offset = visitor.points - start
    # Above 0 on the line's left as seen from above, where y goes up: that is left for the camera.
    side = along[0] * offset[:, 1] - along[1] * offset[:, 0]
    left = side > 0
    steps = np.flatnonzero(left[1:] != left[:-1])
    share = side[steps] / (side[steps] - side[steps + 1])
    where = offset[steps] + share[:, None] * (offset[steps + 1] - offset[steps])
    place = where @ along / (along @ along)
    times = visitor.times[steps] + share * (visitor.times[steps + 1] - visitor.times[steps])
    return [
        Crossing(line.name, float(time), "forward" if left[step] else "backward", visitor.person)
        for step, time, at in zip(steps.tolist(), times, place, strict=True)
        if 0 <= at <= 1
    ]


def _stays(zone: FloorZone, visitor: Visitor) -> list[Stay]:
    """Find where the way meets the polygon's edges; between these it is inside or outside."""
    corners = np.array(zone.corners)
    moments = [visitor.start, visitor.end]
    for first, second in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        moments += _meetings(visitor, first, second - first)
    cuts = np.unique(moments)
    inside = _inside(visitor.at((cuts[1:] + cuts[:-1]) / 2), corners)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    spans = cuts[edges].reshape(-1, 2).tolist()
    return [
        Stay(zone.name, start, end, visitor.person, end - start >= zone.threshold)
        for start, end in spans
    ]


def _meetings(visitor: Visitor, start: Floats, along: Floats) -> list[float]:
    """Return the seconds at which a way meets the straight line through an edge."""
    offset = visitor.points - start
    side = along[0] * offset[:, 1] - along[1] * offset[:, 0]
    steps = np.flatnonzero((side[1:] > 0) != (side[:-1] > 0))
    share = side[steps] / (side[steps] - side[steps + 1])
    times = visitor.times[steps] + share * (visitor.times[steps + 1] - visitor.times[steps])
    return [float(time) for time in times]


def _inside(points: Floats, corners: Floats) -> NDArray[np.bool_]:
    """Tell by the even-odd rule which of (N, 2) points lie in a polygon."""
    inside = np.zeros(len(points), np.bool_)
    x, y = points.T
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 == y2:
            continue
        spans = (y >= min(y1, y2)) & (y < max(y1, y2))
        inside ^= spans & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside
