"""Intervals of activities: who did what, from when to when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import supervision as sv

from vision.activity.groups import GroupEvent, GroupFinder, GroupSettings
from vision.activity.types import UNSURE, ActivityState
from vision.structures import Frame

__all__ = ["ActivityEvent", "ActivityEvents"]

_SAME = 0.02  # of two reasons about as certain, the later one tells more


@dataclass(frozen=True, slots=True)
class ActivityEvent:
    """Something that people did for a while.

    Attributes:
        kind: ``"activity"`` of one person, or ``"group"``.
        label: An activity, or ``"meeting"`` or ``"crowding"``.
        track_ids: Who took part, ascending.
        start: Seconds of the source.
        end: Seconds of the source, not before ``start``.
        confidence: 0..1, the mean over the interval.
        reason: The most certain moment's reason.
    """

    kind: Literal["activity", "group"]
    label: str
    track_ids: tuple[int, ...]
    start: float
    end: float
    confidence: float
    reason: str


@dataclass(slots=True)
class _Interval:
    state: ActivityState
    start: float
    end: float
    confidences: list[float] = field(default_factory=list)

    def extend(self, state: ActivityState, now: float) -> None:
        self.end = now
        self.confidences.append(state.confidence)
        if state.confidence >= self.state.confidence - _SAME:
            self.state = state


class ActivityEvents:
    """Turns states into intervals, per track and label, and adds the events of groups.

    Args:
        join: Seconds; an interruption shorter than this does not end an interval.
        minimum: Seconds; shorter intervals are no events.
        groups: What makes a group.
    """

    def __init__(
        self, *, join: float = 0.5, minimum: float = 0.5, groups: GroupSettings | None = None
    ) -> None:
        self._join = join
        self._minimum = minimum
        self._open: dict[tuple[int, str], _Interval] = {}
        self._groups = GroupFinder(groups or GroupSettings())
        self._last: float | None = None

    def add(
        self, states: Sequence[ActivityState], detections: sv.Detections, frame: Frame
    ) -> list[ActivityEvent]:
        """Take the states of a frame; return the events that have ended, by their start.

        Args:
            states: What the recogniser said.
            detections: What it was given, for the positions of groups.
            frame: Its timestamp counts.
        """
        now = frame.timestamp
        # At one frame a second, half a second without news is no interruption.
        step = 0.0 if self._last is None else max(0.0, now - self._last)
        self._last = now
        for state in states:
            if state.label != UNSURE:
                self._extend(state, now)
        patience = max(self._join, 1.01 * step)
        ended = [key for key, one in self._open.items() if now - one.end > patience]
        events = self._close(ended)
        events += [_group(event) for event in self._groups.add(detections, now)]
        return sorted(events, key=_order)

    def finish(self) -> list[ActivityEvent]:
        """End everything that still goes on; return it by its start."""
        events = self._close(list(self._open))
        events += [_group(event) for event in self._groups.finish()]
        self._last = None
        return sorted(events, key=_order)

    def _extend(self, state: ActivityState, now: float) -> None:
        key = (state.track_id, state.label)
        interval = self._open.setdefault(key, _Interval(state, now, now))
        interval.extend(state, now)

    def _close(self, keys: Sequence[tuple[int, str]]) -> list[ActivityEvent]:
        intervals = [(key, self._open.pop(key)) for key in keys]
        return [
            ActivityEvent(
                kind="activity",
                label=label,
                track_ids=(track_id,),
                start=one.start,
                end=one.end,
                confidence=sum(one.confidences) / len(one.confidences),
                reason=one.state.reason,
            )
            for (track_id, label), one in intervals
            if one.end - one.start >= self._minimum
        ]


def _group(event: GroupEvent) -> ActivityEvent:
    return ActivityEvent(
        "group",
        event.label,
        event.track_ids,
        event.start,
        event.end,
        event.confidence,
        event.reason,
    )


def _order(event: ActivityEvent) -> tuple[float, tuple[int, ...], str]:
    return event.start, event.track_ids, event.label
