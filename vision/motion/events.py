"""Motion as events: from when to when, how much, and what it looked like."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.motion.intervals import Interval, IntervalMachine
from vision.motion.protocol import MotionResult
from vision.structures import Frame

__all__ = ["MotionEvent", "MotionEvents"]

_THUMBNAIL_WIDTH = 320
_CLEARLY_MORE = 1.1  # a new picture is made only for a peak this much higher: most are not


@dataclass(frozen=True, slots=True, eq=False)
class MotionEvent:
    """Something moved for a while.

    Attributes:
        start: Seconds of the source.
        end: Seconds of the source.
        peak_share: 0..1, the largest share of the picture that moved at once.
        peak_time: Seconds of the source; when that was.
        peak_area: (4,) float32 xyxy pixels, the largest area at that time.
        picture: (h, w, 3) uint8 BGR, at most 320 wide, near the peak; None without pictures.
    """

    start: float
    end: float
    peak_share: float
    peak_time: float
    peak_area: NDArray[np.float32]
    picture: NDArray[np.uint8] | None


@dataclass(slots=True)
class _Peak:
    share: float
    time: float
    area: NDArray[np.float32]
    picture: NDArray[np.uint8] | None
    pictured_share: float


class MotionEvents:
    """Turns the results of a motion detector into events. Keeps one thumbnail at a time.

    Args:
        minimum: Seconds that motion must last to be an event.
        gap: Seconds of rest that do not end an event.
        pictures: Whether events carry a thumbnail.
    """

    def __init__(self, *, minimum: float = 0.3, gap: float = 1.0, pictures: bool = True) -> None:
        self._machine = IntervalMachine(minimum=minimum, gap=gap)
        self._pictures = pictures
        self._peak: _Peak | None = None

    @property
    def current(self) -> MotionEvent | None:
        """The event that is going on, however short it is so far."""
        interval = self._machine.open
        return None if interval is None else self._event(interval)

    def add(self, result: MotionResult, frame: Frame) -> list[MotionEvent]:
        """Note one frame; return the events, none or one, that ended before it."""
        ended = self._machine.update(result.moving, frame.timestamp)
        events = [] if ended is None else [self._event(ended)]
        interval = self._machine.open
        if interval is None or (result.moving and interval.start == frame.timestamp):
            self._peak = None
        if result.moving:
            self._note_peak(result, frame)
        return events

    def finish(self) -> list[MotionEvent]:
        """Return the event that was going on when the source ended, if there was one."""
        ended = self._machine.finish()
        events = [] if ended is None else [self._event(ended)]
        self._peak = None
        return events

    def _note_peak(self, result: MotionResult, frame: Frame) -> None:
        peak = self._peak
        if peak is not None and result.share <= peak.share:
            return
        picture, pictured = (None, 0.0) if peak is None else (peak.picture, peak.pictured_share)
        if self._pictures and result.share > _CLEARLY_MORE * pictured:
            picture, pictured = _thumbnail(frame.image), result.share
        area = result.areas[0].copy()
        self._peak = _Peak(result.share, frame.timestamp, area, picture, pictured)

    def _event(self, interval: Interval) -> MotionEvent:
        peak = self._peak
        assert peak is not None  # an interval opens with motion
        return MotionEvent(
            interval.start, interval.end, peak.share, peak.time, peak.area, peak.picture
        )


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if width <= _THUMBNAIL_WIDTH:
        return image.copy()
    size = (_THUMBNAIL_WIDTH, max(1, round(height * _THUMBNAIL_WIDTH / width)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
