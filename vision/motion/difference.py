"""Motion by comparing three frames."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from vision.motion.judge import is_upheaval, keep_real_areas, light_explains, make_result
from vision.motion.light import Cells, correct, estimate_light, light_cells
from vision.motion.protocol import Mask, MotionResult, Small
from vision.motion.reduce import reduce_picture
from vision.structures import Frame

__all__ = ["DifferenceMotionDetector"]

_SPACING = 0.12  # seconds between compared frames: a walker then moves by some pixels
_LONGEST_SPACING = 3.0  # seconds; frames further apart show different things without any motion
_KEPT = 8  # frames remembered, enough to find two at the right distance
_LEAST_DIFFERENCE = 14.0  # levels
_NOISE_FACTOR = 6.0  # times the typical difference between the frames
_WORST_NOISE = 40.0  # levels; what differs more is no noise, even if the whole picture does
_SETTLING = 0.5  # seconds
# A shadow keeps the colour and dims it to no less than this (as MOG2 has it, but its grey halo).
_DIMMEST_SHADOW, _BRIGHTEST_SHADOW = 0.45, 0.97
_SHADOW_COLOUR = 0.06  # by how much the ratios of the channels may differ


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    small: Small
    cells: Cells
    timestamp: float


class DifferenceMotionDetector:
    """Three-frame difference (Collins et al., VSAM, 2000) with the light made equal first.

    A pixel moves when the newest frame differs from both of two earlier ones: what a thing has
    left uncovered differs from one of them only. There is no background to learn, so a thing
    that stops is still at once; slow and evenly coloured things show at their edges alone.

    Args:
        minimum_area: 0..1, the least share of the picture that an area covers.
    """

    def __init__(self, *, minimum_area: float) -> None:
        self._minimum_area = minimum_area
        self.reset()

    def reset(self) -> None:
        """Forget the earlier frames."""
        self._seen: deque[_Seen] = deque()
        self._shape: tuple[int, ...] = ()
        self._quiet_until = 0.0

    def update(self, frame: Frame) -> MotionResult:
        """Return what moves in this frame; see ``MotionDetector``."""
        if frame.image.shape != self._shape:
            self.reset()
            self._shape = frame.image.shape
        small = reduce_picture(frame.image)
        seen = _Seen(small, light_cells(small), frame.timestamp)
        earlier = self._earlier(frame.timestamp)
        self._remember(seen)
        if earlier is None:
            return MotionResult()
        middle, oldest = earlier
        mask = cv2.bitwise_and(_changed(middle, seen), _changed(oldest, seen))
        return self._judge(np.asarray(mask, np.uint8), middle, seen, frame)

    def _earlier(self, now: float) -> tuple[_Seen, _Seen] | None:
        """Return the frames to compare with, the newer first, or None while there are too few."""
        middle = _newest_before(self._seen, now - _SPACING)
        oldest = None if middle is None else _newest_before(self._seen, middle.timestamp - _SPACING)
        if middle is None or oldest is None:
            return None
        if now - middle.timestamp > _LONGEST_SPACING:
            self._seen.clear()
            return None
        return middle, oldest

    def _remember(self, seen: _Seen) -> None:
        """Keep what later frames may be compared with: few frames, whatever the rate."""
        if self._seen and seen.timestamp < self._seen[-1].timestamp:
            self._seen.clear()
        if not self._seen or seen.timestamp - self._seen[-1].timestamp >= _SPACING / 2:
            self._seen.append(seen)
        while len(self._seen) > _KEPT:
            self._seen.popleft()

    def _judge(self, mask: Mask, middle: _Seen, seen: _Seen, frame: Frame) -> MotionResult:
        upheaval = is_upheaval(mask)
        if not cv2.countNonZero(mask) or (not upheaval and seen.timestamp < self._quiet_until):
            return MotionResult()
        if upheaval and light_explains(middle.small, seen.small):
            # Only frames of the new light can be compared from now on.
            self._seen.clear()
            self._quiet_until = seen.timestamp + _SETTLING
            return MotionResult()
        before = correct(middle.small, estimate_light(seen.cells, middle.cells))
        _take_out_shadows(mask, before, seen.small)
        areas = keep_real_areas(mask, before, seen.small, minimum_area=self._minimum_area)
        return make_result(areas, mask, frame)


def _newest_before(seen: Iterable[_Seen], limit: float) -> _Seen | None:
    # Timestamps of a steady rate miss the limit by rounding alone.
    fitting = [one for one in seen if one.timestamp <= limit + 1e-3]
    return fitting[-1] if fitting else None


def _changed(before: _Seen, now: _Seen) -> Mask:
    """Mark what differs between two frames, in the light of the newer one."""
    same_light = correct(before.small, estimate_light(now.cells, before.cells))
    difference = cv2.absdiff(same_light, now.small)
    channels = cv2.split(difference)
    largest = cv2.max(cv2.max(channels[0], channels[1]), channels[2])
    # Few pixels are enough to know how much the sensor's noise makes of a still picture.
    noise = float(np.median(largest[::4, ::4]))
    threshold = min(max(_LEAST_DIFFERENCE, _NOISE_FACTOR * noise), _WORST_NOISE)
    _, mask = cv2.threshold(largest, threshold, 255, cv2.THRESH_BINARY)
    return np.asarray(mask, np.uint8)


def _take_out_shadows(mask: Mask, before: Small, now: Small) -> None:
    """Unmark pixels that a shadow reached or left: dimmed alike in all three channels."""
    rows, columns = np.nonzero(mask)
    first, second = before[rows, columns].astype(np.float32), now[rows, columns].astype(np.float32)
    ratio = (np.minimum(first, second) + 1) / (np.maximum(first, second) + 1)
    # All channels must change in the same direction, or the colour did.
    darker = (first >= second).all(axis=1) | (first <= second).all(axis=1)
    even = np.ptp(ratio, axis=1) < _SHADOW_COLOUR
    dim = (ratio > _DIMMEST_SHADOW).all(axis=1) & (ratio < _BRIGHTEST_SHADOW).all(axis=1)
    shadow = darker & even & dim
    mask[rows[shadow], columns[shadow]] = 0
