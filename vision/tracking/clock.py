"""Seconds that always rise."""

import math

__all__ = ["SteadyClock"]


class SteadyClock:
    """Turns a source's timestamps into strictly rising seconds.

    Args:
        rate: Frames per second to assume where timestamps stand still, jump back or are no
            numbers; broken files have all three.
        longest: Seconds of the longest step that motion is predicted over.

    Attributes:
        motion: The same seconds with longer steps cut, for predicting motion. Even steps, however
            long, stay even.
        skipped: Seconds that were cut off the last step.
    """

    def __init__(self, rate: float, longest: float = math.inf) -> None:
        self._step = 1.0 / rate
        self._longest = longest
        self._last: float | None = None
        self._now = 0.0
        self._started = False
        self.motion = 0.0
        self.skipped = 0.0

    def advance(self, timestamp: float) -> float:
        """Return the seconds of the frame with this timestamp; the first frame has 0."""
        known = math.isfinite(timestamp)
        if self._started:
            step = timestamp - self._last if known and self._last is not None else 0.0
            step = step if step > 0 else self._step
            self.skipped = max(0.0, step - self._longest)
            self._now += step
            self.motion += step - self.skipped
        self._started = True
        self._last = timestamp if known else self._last
        return self._now
