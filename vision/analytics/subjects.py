"""Who is in a scene: one row per object, which goes on when its tracker's number changes."""

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.tracking.kinds import kinds_of

__all__ = ["Sightings", "Subjects", "Table", "read_sightings"]

Table = NDArray[np.void]
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_NEW_VELOCITY: Final = 0.3

# A new number near to where another was lost a moment ago is the same object. Distances are between
# feet, in mean box heights; people walk at about one a second.
_REACH: Final = 0.5
_REACH_PER_SECOND: Final = 0.3
_LONGEST_REACH: Final = 1.5
_EXPECTED_SECONDS: Final = 1.0  # how long an object is expected to move on unseen
_HEIGHT_RATIO: Final = 1.6
# At the edge of the picture one leaves and another comes: there only a gap this short is none.
_EDGE: Final = 0.01
_EDGE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """The tracked objects of one frame, as columns.

    Attributes:
        ids: (N,) tracker's numbers.
        boxes: (N, 4) xyxy pixels.
        confidence: (N,); NaN where unknown.
        names: N class names.
        real: (N,) False for those whom nobody saw: their place is predicted.
        at_edge: (N,) whether the box touches the edge of the picture.
        detections: What they were read from.
    """

    ids: Rows
    boxes: Floats
    confidence: Floats
    names: list[str]
    real: NDArray[np.bool_]
    at_edge: NDArray[np.bool_]
    detections: sv.Detections

    def kinds(self, at: Rows) -> Rows:
        """Return the (A,) kinds of some of them; see `vision.tracking.kinds`."""
        return kinds_of(self.detections)[at]


def read_sightings(detections: sv.Detections, width: int, height: int) -> Sightings:
    """Return the sightings of a frame; boxes that are no numbers are left out.

    Raises:
        ValueError: There are detections without ``tracker_id``.
    """
    if len(detections) and detections.tracker_id is None:
        raise ValueError("detections need tracker_id to be watched")
    finite = np.isfinite(detections.xyxy).all(axis=1)
    if not finite.all():
        detections = cast(sv.Detections, detections[finite])
    boxes = np.asarray(detections.xyxy, np.float64).reshape(-1, 4)
    n = len(boxes)
    predicted = detections.data.get("predicted")
    edge = np.array([width, height]) * _EDGE
    at_edge = (boxes[:, :2] <= edge) | (boxes[:, 2:] >= np.array([width, height]) - edge)
    numbers: Any = [] if detections.tracker_id is None else detections.tracker_id
    return Sightings(
        ids=np.asarray(numbers, np.int64),
        boxes=boxes,
        confidence=np.full(n, np.nan)
        if detections.confidence is None
        else np.asarray(detections.confidence, np.float64),
        names=_names(detections),
        real=np.ones(n, np.bool_) if predicted is None else ~np.asarray(predicted, np.bool_),
        at_edge=at_edge[:, 0] | at_edge[:, 1],
        detections=detections,
    )


def _names(detections: sv.Detections) -> list[str]:
    names = detections.data.get("class_name")
    if names is not None:
        return [str(name) for name in names]
    classes = detections.class_id
    return [""] * len(detections) if classes is None else [str(one) for one in classes.tolist()]


class Subjects:
    """The table of objects, all their state in one array.

    Attributes:
        table: (K,) rows with fields; see ``_fields``.

    Args:
        zones: How many zones there are; the whole picture is one.
        lines: How many lines there are.
    """

    def __init__(self, zones: int, lines: int) -> None:
        self.table: Table = np.zeros(0, _fields(zones, lines))
        self._rows: dict[int, int] = {}

    def find(self, sightings: Sightings, now: float) -> Rows:
        """Return the (N,) rows of objects, -1 for those that are new.

        A new number is given to the object that was lost there, if there is one.
        """
        rows = np.array([self._rows.get(one, -1) for one in sightings.ids.tolist()], np.int64)
        new = np.flatnonzero(rows < 0)
        if len(new) and len(rows) - len(new) < len(self.table):
            self._stitch(sightings, rows, new, now)
        return rows

    def move(self, sightings: Sightings, at: Rows, rows: Rows, now: float) -> Floats:
        """Put objects where they were seen; return the (N,) seconds of their sightings before."""
        table, boxes = self.table, sightings.boxes[at]
        feet = _feet(boxes)
        before = table["placed"][rows].copy()
        step = np.maximum(now - before, 1e-3)[:, None]
        velocity = table["velocity"][rows]
        measured = (feet - table["foot"][rows]) / step
        table["velocity"][rows] = velocity + _NEW_VELOCITY * (measured - velocity)
        self._place(sightings, at, rows, now)
        return before

    def add(self, sightings: Sightings, at: Rows, now: float) -> Rows:
        """Append objects; return their rows."""
        first = len(self.table)
        self.table = np.concatenate((self.table, np.zeros(len(at), self.table.dtype)))
        rows = np.arange(first, len(self.table))
        self.table["id"][rows] = sightings.ids[at]
        self.table["kind"][rows] = sightings.kinds(at)
        self.table["best"][rows] = -1.0
        self.table["name"][rows] = [sightings.names[one] for one in at.tolist()]
        self.table["due"][rows] = np.inf
        self._place(sightings, at, rows, now)
        self._rows.update(zip(sightings.ids[at].tolist(), rows.tolist(), strict=True))
        return rows

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self.table = self.table[kept]
        self._rows = {one: row for row, one in enumerate(self.table["id"].tolist())}

    def _place(self, sightings: Sightings, at: Rows, rows: Rows, now: float) -> None:
        table, boxes = self.table, sightings.boxes[at]
        table["placed"][rows] = now
        table["box"][rows] = boxes
        table["foot"][rows] = _feet(boxes)
        table["height"][rows] = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
        table["at_edge"][rows] = sightings.at_edge[at]
        confidence = sightings.confidence[at]
        table["confidence"][rows] = confidence
        # The class of the most certain sighting: a van is now a car, now a truck.
        for one in np.flatnonzero(confidence > table["best"][rows]).tolist():
            table["best"][rows[one]] = confidence[one]
            table["name"][rows[one]] = sightings.names[at[one]]

    def _stitch(self, sightings: Sightings, rows: Rows, new: Rows, now: float) -> None:
        lost = np.ones(len(self.table), np.bool_)
        lost[rows[rows >= 0]] = False
        away = np.flatnonzero(lost)
        apart = self._apart(sightings, away, new, now)
        while np.isfinite(apart).any():
            one, other = np.unravel_index(int(np.argmin(apart)), apart.shape)
            row, number = int(away[one]), int(sightings.ids[new[other]])
            del self._rows[int(self.table["id"][row])]
            self.table["id"][row], self._rows[number] = number, row
            rows[new[other]] = row
            apart[one], apart[:, other] = np.inf, np.inf

    def _apart(self, sightings: Sightings, away: Rows, new: Rows, now: float) -> Floats:
        """Return (A, N) distances in shares of the reach; infinite where it cannot be the same."""
        lost, boxes = self.table[away], sightings.boxes[new]
        feet, heights = _feet(boxes), np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
        gap = now - lost["placed"]
        ahead = lost["foot"] + lost["velocity"] * np.minimum(gap, _EXPECTED_SECONDS)[:, None]
        steps = np.minimum(_far(lost["foot"], feet), _far(ahead, feet))
        own = lost["height"][:, None]
        reach = np.minimum(_REACH + _REACH_PER_SECOND * gap, _LONGEST_REACH)[:, None]
        share: Floats = steps / (reach * (own + heights) / 2)
        same = (share <= 1.0) & (lost["kind"][:, None] == sightings.kinds(new))
        same &= np.maximum(own, heights) <= _HEIGHT_RATIO * np.minimum(own, heights)
        gone = lost["at_edge"] & (gap > _EDGE_SECONDS)
        same &= ~(gone[:, None] & sightings.at_edge[new])
        return np.where(same, share, np.inf)


def _fields(zones: int, lines: int) -> np.dtype[np.void]:
    borders = zones + lines
    fields: list[Any] = [
        ("id", np.int64),
        ("kind", np.int64),
        ("name", object),
        ("best", np.float64),  # confidence of the sighting that named it
        ("seen", np.float64),  # seconds of the last frame with it
        ("placed", np.float64),  # seconds of the last frame in which it was not predicted
        ("box", np.float64, (4,)),
        ("foot", np.float64, (2,)),
        ("height", np.float64),
        ("velocity", np.float64, (2,)),
        ("confidence", np.float64),
        ("at_edge", np.bool_),
        # Of `vision.analytics.sides`:
        ("side", np.int8, (borders,)),
        ("wanted", np.int8, (borders,)),  # the side that is about to settle, or 0
        ("since", np.float64, (borders,)),  # seconds since when
        ("distance", np.float64, (borders,)),
        ("turned", np.float64, (borders,)),  # seconds of the last time over the border
        ("along", np.float64, (lines,)),
        ("where", np.float64, (lines,)),  # along the line, the last time over it
        # Of `vision.analytics.presence`:
        ("visitor", np.int64, (zones,)),  # the number it entered with
        ("entered", np.float64, (zones,)),
        ("due", np.float64, (zones,)),  # seconds of stay at which there is something to tell
        ("dwell", np.int64, (zones,)),  # key of the dwell, or 0
    ]
    return np.dtype(fields)


def _feet(boxes: Floats) -> Floats:
    """Return the (N, 2) bottom centres."""
    feet = boxes[:, 2:].copy()
    feet[:, 0] = (boxes[:, 0] + boxes[:, 2]) / 2
    return feet


def _far(starts: Floats, ends: Floats) -> Floats:
    apart = starts[:, None] - ends[None]
    far: Floats = np.hypot(apart[..., 0], apart[..., 1])
    return far
