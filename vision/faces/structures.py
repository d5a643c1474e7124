"""What is known about a face.

Faces are `supervision.Detections` like everything that is found: ``xyxy`` (N, 4) float32 pixels,
``confidence`` (N,) float32, ``class_id`` 0, ``data["class_name"]`` "face", and beside them

- ``data["landmarks"]`` (N, 5, 2) float32 pixels: right eye, left eye, nose, right and left corner
  of the mouth, right and left as the person's,
- ``data["quality"]`` (N, 5) float32, the columns of `QUALITY`,
- ``data["flaw"]`` (N,) of `FLAWS`: the first reason not to match it; "" for none,
- ``data["embedding"]`` (N, 128) float32, once embedded; NaN for faces that were not.

``metadata`` has ``model``, ``embedder``, ``width`` and ``height``, and ``timings_ms``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

EMBEDDING_SIZE: Final = 128
QUALITY: Final = ("size", "sharpness", "yaw", "pitch", "roll")

FLAWS: Final = {
    "too_small": "The face is too small",
    "blurred": "The face is blurred",
    "turned": "The face is turned away",
    "upside_down": "The face is upside down",
    "covered": "The face is covered",
    "unsure": "It may not be a face",
}
"""Codes, and how they begin a sentence for a person."""

Embeddings = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """How well a face can be seen.

    Attributes:
        size: Shorter side of its box in pixels.
        sharpness: 0..1; 1 is as sharp as the sensor allows.
        yaw: -1..1; 0 looks into the camera, -1 and 1 are profiles.
        pitch: -1..1; below 0 looks down.
        roll: Degrees, -180..180; 0 is upright.
    """

    size: float
    sharpness: float
    yaw: float
    pitch: float
    roll: float

    def as_data(self) -> dict[str, float]:
        """Return it as rounded JSON values."""
        return {name: round(float(value), 3) for name, value in asdict(self).items()}


def quality_of(faces: sv.Detections, index: int) -> FaceQuality:
    """Return the quality of one face."""
    return FaceQuality(*(float(value) for value in faces.data["quality"][index]))


def no_faces() -> sv.Detections:
    """Return what is found in a picture without faces."""
    faces = sv.Detections.empty()
    faces.data = {
        "class_name": np.empty(0, dtype="<U16"),
        "landmarks": np.empty((0, 5, 2), np.float32),
        "quality": np.empty((0, len(QUALITY)), np.float32),
        "flaw": np.empty(0, dtype="<U16"),
        "embedding": np.empty((0, EMBEDDING_SIZE), np.float32),
    }
    return faces
