"""Seconds that always rise."""

import math
from typing import Final

__all__ = ["SteadyClock"]

# How far ahead a velocity is believed: a box that jitters by a pixel from frame to frame would
# else be expected a hundred pixels away after some seconds without a look.
_LONGEST_SECONDS: Final = 0.1
_LONGEST_UPDATES: Final = 2.0


class SteadyClock:
    """Turns a source's timestamps into strictly rising seconds.

    Args:
        rate: Frames per second to assume where timestamps stand still, jump back or are no
            numbers; broken files have all three.

    Attributes:
        motion: The same seconds without ``skipped`` ones, for predicting motion. Even steps, however
            long, stay even.
        skipped: What was cut off the last step: no velocity is carried farther than 0.2 seconds
            or two updates.
    """

    def __init__(self, rate: float) -> None:
        self._step = 1.0 / rate
        self._longest = max(_LONGEST_SECONDS, _LONGEST_UPDATES / rate)
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
