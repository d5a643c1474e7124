"""From what happens in a scene to the rows that tell of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from video_analysis.services.live.changes import EventChange
from video_analysis.services.live.setups import CameraSetup, Place
from vision.analytics.watcher import SceneEvent
from vision.structures import Frame

TrackId = Callable[[int], uuid.UUID]


class EventMapper:
    """Gives the events of one watcher their rows.

    Args:
        setup: Names the places.
        track_id: Returns the id of a track's row.
    """

    def __init__(self, setup: CameraSetup, track_id: TrackId) -> None:
        self._setup = setup
        self._track_id = track_id
        self._open: dict[int, tuple[uuid.UUID, datetime, uuid.UUID | None]] = {}

    def rename(self, setup: CameraSetup) -> None:
        """Take other names of the same places."""
        self._setup = setup

    def changes(
        self, events: Sequence[SceneEvent], frame: Frame, *, noticed: float, jpeg: bytes | None
    ) -> list[EventChange]:
        """Return the rows of events.

        Args:
            events: Of the frame.
            frame: Tells what time it was.
            noticed: Monotonic seconds of the frame.
            jpeg: The frame for those of them that have begun.
        """
        return [self._change(event, frame, noticed, jpeg) for event in events]

    def _change(
        self, event: SceneEvent, frame: Frame, noticed: float, jpeg: bytes | None
    ) -> EventChange:
        known = self._open.get(event.key)
        if known is None:
            track = None if event.track_id is None else self._track_id(event.track_id)
            known = (uuid.uuid4(), _moment(event.start, frame), track)
        else:
            jpeg = None  # it has its picture
        if event.phase == "end":
            self._open.pop(event.key, None)
        else:
            self._open[event.key] = known
        row_id, start, track = known
        zone, line = self._places(event)
        place = zone or line
        return EventChange(
            id=row_id,
            camera_id=self._setup.id,
            kind=event.kind,
            start=start,
            end=None if event.end is None else max(start, _moment(event.end, frame)),
            zone_id=zone.id if zone else None,
            line_id=line.id if line else None,
            place=place.name if place else "",
            direction=line.directions.get(event.direction, "") if line else "",
            label=event.class_name,
            track=track,
            track_number=event.track_id,
            value=None if event.value is None else round(float(event.value), 2),
            confidence=None if event.confidence is None else round(float(event.confidence), 3),
            box=None if event.box is None else share_of(event.box, frame),
            jpeg=jpeg,
            noticed=noticed,
        )

    def _places(self, event: SceneEvent) -> tuple[Place | None, Place | None]:
        if event.region is None:
            return None, None
        if event.kind == "crossing":
            return None, self._setup.line_places.get(event.region)
        return self._setup.zone_places.get(event.region), None


def begins(event: SceneEvent) -> bool:
    """Tell whether an event is told for the first time."""
    return event.phase == "start" or event.kind in ("entry", "exit", "crossing")


def share_of(box: Sequence[float], frame: Frame) -> list[float]:
    """Return x, y, width, height as shares of the picture."""
    x1, y1, x2, y2 = (float(value) for value in box)
    left, top = x1 / frame.width, y1 / frame.height
    return [
        round(left, 4),
        round(top, 4),
        round(x2 / frame.width - left, 4),
        round(y2 / frame.height - top, 4),
    ]


def _moment(seconds: float, frame: Frame) -> datetime:
    return frame.wall_clock + timedelta(seconds=seconds - frame.timestamp)
