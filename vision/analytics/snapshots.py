"""The best look at every track: large, clear, and whole."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.encoding.images import encode_jpeg

__all__ = ["BestSnapshots"]

_MARGIN: Final = 0.08
_LONGER_SIDE: Final = 256
_BETTER: Final = 1.25
"""A new look replaces the old one when it is so much better: not one copy per frame."""


@dataclass(slots=True)
class _Look:
    score: float
    picture: NDArray[np.uint8]


class BestSnapshots:
    """Keeps one small picture per running track."""

    def __init__(self) -> None:
        self._looks: dict[int, _Look] = {}

    def add(self, image: NDArray[np.uint8], detections: sv.Detections) -> None:
        """Look at the tracked objects of a frame.

        Args:
            image: (H, W, 3) uint8 BGR, without anything drawn on it.
            detections: With ``tracker_id``; predicted rows are passed over.
        """
        if detections.tracker_id is None or not len(detections):
            return
        predicted = detections.data.get("predicted")
        for index, score in enumerate(_scores(detections, image.shape)):
            track = int(detections.tracker_id[index])
            look = self._looks.get(track)
            if predicted is not None and predicted[index]:
                continue
            if look is None or score > look.score * _BETTER:
                picture = _crop(image, detections.xyxy[index])
                if picture.size:
                    self._looks[track] = _Look(score, picture)

    def take(self, track: int) -> bytes | None:
        """Return the best look as a JPEG and forget it; None when there never was one."""
        look = self._looks.pop(track, None)
        return encode_jpeg(look.picture, quality=82) if look is not None else None


def _scores(detections: sv.Detections, shape: tuple[int, ...]) -> NDArray[np.float64]:
    boxes = np.asarray(detections.xyxy, np.float64)
    height, width = shape[:2]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    confidence = detections.confidence if detections.confidence is not None else 1.0
    # What touches the edge is cut off.
    inside = (
        (boxes[:, 0] > 2) & (boxes[:, 1] > 2)
        & (boxes[:, 2] < width - 2) & (boxes[:, 3] < height - 2)
    )  # fmt: skip
    return np.asarray(np.sqrt(np.maximum(areas, 0)) * confidence * np.where(inside, 1.0, 0.5))


def _crop(image: NDArray[np.uint8], box: NDArray[np.number]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    margin = _MARGIN * float(max(box[2] - box[0], box[3] - box[1]))
    left, top = max(0, int(box[0] - margin)), max(0, int(box[1] - margin))
    right, bottom = min(width, int(box[2] + margin) + 1), min(height, int(box[3] + margin) + 1)
    part = image[top:bottom, left:right]
    scale = _LONGER_SIDE / max(1, *part.shape[:2])
    if part.size and scale < 1:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    return part.copy()
