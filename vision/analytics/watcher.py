"""What happens in a scene: who enters, stays, leaves and crosses, and how many are where."""

import math
from collections.abc import Sequence
from itertools import count
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.analytics.crossings import Crossings
from vision.analytics.distances import Distances
from vision.analytics.happenings import SceneEvent
from vision.analytics.presence import Presence
from vision.analytics.regions import CountingLine, Zone, check_line, check_polygon
from vision.analytics.sides import Change, begin, note, pending, settle
from vision.analytics.subjects import Subjects, read_sightings
from vision.errors import VisionError
from vision.structures import Frame

__all__ = ["PICTURE_THRESHOLD", "SceneEvent", "SceneWatcher"]

PICTURE_THRESHOLD: Final = 10.0
"""Seconds after which a stay in a picture without zones is a dwell."""

_ROUNDING: Final = 1e-6  # seconds; sums of frame times miss a round limit by rounding alone


class SceneWatcher:
    """Turns the tracked objects of one source into events.

    An object is where its foot is, the bottom centre of its box. It changes sides of a border only
    well beyond it and for a moment, so jitter counts nothing; times are those of the border.
    Predicted boxes tell that an object is still there, but not where.

    An object that is lost is waited for as long as ``patience``; a new track of the same kind near
    to where it was lost is the same object. What is over ends at its last sighting. A time that
    goes back, a gap longer than ``patience`` and a new size of the picture end everything.

    Without zones the whole picture is one, its key None: to appear is to enter, to be gone is to
    leave.

    Args:
        zones: Where to watch.
        lines: What to count on.
        patience: Seconds after which an object that was not seen is gone, above 0. Give what
            `vision.pipeline.Pipeline.patience` says: shorter than the time between two frames,
            everybody would always be gone.

    Raises:
        RegionError: A zone or a line cannot be watched.
        VisionError: ``bad_patience``.
        ValueError: Two zones or two lines have the same key.
    """

    def __init__(
        self, zones: Sequence[Zone], lines: Sequence[CountingLine], *, patience: float
    ) -> None:
        _check(zones, lines, patience)
        self._zones, self._lines = tuple(zones), tuple(lines)
        self._patience = patience
        names: list[str | None] = [zone.key for zone in zones] or [None]
        thresholds = [zone.threshold for zone in zones] or [PICTURE_THRESHOLD]
        keys = count(1)
        self._columns = len(names)
        self._presence = Presence(names, thresholds, keys)
        self._crossings = Crossings([line.key for line in lines], first=self._columns, keys=keys)
        self._subjects = Subjects(self._columns, len(lines))
        self._size = (0, 0)
        self._last: float | None = None

    @property
    def occupancy(self) -> dict[str | None, int]:
        """How many objects are in each zone now, by its key; None is the whole picture.

        Also those that were lost less than ``patience`` ago.
        """
        return self._presence.occupancy

    def update(self, detections: sv.Detections, frame: Frame) -> list[SceneEvent]:
        """Take the objects of the next frame; return what has happened.

        Args:
            detections: Tracked, with ``tracker_id``; ``data["predicted"]`` marks boxes that nobody
                saw. Boxes that are no numbers are ignored.
            frame: Its timestamp counts; one that is no number is that of the frame before.

        Raises:
            ValueError: There are detections without ``tracker_id``.
        """
        sightings = read_sightings(detections, frame.width, frame.height)
        now = self._now(frame.timestamp)
        events = self._fit(now, (frame.width, frame.height))
        events += self._expire(now)
        subjects = self._subjects
        fresh = subjects.table["seen"] == self._last
        # What the sightings before said holds until now; what it means is told with today's boxes.
        changes = settle(subjects.table, fresh, now)
        rows = subjects.find(sightings, now)
        known = np.flatnonzero((rows >= 0) & sightings.real)
        if len(known):
            before = subjects.move(sightings, known, rows[known], now)
            note(subjects.table, rows[known], self._distances, before, now)
        new = np.flatnonzero(rows < 0)
        if len(new):
            rows[new] = subjects.add(sightings, new, now)
            begin(subjects.table, rows[new], self._distances, now)
        subjects.table["seen"][rows] = now
        events += [event for change in changes for event in self._tell(change)]
        events += self._presence.dwells(subjects.table, now)
        events += self._presence.count(subjects.table, now)
        self._last = now
        return events

    def finish(self) -> list[SceneEvent]:
        """End everything that goes on, each at its last sighting; forget everybody.

        For a cut, a change of the configuration and the end of the source. The watcher may go on
        with another time line.
        """
        everybody = np.ones(len(self._subjects.table), np.bool_)
        events = self._end(everybody)
        if self._last is not None:
            events += self._presence.count(self._subjects.table, self._last)
        self._last = None
        return events

    def _now(self, timestamp: float) -> float:
        if math.isfinite(timestamp):
            return timestamp
        return 0.0 if self._last is None else self._last

    def _fit(self, now: float, size: tuple[int, int]) -> list[SceneEvent]:
        """End everything where this frame does not go on from the one before."""
        goes_on = self._last is None or now >= self._last
        if goes_on and size == self._size:
            return []
        events = self.finish()
        if size != self._size:
            self._size = size
            self._distances = Distances(self._zones, self._lines, *size)
        return events

    def _expire(self, now: float) -> list[SceneEvent]:
        gone = now - self._subjects.table["seen"] > self._patience + _ROUNDING
        return self._end(gone) if gone.any() else []

    def _end(self, gone: NDArray[np.bool_]) -> list[SceneEvent]:
        """Let objects go that are not seen any more."""
        table = self._subjects.table
        changes = pending(table, np.flatnonzero(gone))
        # Whoever was last seen beyond a border is beyond it; whoever touched a zone was not in it.
        told = [one for one in changes if one.region >= self._columns or one.after < 0]
        for change in told:
            table["side"][change.row, change.region] = change.after
        events = [event for change in told for event in self._tell(change)]
        inside = (table["side"][:, : self._columns] > 0) & gone[:, None]
        for row, zone in np.argwhere(inside).tolist():
            events += self._presence.leave(table, row, zone, float(table["seen"][row]))
        self._subjects.keep(~gone)
        return events

    def _tell(self, change: Change) -> list[SceneEvent]:
        if change.region < self._columns:
            return self._presence.tell(self._subjects.table, change)
        return self._crossings.tell(self._subjects.table, change)


def _check(zones: Sequence[Zone], lines: Sequence[CountingLine], patience: float) -> None:
    for zone in zones:
        check_polygon(zone.polygon)
    for line in lines:
        check_line((line.start, line.end))
    if not (math.isfinite(patience) and patience > 0):
        raise VisionError("bad_patience", f"A watcher waits for some seconds, not for {patience}.")
    for keys in ([zone.key for zone in zones], [line.key for line in lines]):
        if len(set(keys)) < len(keys):
            raise ValueError(f"keys must differ, but are {keys}")
