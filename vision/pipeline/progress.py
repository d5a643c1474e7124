"""How far and how fast the work on a video goes."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vision.sources.videos import VideoInfo

__all__ = ["Progress", "SpeedMeter"]

_WINDOW_SECONDS: Final = 5.0
_MARK_SECONDS: Final = 0.25
_SURE_SECONDS: Final = 1.0
"""Before that much work nobody knows how fast it goes."""


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """How far the work is.

    Attributes:
        frames: Frames done.
        timestamp: Seconds of the video done.
        share: 0..1 of the whole, as far as its length is known.
        frames_per_second: Over the last seconds.
        seconds_left: Until the end, at this speed; None while nobody can say.
        image: The newest annotated frame, (H, W, 3) uint8 BGR; not to be kept or changed.
    """

    frames: int
    timestamp: float
    share: float
    frames_per_second: float
    seconds_left: float | None
    image: NDArray[np.uint8]


class SpeedMeter:
    """Measures the work on one video.

    Args:
        info: What its header says of its length, which need not be true.
        clock: Monotonic seconds; replaced in tests.
    """

    def __init__(self, info: VideoInfo, clock: Callable[[], float] = time.monotonic) -> None:
        self._duration = info.duration
        self._clock = clock
        self._began = clock()
        self._marks: deque[tuple[float, int, float]] = deque([(self._began, 0, 0.0)])
        self._frames = 0
        self._timestamp = 0.0

    def add(self, timestamp: float, image: NDArray[np.uint8]) -> Progress:
        """Count a frame that is done."""
        now = self._clock()
        self._frames += 1
        self._timestamp = timestamp
        if now - self._marks[-1][0] >= _MARK_SECONDS:
            self._marks.append((now, self._frames, timestamp))
            while now - self._marks[0][0] > _WINDOW_SECONDS:
                self._marks.popleft()
        since, frames, seconds = self._marks[0]
        span = max(1e-6, now - since)
        share = min(1.0, timestamp / self._duration) if self._duration > 0 else 0.0
        return Progress(
            frames=self._frames,
            timestamp=timestamp,
            share=share,
            frames_per_second=(self._frames - frames) / span,
            seconds_left=self._left(now, (timestamp - seconds) / span),
            image=image,
        )

    def figures(self) -> dict[str, Any]:
        """Return what the work as a whole was, as JSON values."""
        worked = self._clock() - self._began
        return {
            "seconds_worked": round(worked, 2),
            "frames_per_second": round(self._frames / max(1e-6, worked), 2),
        }

    def _left(self, now: float, pace: float) -> float | None:
        """Return seconds to the end at ``pace`` seconds of video per second."""
        if self._duration <= 0 or pace <= 0 or now - self._began < _SURE_SECONDS:
            return None
        return max(0.0, self._duration - self._timestamp) / pace
