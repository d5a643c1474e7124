"""Keeps to a rate: which pictures are wanted, and when a flood has to wait."""

from typing import Final

_EARLY: Final = 0.4  # of the interval by which a picture may come too early
_MOST_FRAMES: Final = 120.0  # decoded in a second
_BURST: Final = 600.0  # frames that may come at once: what a server has kept for who connects
_AHEAD: Final = 10.0  # seconds that a source's times may run ahead of ours
_JUMP: Final = 5.0  # seconds between two frames that are no flow of time


class Pacer:
    """Chooses pictures so that they come at most at a rate, evenly; all times in seconds.

    Args:
        fps: Pictures in a second.
    """

    def __init__(self, fps: float) -> None:
        self._interval = 1 / fps
        self._due: float | None = None
        self._budget = _BURST
        self._asked: float | None = None
        self._lead = 0.0
        self._last: tuple[float, float] | None = None

    def is_due(self, now: float) -> bool:
        """Tell whether a picture that comes now is wanted."""
        return self._due is None or now >= self._due - _EARLY * self._interval

    def took(self, now: float) -> None:
        """Note that one was taken. Being late once does not let several come together."""
        due = now if self._due is None else self._due
        self._due = max(due, now - self._interval) + self._interval

    def hold_back(self, seconds: float | None, now: float) -> float:
        """Return for how long to read no further.

        A server that sends a recording as fast as the line allows is read in real time; one that
        floods is read at 120 frames a second. What a server has kept for whoever connects, some
        seconds of it, is read at once.

        Args:
            seconds: The source's own time of the frame that has come, or None.
            now: When it has come.
        """
        return max(self._flood(now), self._run_ahead(seconds, now))

    def _flood(self, now: float) -> float:
        passed = 0.0 if self._asked is None else now - self._asked
        self._asked = now
        self._budget = min(_BURST, self._budget + passed * _MOST_FRAMES) - 1
        return max(0.0, -self._budget / _MOST_FRAMES)

    def _run_ahead(self, seconds: float | None, now: float) -> float:
        if seconds is None:
            self._last = None
            return 0.0
        if self._last is not None:
            step = seconds - self._last[0]
            if abs(step) < _JUMP:
                self._lead = max(0.0, self._lead + step - (now - self._last[1]))
        self._last = (seconds, now)
        return max(0.0, self._lead - _AHEAD)
