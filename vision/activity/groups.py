"""Groups: people who meet, and people who crowd."""

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.activity.people import find_people

__all__ = ["GroupEvent", "GroupFinder", "GroupSettings"]

Floats = NDArray[np.float64]

_SPEED_WINDOW = 1.0  # seconds
_GAP = 1.0  # seconds without a group that do not end it


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What makes a group. Distances are mean body heights of the two people, between their feet.

    Attributes:
        meeting_distance: Who meets is no further apart.
        meeting_seconds: A meeting lasts at least so long.
        meeting_speed: Body heights per second; who is faster passes by.
        crowd_size: A crowd has at least so many people.
        crowd_distance: They are no further from the one in their middle.
        crowd_seconds: A crowd lasts at least so long.
    """

    meeting_distance: float = 1.0
    meeting_seconds: float = 3.0
    meeting_speed: float = 0.3
    crowd_size: int = 5
    crowd_distance: float = 2.0
    crowd_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class GroupEvent:
    """A group that has ended.

    Attributes:
        label: ``"meeting"`` or ``"crowding"``.
        track_ids: Who was in it for half of the least duration or more, ascending.
        start: Seconds.
        end: Seconds.
        confidence: 0.6..1, by how much of the time it was seen and how long it was.
        reason: A sentence fragment.
    """

    label: str
    track_ids: tuple[int, ...]
    start: float
    end: float
    confidence: float
    reason: str


@dataclass(slots=True)
class _Group:
    label: str
    start: float
    end: float
    seen: float = 0.0  # seconds
    present: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    now: frozenset[int] = frozenset()
    largest: int = 0


class GroupFinder:
    """Follows groups from frame to frame.

    Args:
        settings: What makes a group.
    """

    def __init__(self, settings: GroupSettings) -> None:
        self._settings = settings
        self._past: dict[int, deque[tuple[float, float, float]]] = {}
        self._groups: list[_Group] = []
        self._last: float | None = None

    def add(self, detections: sv.Detections, now: float) -> list[GroupEvent]:
        """Take the tracked people of a frame; return the groups that have ended."""
        step = 0.0 if self._last is None else max(0.0, now - self._last)
        self._last = now
        ids, feet, heights = _positions(detections)
        speeds = self._speeds(ids, feet, heights, now)
        for label, members in self._find(ids, feet, heights, speeds):
            self._extend(label, members, now, step)
        patience = max(_GAP, 1.01 * step)
        over = [group for group in self._groups if now - group.end > patience]
        self._groups = [group for group in self._groups if now - group.end <= patience]
        return self._events(over)

    def finish(self) -> list[GroupEvent]:
        """End every group and forget everybody."""
        over, self._groups, self._last = self._groups, [], None
        self._past.clear()
        return self._events(over)

    def _speeds(self, ids: Sequence[int], feet: Floats, heights: Floats, now: float) -> Floats:
        """Return body heights per second over the last second, and remember where people are."""
        for gone in [key for key, past in self._past.items() if now - past[-1][0] > _GAP * 3]:
            del self._past[gone]
        speeds = np.zeros(len(ids))
        for row, track in enumerate(ids):
            past = self._past.setdefault(track, deque())
            past.append((now, float(feet[row, 0]), float(feet[row, 1])))
            while len(past) > 2 and past[1][0] <= now - _SPEED_WINDOW:
                past.popleft()
            time, x, y = past[0]
            way = math.hypot(feet[row, 0] - x, feet[row, 1] - y)
            # Over less than half a second it is the jitter of boxes that would be measured.
            speeds[row] = way / heights[row] / max(now - time, 0.5)
        return speeds

    def _find(
        self, ids: Sequence[int], feet: Floats, heights: Floats, speeds: Floats
    ) -> list[tuple[str, frozenset[int]]]:
        if len(ids) < 2:
            return []
        settings = self._settings
        distances = np.hypot(*(feet[:, None] - feet[None]).transpose(2, 0, 1))
        distances /= (heights[:, None] + heights[None]) / 2
        slow = speeds <= settings.meeting_speed
        near = (distances <= settings.meeting_distance) & slow[:, None] & slow[None]
        close = distances <= settings.crowd_distance
        crowded = np.flatnonzero(close.sum(axis=1) >= settings.crowd_size)
        around = close & np.isin(np.arange(len(ids)), crowded)[:, None]
        found = [("meeting", part) for part in _components(near)]
        found += [("crowding", part) for part in _components(around | around.T)]
        return [(label, frozenset(ids[row] for row in part)) for label, part in found]

    def _extend(self, label: str, members: frozenset[int], now: float, step: float) -> None:
        """Let a group go on, or begin one; groups that come together become one."""
        same = [one for one in self._groups if one.label == label and len(one.now & members) >= 2]
        if not same:
            same = [_Group(label, now, now)]
            self._groups.append(same[0])
        group = same[0]
        for other in same[1:]:
            self._groups.remove(other)
            group.start = min(group.start, other.start)
            for track, seconds in other.present.items():
                group.present[track] = max(group.present[track], seconds)
        if group.largest:  # what has just begun has not been seen for a step yet
            group.seen += step
            for track in members:
                group.present[track] += step
        group.end, group.now = now, members
        group.largest = max(group.largest, len(members))

    def _events(self, groups: Iterable[_Group]) -> list[GroupEvent]:
        events = [self._event(group) for group in groups]
        return [event for event in events if event is not None]

    def _event(self, group: _Group) -> GroupEvent | None:
        settings, lasted = self._settings, group.end - group.start
        crowd = group.label == "crowding"
        least = settings.crowd_seconds if crowd else settings.meeting_seconds
        stayed = [track for track, seconds in group.present.items() if seconds >= least / 2]
        if lasted < least - 1e-6 or len(stayed) < 2:
            return None
        if crowd:
            reason = f"up to {group.largest} people close together for {lasted:.1f} s"
        else:
            reason = (
                f"{len(stayed)} people within {settings.meeting_distance:g} body heights, "
                f"hardly moving, for {lasted:.1f} s"
            )
        share = min(1.0, group.seen / max(lasted, 1e-6))
        confidence = share * (0.65 + 0.3 * min(1.0, (lasted - least) / (2 * least)))
        if confidence < 0.6:
            return None
        return GroupEvent(
            group.label, tuple(sorted(stayed)), group.start, group.end, confidence, reason
        )


def _positions(detections: sv.Detections) -> tuple[list[int], Floats, Floats]:
    """Return the tracks of people, (N, 2) their feet and (N,) their heights in pixels."""
    people = find_people(detections)
    boxes = detections.xyxy[[one.row for one in people]].astype(np.float64).reshape(-1, 4)
    feet = np.stack(((boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]), axis=1)
    return [one.track_id for one in people], feet, np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)


def _components(near: NDArray[np.bool_]) -> list[list[int]]:
    """Return the connected parts of two and more rows of a symmetric relation."""
    left = set(np.flatnonzero(near.sum(axis=1) > 1).tolist())
    parts = []
    while left:
        part, border = set(), {left.pop()}
        while border:
            part |= border
            reached = np.flatnonzero(near[list(border)].any(axis=0)).tolist()
            border = set(reached) - part
        left -= part
        if len(part) > 1:
            parts.append(sorted(part))
    return parts
