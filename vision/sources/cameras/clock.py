"""The time line of a live source, whatever the source says about time."""

from typing import Final

_TOLERANCE: Final = 1.5  # seconds by which a picture may be late and still be believed
_DRIFT: Final = 0.01  # share of the lateness that is forgiven with each picture
_NUDGE: Final = 1e-4  # seconds


class LiveClock:
    """Stamps pictures with seconds from 0.0, strictly increasing over reconnects too.

    Arrival gives the time line; the source's own times, which know nothing of a network's
    jitter, say where on it a picture belongs, as long as they stay near. A source whose times
    jump, wrap, repeat or are missing is stamped by arrival, and believed again from there. Only
    a steady clock is used, so nobody's clock change shows.
    """

    def __init__(self) -> None:
        self._start: float | None = None
        self._offset: float | None = None
        self._last = 0.0

    def stamp(self, seconds: float | None, arrival: float) -> float:
        """Return the time of the next picture.

        Args:
            seconds: The source's own time, or None.
            arrival: ``time.monotonic()`` at which it came.
        """
        if self._start is None:
            self._start = arrival
            self._offset = None if seconds is None else -seconds
            return 0.0
        self._last = max(self._place(seconds, arrival - self._start), self._last + _NUDGE)
        return self._last

    def restart(self) -> None:
        """Forget the source's times: what comes next is of another connection."""
        self._offset = None

    def _place(self, seconds: float | None, now: float) -> float:
        if seconds is None:
            self._offset = None
            return now
        if self._offset is not None:
            time = seconds + self._offset
            late = now - time
            # Nothing comes before it was made: then it was an earlier picture that was late.
            if 0 <= late <= _TOLERANCE and time > self._last:
                self._offset += _DRIFT * late
                return time
        self._offset = now - seconds
        return now
