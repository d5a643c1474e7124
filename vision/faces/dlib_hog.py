"""dlib's HOG: finds upright faces without any weights but those of the installed package."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.faces.dlib_thread import DlibModels
from vision.faces.found import Found

__all__ = ["SMALLEST", "find_faces"]

Image = NDArray[np.uint8]

SMALLEST: Final = 80
"""Pixels; smaller faces are found only in a picture made larger."""

_LONGEST_SIDE = 1600  # of what is searched: it takes half a second there
_RIGHT_EYE, _LEFT_EYE, _NOSE, _MOUTH = slice(36, 42), slice(42, 48), 30, [48, 54]


def find_faces(models: DlibModels, image: Image, minimum_size: int) -> Found:
    """Return the faces of a picture, framed and marked as YuNet would; for dlib's thread."""
    longest = max(image.shape[:2])
    scale = min(max(1.0, SMALLEST / max(1, minimum_size)), 2.0, _LONGEST_SIDE / longest)
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    searched = image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    colours = np.ascontiguousarray(searched[:, :, ::-1])
    frames, scores, _ = models.detector.run(colours, 0, 0.0)
    if not frames:
        return Found.none()
    marks = np.array([_points(models.all_points(colours, frame)) for frame in frames])
    landmarks = np.stack(
        [
            marks[:, _RIGHT_EYE].mean(axis=1),
            marks[:, _LEFT_EYE].mean(axis=1),
            marks[:, _NOSE],
            marks[:, _MOUTH[0]],
            marks[:, _MOUTH[1]],
        ],
        axis=1,
    )
    boxes = np.array([_as_yunet(frame) for frame in frames])
    return Found(
        (boxes / scale).astype(np.float32),
        np.array([_confidence(score) for score in scores], np.float32),
        (landmarks / scale).astype(np.float32),
    )


def _points(shape: Any) -> NDArray[np.float64]:
    return np.array([(part.x, part.y) for part in shape.parts()], np.float64)


def _as_yunet(frame: Any) -> tuple[float, float, float, float]:
    """Return a box as YuNet frames a face: narrower and higher than dlib's square."""
    side = (frame.width() + frame.height()) / 2
    middle = (frame.left() + frame.right()) / 2, (frame.top() + frame.bottom()) / 2
    half = side * 0.959 / 2, side * 1.209 / 2
    centre = middle[0] + 0.018 * side, middle[1] - 0.03 * side
    return centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1]


def _confidence(score: float) -> float:
    """Return 0.6 for what is only just found, and close to 1 for what is certain."""
    return float(1 - 0.4 * np.exp(-max(0.0, score)))
