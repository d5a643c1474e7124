"""Own tracker by overlap: IoU of predicted and found boxes, best assignment."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vision.tracking.matching import MatchingTracker

__all__ = ["box_iou", "make_iou_tracker"]

_MINIMUM: Final = 0.3


def box_iou(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Return the (K, N) intersection over union of (K, 4) and (N, 4) xyxy boxes.

    Boxes without area overlap nothing.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    width = np.minimum(first[:, None, 2], second[None, :, 2]) - np.maximum(
        first[:, None, 0], second[None, :, 0]
    )
    height = np.minimum(first[:, None, 3], second[None, :, 3]) - np.maximum(
        first[:, None, 1], second[None, :, 1]
    )
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    union = _area(first)[:, None] + _area(second)[None, :] - shared
    overlap: NDArray[np.float64] = np.zeros_like(shared)
    np.divide(shared, union, out=overlap, where=(shared > 0) & (union > 0))
    return overlap


def make_iou_tracker(rate: float, patience: float, minimum_hits: int = 2) -> MatchingTracker:
    """Return a tracker that joins boxes which overlap by an IoU of at least 0.3."""
    return MatchingTracker(_affinity, rate=rate, patience=patience, minimum_hits=minimum_hits)


def _affinity(
    tracks: NDArray[np.float64], boxes: NDArray[np.float64], lost: NDArray[np.float64]
) -> NDArray[np.float64]:
    overlap = box_iou(tracks, boxes)
    return np.where(overlap >= _MINIMUM, overlap, 0.0)


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)
