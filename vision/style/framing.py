"""How a picture lies in a network's input: what is added around it, and taken off again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Framing", "fitted_size", "plan_framing", "reduce_picture"]

Image = NDArray[np.uint8]

_SMALLEST: Final = 16  # pixels of an input: a quarter of it is still mirrored by its layers


@dataclass(frozen=True, slots=True)
class Framing:
    """Pixels that are added at each side of a picture.

    Attributes:
        margin: Above, and to the left.
        below: At least as many.
        right: At least as many.
    """

    margin: int
    below: int
    right: int

    def add(self, image: Image) -> Image:
        """Return a BGR picture as (1, H, W, 3) RGB, contiguous; what is around it mirrors it."""
        colours = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        if self.below or self.right or self.margin:
            colours = cv2.copyMakeBorder(
                colours,
                self.margin,
                self.below,
                self.margin,
                self.right,
                cv2.BORDER_REFLECT_101,  # as the layers of the zoo's networks do it
            )
        return np.asarray(colours, np.uint8)[None]

    def remove(self, painted: Image) -> Image:
        """Return the picture within (1, H, W, 3) RGB as BGR; a copy."""
        height, width = painted.shape[1:3]
        rows = slice(self.margin, height - self.below)
        within = painted[0, rows, self.margin : width - self.right]
        return np.asarray(cv2.cvtColor(within, cv2.COLOR_RGB2BGR), np.uint8)


def plan_framing(height: int, width: int, *, margin: int, multiple: int) -> Framing:
    """Return what to add to a picture.

    Args:
        height: Pixels of the picture.
        width: Pixels of the picture.
        margin: Pixels to add at each side, at least.
        multiple: What the sides of the input must be multiples of.
    """
    below, right = (
        max(_SMALLEST, -(-(side + 2 * margin) // multiple) * multiple) - side - margin
        for side in (height, width)
    )
    return Framing(margin, below, right)


def fitted_size(height: int, width: int, longer_side: int | None) -> tuple[int, int]:
    """Return height and width with the longer one at most ``longer_side``; never enlarged."""
    if longer_side is None or max(height, width) <= longer_side:
        return height, width
    scale = longer_side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def reduce_picture(image: Image, longer_side: int | None) -> Image:
    """Return the picture with its longer side at most ``longer_side``; itself where it fits."""
    height, width = fitted_size(image.shape[0], image.shape[1], longer_side)
    if (height, width) == image.shape[:2]:
        return image
    reduced = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8)
