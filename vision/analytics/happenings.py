"""The events of a scene."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Box", "Direction", "Keys", "Kind", "Phase", "SceneEvent"]

Kind = Literal["entry", "exit", "dwell", "crossing", "occupancy"]
Phase = Literal["start", "update", "end"]
Direction = Literal["", "forward", "backward"]
Box = tuple[float, float, float, float]
Keys = Iterator[int]
"""Numbers for events, none of them twice."""


@dataclass(frozen=True, slots=True)
class SceneEvent:
    """Something that has happened, or still goes on.

    Attributes:
        key: The same for start, updates and end of one event; unique in its watcher.
        kind: What it is.
        phase: Entries, exits and crossings come once, as ``"end"``.
        region: Key of the zone or the line; None is the whole picture.
        direction: Of a crossing; else empty.
        track_id: Of the object; None of an occupancy. Entry, dwell and exit of one visit carry the
            number that the object had when it entered.
        class_name: Of the object's most certain sighting; empty of an occupancy.
        start: Seconds of the source; of an entry, an exit and a crossing the moment itself.
        end: Seconds of the source; None while it goes on.
        value: Of a dwell its seconds so far, of an occupancy the most objects at once; else None.
        box: xyxy pixels of the object when it was noticed; None of an occupancy.
        confidence: 0..1 of the object when it was noticed; None where unknown.
    """

    key: int
    kind: Kind
    phase: Phase
    region: str | None
    direction: Direction
    track_id: int | None
    class_name: str
    start: float
    end: float | None
    value: float | None
    box: Box | None
    confidence: float | None
