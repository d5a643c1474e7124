"""What the detectors of faces return among themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Found"]

Indices = NDArray[np.int64] | NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """Faces of one picture.

    Attributes:
        boxes: (N, 4) float32 xyxy, pixels.
        scores: (N,) float32, 0..1.
        landmarks: (N, 5, 2) float32, pixels: right eye, left eye, nose, corners of the mouth.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    @classmethod
    def none(cls) -> Found:
        """Return what is found where there is nothing."""
        return cls(
            np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32)
        )

    @classmethod
    def together(cls, parts: list[Found]) -> Found:
        """Return the faces of several looks, one after the other."""
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.landmarks for part in parts]),
        )

    def take(self, which: Indices) -> Found:
        """Return some of the faces."""
        return Found(self.boxes[which], self.scores[which], self.landmarks[which])

    def __len__(self) -> int:
        return len(self.boxes)
