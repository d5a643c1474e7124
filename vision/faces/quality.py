"""How well a face can be seen, and whether that is enough.

The limits come from the shared pictures (known people, group stills, expressions; 58 to 94 faces):

- Size: shrunk to 60 pixels embeddings move by 0.13 (median), to 32 by 0.28, to 24 by 0.41.
- Sharpness: measured at one size for all, so that it does not depend on it: sharp faces of 200 to
  16 pixels have 0.4 to 0.9. Blurred by 1.5% of their size they have 0.3, and embeddings move by
  0.27; by 2.5% 0.18 and 0.40.
- Pose: of 94 faces the four profiles have a yaw of 0.82 and more, all others less than 0.52. The
  pitch of all lies within 0.25.
- Confidence: YuNet gives 0.87 to 0.95 to faces, and 0.62 to 0.72 to what is none or is hidden.
- Covered: edges at the mouth are 0.55 to 2.0 times as strong as at the eyes (91 faces); with a
  plain mask of any of six colours painted over mouth and nose 0.03 to 0.29 (90% of 532). Colours
  of cheeks and mouth differ by 14 at most, by 15 to 60 with a coloured mask. A mask that shows a
  printed mouth is not noticed.
"""

from __future__ import annotations

from typing import Final, Literal

import cv2
import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.faces.structures import FaceQuality, quality_of

__all__ = ["UPSIDE_DOWN", "Purpose", "flaw_of", "is_covered", "judge", "measure"]

Purpose = Literal["enrol", "match"]

UPSIDE_DOWN: Final = 90.0
"""Degrees of roll from which a face counts as upside down."""

_SMALLEST: Final = {"enrol": 60.0, "match": 32.0}
_SHARPNESS: Final = {"enrol": 0.28, "match": 0.18}
_TURN: Final = {"enrol": 0.6, "match": 0.8}
_TILT: Final = {"enrol": 0.6, "match": 0.9}
_CONFIDENCE: Final = {"enrol": 0.8, "match": 0.75}

_SIDE: Final = 64  # sides of the grey picture that sharpness is measured in
_NOSE_HEIGHT: Final = 0.55  # of a face that looks straight ahead, between eyes and mouth
_NOSE_SPAN: Final = 0.4

_MARKS: Final = np.array([(20, 22), (44, 22), (23, 48), (41, 48)], np.float64)
# Where eyes and corners of the mouth come to lie in a face of 64x64 pixels.
_EYES, _MOUTH = (slice(18, 27), slice(15, 50)), (slice(44, 54), slice(24, 41))
_CHEEKS = np.r_[17:25, 40:48]
_EDGES: Final = 0.4
_COLOURS: Final = 20.0


def judge(quality: FaceQuality, confidence: float, *, purpose: Purpose) -> str:
    """Return the first reason not to use a face, a code of `FLAWS`; "" for none.

    Args:
        quality: Of the face.
        confidence: The detector's, 0..1.
        purpose: To enrol a person by it, or to match it; the first is stricter.
    """
    if not confidence >= _CONFIDENCE[purpose]:
        return "unsure"
    if not quality.size >= _SMALLEST[purpose]:
        return "too_small"
    if not abs(quality.roll) <= UPSIDE_DOWN:
        return "upside_down"
    if not (abs(quality.yaw) <= _TURN[purpose] and abs(quality.pitch) <= _TILT[purpose]):
        return "turned"
    if not quality.sharpness >= _SHARPNESS[purpose]:
        return "blurred"
    return ""


def flaw_of(faces: sv.Detections, index: int, *, purpose: Purpose) -> str:
    """Return the first reason not to use one of the faces that were found, or "".

    As `judge`, but it also knows what only the picture can tell: that a face is covered.
    """
    confidence = 1.0 if faces.confidence is None else float(faces.confidence[index])
    flaw = judge(quality_of(faces, index), confidence, purpose=purpose)
    covered = str(faces.data["flaw"][index]) == "covered" if "flaw" in faces.data else False
    return flaw or ("covered" if covered else "")


def is_covered(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> bool:
    """Return whether mouth and nose are hidden, as by a mask."""
    matrix, _ = cv2.estimateAffinePartial2D(
        landmarks[[0, 1, 3, 4]].astype(np.float64), _MARKS, method=cv2.LMEDS
    )
    if matrix is None or not np.isfinite(matrix).all():
        return False
    face = cv2.warpAffine(image, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR)
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    edges = np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    if edges[_MOUTH].mean() < _EDGES * edges[_EYES].mean():
        return True
    colours = cv2.cvtColor(face, cv2.COLOR_BGR2LAB)[:, :, 1:].astype(np.float64)
    cheeks = np.median(colours[26:34, _CHEEKS].reshape(-1, 2), axis=0)
    mouth = np.median(colours[42:58, 22:43].reshape(-1, 2), axis=0)
    return bool(np.hypot(*(mouth - cheeks)) > _COLOURS)


def measure(
    image: NDArray[np.uint8], box: NDArray[np.float32], landmarks: NDArray[np.float32]
) -> FaceQuality:
    """Return the quality of one face."""
    yaw, pitch, roll = _pose(landmarks.astype(np.float64))
    size = float(min(box[2] - box[0], box[3] - box[1]))
    return FaceQuality(size, _sharpness(image, box), yaw, pitch, roll)


def _pose(landmarks: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return yaw and pitch as shares, and roll in degrees."""
    right, left, nose, *mouth = landmarks
    across = left - right
    roll = float(np.degrees(np.arctan2(across[1], across[0])))
    length = float(np.hypot(*across))
    if length == 0:
        return 0.0, 0.0, roll
    along = across / length
    down = np.array([-along[1], along[0]])
    from_right, to_left = (nose - right) @ along, (left - nose) @ along
    yaw = float(np.clip((from_right - to_left) / length, -1, 1))
    eyes, lips = (right + left) / 2, np.mean(mouth, axis=0)
    height = (lips - eyes) @ down
    if height <= 0:
        return yaw, -1.0, roll
    pitch = float(np.clip((_NOSE_HEIGHT - (nose - eyes) @ down / height) / _NOSE_SPAN, -1, 1))
    return yaw, pitch, roll


def _sharpness(image: NDArray[np.uint8], box: NDArray[np.float32]) -> float:
    height, width = image.shape[:2]
    low = np.clip(np.floor(box[:2]), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(box[2:]), low + 1, (width, height)).astype(int)
    grey = cv2.cvtColor(image[low[1] : high[1], low[0] : high[0]], cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    contrast = float(small.std())
    if contrast < 1:
        return 0.0
    detail = float(cv2.Laplacian(small, cv2.CV_32F).std())
    return float(np.clip(detail / contrast, 0, 1))
