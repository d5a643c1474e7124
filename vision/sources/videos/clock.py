"""Gives every frame a time, whatever the file says."""

from typing import Final

_JUMP: Final = 1.0  # seconds back that are a new time line rather than a wrong stamp
_PATIENCE: Final = 2  # late frames in a row that may each be one wrong stamp
_NUDGE: Final = 0.001  # seconds


class FrameClock:
    """Turns a stream's presentation times into seconds from 0.0, strictly increasing.

    Times that increase pass unchanged but for the shift to 0.0. A missing one is one interval
    after the frame before. A single one that repeats or runs back is set a millisecond after the
    frame before, so that the frames that follow keep their times; where the stream goes on like
    that, or jumps back by a second and more, the time line continues from there.

    Args:
        interval: Seconds from frame to frame where the stream says nothing; above 0.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._nudge = min(_NUDGE, interval / 4)
        self._last: float | None = None
        self._offset: float | None = None
        self._late = 0

    def stamp(self, seconds: float | None) -> float:
        """Return the time of the next frame, given what the stream says about it."""
        if self._last is None:
            self._last = 0.0
            self._offset = None if seconds is None else -seconds
            return 0.0
        self._last = self._next(self._last, seconds)
        return self._last

    def _next(self, last: float, seconds: float | None) -> float:
        following = last + self._interval
        if seconds is None:
            return following
        if self._offset is None:
            self._offset = following - seconds
        time = seconds + self._offset
        if time > last:
            self._late = 0
            return time
        self._late += 1
        if last - time >= _JUMP or self._late > _PATIENCE:
            self._offset += following - time
            return following
        return last + self._nudge
