"""The small picture that motion is looked for in."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.motion.protocol import Small

__all__ = ["reduce_picture"]

_LONGEST_SIDE = 256


def reduce_picture(image: NDArray[np.uint8]) -> Small:
    """Reduce a picture until its longer side is at most 256 pixels, and smooth it a little.

    Halving is what OpenCV does fastest, and averaging 2x2 pixels also halves sensor noise; one
    linear step does what remains. Smaller pictures are only smoothed.
    """
    small = image
    while max(small.shape[:2]) >= 2 * _LONGEST_SIDE and min(small.shape[:2]) >= 2:
        height, width = small.shape[0] & ~1, small.shape[1] & ~1
        small = _resized(small[:height, :width], width // 2, height // 2, cv2.INTER_AREA)
    longest = max(small.shape[:2])
    if longest > _LONGEST_SIDE:
        scale = _LONGEST_SIDE / longest
        height, width = (max(1, round(side * scale)) for side in small.shape[:2])
        small = _resized(small, width, height, cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.uint8)


def _resized(image: NDArray[np.uint8], width: int, height: int, how: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
