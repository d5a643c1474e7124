"""Makes parts of a picture unrecognisable."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_CELLS: Final = 6
"""Blocks along the shorter side of a person: too few for a face, enough to see that they walk."""

FACE_CELLS: Final = 2
"""The same of a face with a margin: with four, some can still be told from others."""


def blur_boxes(image: NDArray[np.uint8], boxes: NDArray[np.number], *, cells: int = _CELLS) -> None:
    """Replace what is in boxes by coarse blocks, softened; in place.

    The pixels are averaged before they are spread again, so that nothing can be undone.

    Args:
        image: (H, W, 3) uint8 BGR.
        boxes: (N, 4) xyxy pixels; parts outside of the picture are ignored.
        cells: Blocks along the shorter side of a box.
    """
    height, width = image.shape[:2]
    for box in boxes:
        left, top = max(0, int(box[0])), max(0, int(box[1]))
        right, bottom = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
        if right - left < 2 or bottom - top < 2:
            continue
        region = image[top:bottom, left:right]
        cell = max(1.0, min(region.shape[:2]) / cells)
        size = (max(1, round(region.shape[1] / cell)), max(1, round(region.shape[0] / cell)))
        coarse = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
        region[:] = cv2.resize(
            coarse, (region.shape[1], region.shape[0]), interpolation=cv2.INTER_LINEAR
        )
