"""Fit a picture into the smallest rectangle the network takes, and map boxes back.

The arithmetic, Python's rounding of halves included, is that of the reference implementation
(ultralytics ``LetterBox(auto=True)`` and ``scale_boxes``), so that both see the same pixels.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["PAD_VALUE", "STRIDE", "Bucket", "Letterbox", "plan_letterbox"]

Bucket = tuple[int, int]
"""(height, width) of a network input, both multiples of the stride."""

STRIDE = 32
PAD_VALUE = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How one picture size lies in its bucket. All values are pixels.

    Attributes:
        height: Of the picture.
        width: Of the picture.
        bucket: (height, width) of the network input.
        content_height: Of the resized picture inside the bucket.
        content_width: Of the resized picture inside the bucket.
        top: Rows of padding above the content.
        left: Columns of padding left of the content.
    """

    height: int
    width: int
    bucket: Bucket
    content_height: int
    content_width: int
    top: int
    left: int

    @property
    def gain_y(self) -> float:
        """Bucket rows per picture row."""
        return self.content_height / self.height

    @property
    def gain_x(self) -> float:
        """Bucket columns per picture column."""
        return self.content_width / self.width

    def apply(self, image: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Write the resized and padded picture into ``out``.

        Args:
            image: (height, width, 3) uint8.
            out: (*bucket, 3) uint8, C-contiguous; every pixel of it is overwritten.
        """
        bottom, right = self.top + self.content_height, self.left + self.content_width
        out[: self.top] = PAD_VALUE
        out[bottom:] = PAD_VALUE
        out[self.top : bottom, : self.left] = PAD_VALUE
        out[self.top : bottom, right:] = PAD_VALUE
        content = out[self.top : bottom, self.left : right]
        if image.shape[:2] == content.shape[:2]:
            content[:] = image
            return
        size = (self.content_width, self.content_height)
        resized = cv2.resize(image, size, dst=content, interpolation=cv2.INTER_LINEAR)
        if not np.shares_memory(resized, content):
            content[:] = resized

    def boxes_to_picture(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map (N, 4) boxes from bucket pixels to picture pixels, clipped to the picture."""
        offset = np.array([self.left, self.top] * 2, np.float32)
        gain = np.array([self.gain_x, self.gain_y] * 2, np.float32)
        limit = np.array([self.width, self.height] * 2, np.float32)
        mapped: NDArray[np.float32] = ((xyxy - offset) / gain).clip(0, limit)
        return mapped

    def points_to_picture(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map (..., 2) points from bucket pixels to picture pixels, clipped to the picture."""
        offset = np.array([self.left, self.top], np.float32)
        gain = np.array([self.gain_x, self.gain_y], np.float32)
        limit = np.array([self.width, self.height], np.float32)
        mapped: NDArray[np.float32] = ((points - offset) / gain).clip(0, limit)
        return mapped


@lru_cache(maxsize=256)
def plan_letterbox(height: int, width: int, size: int = 640) -> Letterbox:
    """Plan the smallest stride-aligned rectangle whose longer side is ``size``.

    Args:
        height: Rows of the picture, at least 1.
        width: Columns of the picture, at least 1.
        size: Longer side of the network input, a multiple of 32.

    Raises:
        ValueError: A side is smaller than 1, or the size is no multiple of the stride.

    Example:
        >>> plan_letterbox(720, 1280).bucket
        (384, 640)
    """
    if height < 1 or width < 1:
        raise ValueError(f"expected a picture of at least 1x1 pixels, got {width}x{height}")
    if size < STRIDE or size % STRIDE:
        raise ValueError(f"expected an input size that is a multiple of {STRIDE}, got {size}")
    ratio = min(size / height, size / width)
    content_width = max(round(width * ratio), 1)
    content_height = max(round(height * ratio), 1)
    pad_x = math.fmod(size - content_width, STRIDE) / 2
    pad_y = math.fmod(size - content_height, STRIDE) / 2
    top, left = round(pad_y - 0.1), round(pad_x - 0.1)
    bucket = (
        content_height + top + round(pad_y + 0.1),
        content_width + left + round(pad_x + 0.1),
    )
    return Letterbox(height, width, bucket, content_height, content_width, top, left)
