"""What the tests of the engine share: ultralytics' settings, and overlaps of boxes."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.export.process import ultralytics_environment

Image = NDArray[np.uint8]


def use_ultralytics(settings: Path) -> None:
    """Set what ultralytics reads at its import."""
    os.environ.update(ultralytics_environment(settings))


def box_iou(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (N, M) overlaps, written down independently of the code under test."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    inner = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    return inner / np.maximum(areas[0][:, None] + areas[1][None] - inner, 1e-9)


def share_matched(ours: Any, peer: Any, iou: float = 0.9) -> float:
    """Return which share of the peer's boxes we have, with the same class; 1 when it has none."""
    if not len(peer.boxes):
        return 1.0
    overlap = box_iou(ours.xyxy, peer.boxes.xyxy.numpy())
    same = ours.class_id[:, None] == peer.boxes.cls.numpy()[None]
    return float(((overlap >= iou) & same).any(axis=0).mean())
