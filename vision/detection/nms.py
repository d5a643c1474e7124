"""Class-aware non-maximum suppression in numpy: exact, without a time limit."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASS_OFFSET", "non_max_suppression", "suppress"]

CLASS_OFFSET = 7680.0
"""Boxes of class c are moved by c times this many pixels, so that classes never overlap."""

_BLOCK = 512  # boxes compared at once: bounds the matrix of overlaps to a megabyte


def non_max_suppression(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_ids: NDArray[np.int64],
    *,
    iou: float = 0.7,
    max_detections: int = 300,
) -> NDArray[np.int64]:
    """Return the indices of the boxes to keep, best first.

    The offset is applied in float32 as the reference does: what it rounds there is rounded here.

    Args:
        boxes: (N, 4) xyxy, pixels.
        scores: (N,).
        class_ids: (N,); boxes of different classes do not suppress each other.
        iou: 0..1; a box whose overlap with a better one is greater is dropped.
        max_detections: The best so many are kept.
    """
    offset = class_ids.astype(np.float32)[:, None] * np.float32(CLASS_OFFSET)
    return suppress(boxes + offset, scores, iou=iou, limit=max_detections)


def suppress(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], *, iou: float, limit: int
) -> NDArray[np.int64]:
    """Greedy suppression without classes, as ``torchvision.ops.nms``, stopped at ``limit``."""
    order = np.argsort(-scores, kind="stable")
    kept = np.empty(0, dtype=np.int64)
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        if len(kept):
            block = block[~(overlaps(boxes[block], boxes[kept]) > iou).any(axis=1)]
        kept = np.concatenate((kept, block[_greedy(boxes[block], iou)]))
        if len(kept) >= limit:
            break
    return kept[:limit]


def _greedy(boxes: NDArray[np.float32], iou: float) -> NDArray[np.bool_]:
    """Return which of some boxes, sorted best first, survive each other."""
    alive = np.ones(len(boxes), dtype=np.bool_)
    beats = np.triu(overlaps(boxes, boxes) > iou, k=1)
    for index in np.flatnonzero(beats.any(axis=1)):
        if alive[index]:
            alive &= ~beats[index]
    return alive


def overlaps(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (N, M) intersections over unions; two boxes without area give NaN."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = (high - low).clip(0)
    inner = sides[..., 0] * sides[..., 1]
    union = _areas(first)[:, None] + _areas(second)[None] - inner
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: NDArray[np.float32] = inner / union
    return ratio


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    areas: NDArray[np.float32] = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas
