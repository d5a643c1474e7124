"""When a detector may rest because nothing moves."""

from vision.motion.protocol import MotionResult
from vision.structures import Frame

__all__ = ["MotionGate"]


class MotionGate:
    """Opens on motion, closes some seconds after it, and looks now and then in any case.

    Whoever stops is still looked at for ``hold`` seconds, and whoever stands still all the time
    is found by the regular look. Keeps the state of one source.

    Args:
        hold: Seconds that the gate stays open after the last motion.
        every: Seconds after which a frame is looked at although nothing moves.
    """

    def __init__(self, *, hold: float = 2.0, every: float = 3.0) -> None:
        self._hold = hold
        self._every = every
        self._moved: float | None = None
        self._looked: float | None = None
        self.looked = 0
        self.rested = 0

    def update(self, result: MotionResult, frame: Frame) -> bool:
        """Tell whether the detector should look at this frame; counts ``looked`` or ``rested``."""
        now = frame.timestamp
        if result.moving:
            self._moved = now
        look = _within(self._moved, now, self._hold) or not _within(self._looked, now, self._every)
        if look:
            self._looked = now
            self.looked += 1
        else:
            self.rested += 1
        return look


def _within(moment: float | None, now: float, seconds: float) -> bool:
    # A source that starts over jumps back in time: what was noted before says nothing then.
    return moment is not None and moment <= now < moment + seconds
