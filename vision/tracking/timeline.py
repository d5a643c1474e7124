"""Seconds that always rise."""

import math

__all__ = ["Timeline"]


class Timeline:
    """Turns a source's timestamps into strictly rising seconds.

    Args:
        rate: Frames per second to assume where timestamps stand still, jump back or are no
            numbers; broken files have all three.
    """

    def __init__(self, rate: float) -> None:
        self._step = 1.0 / rate
        self._last: float | None = None
        self._now = 0.0
        self._started = False

    def advance(self, timestamp: float) -> float:
        """Return the seconds of the frame with this timestamp; the first frame has 0."""
        known = math.isfinite(timestamp)
        if self._started:
            step = timestamp - self._last if known and self._last is not None else 0.0
            self._now += step if step > 0 else self._step
        self._started = True
        self._last = timestamp if known else self._last
        return self._now
