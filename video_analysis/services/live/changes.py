"""What is on its way into the database."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True, eq=False)
class EventChange:
    """An event as it is now, whole: written later or twice, it is the same row.

    Attributes:
        id: Of the event's row.
        jpeg: Its picture, with its first change; shared by all events of a frame.
        picture: Where the picture is stored, once it is.
        noticed: Monotonic seconds; says whether the camera was ours then.
    """

    id: uuid.UUID
    camera_id: int
    kind: str
    start: datetime
    end: datetime | None
    zone_id: int | None = None
    line_id: int | None = None
    place: str = ""
    direction: str = ""
    label: str = ""
    track: uuid.UUID | None = None
    track_number: int | None = None
    value: float | None = None
    confidence: float | None = None
    box: list[float] | None = None
    jpeg: bytes | None = field(default=None, repr=False)
    picture: str = ""
    noticed: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class ClosedEvents:
    """All events of a camera that still go on are over: whoever looked at it is gone.

    Attributes:
        at: The last sign of life of whoever looked.
    """

    camera_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class TrackRow:
    """A track that has ended; its trajectory lies in the chunk."""

    id: uuid.UUID
    number: int
    class_name: str
    start: datetime
    end: datetime
    points: int
    confidence: float


@dataclass(frozen=True, slots=True)
class TrackBatch:
    """Tracks that have ended one after the other, and their trajectories as one blob."""

    camera_id: int
    start: datetime
    end: datetime
    width: int
    height: int
    points: int
    data: bytes = field(repr=False)
    tracks: Sequence[TrackRow]
    noticed: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Release:
    """A camera is given back, after all that was seen of it has been written."""

    camera_id: int


Change = EventChange | ClosedEvents | TrackBatch | Release


@dataclass(frozen=True, slots=True)
class StateRow:
    """How a camera goes, for its row; the fields are those of `CameraState`."""

    camera_id: int
    fields: dict[str, Any]
