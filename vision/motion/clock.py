"""Learning rates that depend on time, not on the number of frames."""

import math

__all__ = ["Clock", "learning_rate"]

_LONGEST_STEP = 2.0  # seconds; a longer pause says nothing about how sure the model may be


class Clock:
    """Steps between the frames of one source, in seconds.

    Args:
        rate: Frames per second to expect; only the first frame needs it.
    """

    def __init__(self, rate: float) -> None:
        self._usual = 1.0 / rate if rate > 0 else 0.04
        self._start: float | None = None
        self._last = 0.0
        self.frames = 0

    def tick(self, timestamp: float) -> float:
        """Note a frame; return the seconds since the one before, 0..2."""
        self.frames += 1
        if self._start is None:
            self._start, self._last = timestamp, timestamp
            return min(self._usual, _LONGEST_STEP)
        step = min(max(timestamp - self._last, 0.0), _LONGEST_STEP)
        self._last = timestamp
        return step

    def restart(self, frames: int) -> None:
        """Count from the last frame on, as if so many frames were known already."""
        self._start, self.frames = self._last, frames

    @property
    def running(self) -> float:
        """Seconds since the first frame, or since the restart."""
        return 0.0 if self._start is None else max(self._last - self._start, 0.0)


def learning_rate(step: float, horizon: float) -> float:
    """Return the share of a new frame in an average that forgets with a time constant, 0..1."""
    return -math.expm1(-step / horizon)
