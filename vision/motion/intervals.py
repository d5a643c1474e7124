"""Spans of time in which something holds, made from one yes or no per frame."""

from dataclasses import dataclass

__all__ = ["Interval", "IntervalMachine"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of the source's time, in seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Seconds, never negative."""
        return self.end - self.start


class IntervalMachine:
    """Joins what holds with short gaps, and leaves out what holds too briefly.

    A frame speaks for the time until the next one, but for no longer than ``gap``. So a single
    frame of a slow source counts for what it stood for, and a source that was away ends what
    was going on.

    Args:
        minimum: Seconds that an interval must last to be reported.
        gap: Seconds; interruptions up to this long do not end an interval.
    """

    def __init__(self, *, minimum: float = 0.3, gap: float = 1.0) -> None:
        self._minimum = minimum
        self._gap = gap
        self._start: float | None = None
        self._end = 0.0
        self._last: float | None = None
        self._holds = False
        self._step = 0.0

    @property
    def open(self) -> Interval | None:
        """The interval that may still go on, however short it is so far."""
        return None if self._start is None else Interval(self._start, self._end)

    def update(self, holds: bool, timestamp: float) -> Interval | None:
        """Note one frame; return the interval that has now ended and lasted long enough."""
        self._extend_to(timestamp)
        ended = None
        if self._start is not None and not (self._end <= timestamp <= self._end + self._gap):
            ended = self._close()
        self._last, self._holds = timestamp, holds
        if holds:
            if self._start is None:
                self._start = timestamp
            self._end = timestamp
        return ended

    def finish(self) -> Interval | None:
        """Return the interval that was going on at the end of the source, if long enough."""
        if self._holds:
            self._end += min(self._step, self._gap)
        ended = self._close() if self._start is not None else None
        self._last, self._holds, self._step = None, False, 0.0
        return ended

    def _extend_to(self, timestamp: float) -> None:
        if self._last is None:
            return
        self._step = max(timestamp - self._last, 0.0)
        if self._holds:
            self._end = self._last + min(self._step, self._gap)

    def _close(self) -> Interval | None:
        assert self._start is not None
        interval = Interval(self._start, self._end)
        self._start = None
        # Sums of frame times miss a round limit by rounding alone.
        return interval if interval.duration >= self._minimum - 1e-6 else None
