"""From moving pixels to areas: specks go, pieces of one thing are joined."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.motion.protocol import Mask

__all__ = ["Area", "find_areas"]

_NEAR = 0.02  # of the longer side: pieces this far from each other belong together
_SPECK = np.ones((3, 3), np.uint8)

Area = tuple[NDArray[np.float32], int]  # (4,) xyxy in the mask's pixels, and moving pixels in it


def find_areas(mask: Mask, *, minimum_area: float) -> list[Area]:
    """Return the areas of a mask, the largest first.

    Args:
        mask: (h, w) uint8, non-zero where something moves.
        minimum_area: 0..1, the least share of the picture that the moving pixels of an area
            must cover.
    """
    clean = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _SPECK), np.uint8)
    if not cv2.countNonZero(clean):
        return []
    reach = max(1, round(_NEAR * max(mask.shape) / 2))
    side = 2 * reach + 1
    joined = cv2.dilate(clean, np.ones((side, side), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    boxes, pixels = _measure(clean, np.asarray(labels, np.int32), count)
    groups = _join_overlapping([(boxes[label], int(pixels[label])) for label in range(1, count)])
    least = minimum_area * mask.size
    kept = [area for area in groups if area[1] >= max(least, 1)]
    return sorted(kept, key=lambda area: -area[1])


def _measure(
    clean: Mask, labels: NDArray[np.int32], count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the boxes (count, 4) and the numbers of the moving pixels under each label."""
    rows, columns = np.nonzero(clean)
    label = labels[rows, columns]
    boxes = np.tile(np.array([np.inf, np.inf, 0, 0], np.float32), (count, 1))
    for axis, values in ((0, columns), (1, rows)):
        np.minimum.at(boxes[:, axis], label, values.astype(np.float32))
        np.maximum.at(boxes[:, axis + 2], label, values.astype(np.float32) + 1)
    return boxes, np.bincount(label, minlength=count)


def _join_overlapping(areas: list[Area]) -> list[Area]:
    joined: list[Area] = []
    for box, pixels in areas:
        while True:
            hit = next((at for at, (other, _) in enumerate(joined) if _overlap(box, other)), None)
            if hit is None:
                break
            other, more = joined.pop(hit)
            box = np.concatenate([np.minimum(box[:2], other[:2]), np.maximum(box[2:], other[2:])])
            pixels += more
        joined.append((box, pixels))
    return joined


def _overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    return bool((first[:2] < second[2:]).all() and (second[:2] < first[2:]).all())
