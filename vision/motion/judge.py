"""The last word on what a background model calls moving: light is taken out again."""

import cv2
import numpy as np

from vision.motion.areas import Area, find_areas
from vision.motion.light import texture_agreement
from vision.motion.protocol import Mask, MotionResult, Small
from vision.structures import Frame

__all__ = ["is_upheaval", "keep_real_areas", "light_explains", "make_result"]

_UPHEAVAL = 0.5  # share of the picture that changes when the light does, seldom otherwise
_SAME_THINGS = 0.6  # correlation of fine structure over the whole picture
_SAME_SURFACE = 0.75  # the same inside one area, which must be surer: it is smaller


def is_upheaval(mask: Mask) -> bool:
    """Tell whether most of the picture changed at once."""
    return cv2.countNonZero(mask) > _UPHEAVAL * mask.size


def light_explains(before: Small, now: Small) -> bool:
    """Tell whether the same things are in both pictures, so that only the light can differ.

    A picture without any structure cannot tell; then light is the likelier reason for a change
    of most of it.
    """
    everywhere = np.full(now.shape[:2], 255, np.uint8)
    agreement = texture_agreement(before, now, everywhere)
    return agreement is None or agreement > _SAME_THINGS


def keep_real_areas(mask: Mask, before: Small, now: Small, *, minimum_area: float) -> list[Area]:
    """Return the areas where another thing is seen than before, not the same in other light."""
    kept = []
    for box, pixels in find_areas(mask, minimum_area=minimum_area):
        left, top, right, bottom = (int(value) for value in box)
        window = np.s_[top:bottom, left:right]
        agreement = texture_agreement(before[window], now[window], mask[window])
        if agreement is None or agreement < _SAME_SURFACE:
            kept.append((box, pixels))
    return kept


def make_result(areas: list[Area], mask: Mask, frame: Frame) -> MotionResult:
    """Return the areas in the frame's own pixels."""
    if not areas:
        return MotionResult()
    scale = (frame.width / mask.shape[1], frame.height / mask.shape[0])
    boxes = np.stack([box for box, _ in areas]) * np.array(scale * 2, np.float32)
    share = sum(pixels for _, pixels in areas) / mask.size
    return MotionResult(boxes.astype(np.float32), float(share), True)
