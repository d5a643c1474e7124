"""The seam of face engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.faces.structures import Embeddings
from vision.structures import Priority

__all__ = ["STAND_IN", "FaceEngine"]

STAND_IN: Final = "dlib-hog"
"""What finds faces while YuNet cannot be had; only upright ones of 40 pixels and more."""


class FaceEngine(Protocol):
    """Finds faces and turns each into 128 numbers; from any thread.

    Faces of one person lie closer together than those of two: Euclidean distance about 0.3 to
    0.6 against 0.6 to 1.0.
    """

    @property
    def detector(self) -> str:
        """Name of what finds the faces: ``yunet`` or ``dlib-hog``."""
        ...

    @property
    def embedder(self) -> str:
        """Name of what makes the embeddings; only those of one name can be compared."""
        ...

    def detect(
        self,
        images: Sequence[NDArray[np.uint8]],
        *,
        minimum_size: int = 20,
        confidence: float = 0.6,
        priority: Priority = Priority.INTERACTIVE,
    ) -> list[sv.Detections]:
        """Return the faces of each picture, largest first, with landmarks, quality and flaws.

        Args:
            images: (H, W, 3) uint8 BGR each; sizes may differ. An empty list gives an empty one.
            minimum_size: Pixels; smaller faces are not returned. In large pictures a second,
                slower look finds faces smaller than a 64th of the longer side.
            confidence: 0..1; less sure ones are not returned. HOG has no such measure.
            priority: Who goes first when several wait; live and interactive take turns.

        Raises:
            PictureError: ``bad_array``.
            VisionError: ``engine_closed``.
        """
        ...

    def embed(
        self,
        image: NDArray[np.uint8],
        faces: sv.Detections,
        *,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Embeddings:
        """Return the embeddings of faces of a picture, (N, 128) float32.

        The row of a box that is none (NaN, without area, beside the picture) is NaN.

        Raises:
            VisionError: ``engine_closed``, or the network cannot be loaded.
        """
        ...

    def crop(self, image: NDArray[np.uint8], faces: sv.Detections) -> list[NDArray[np.uint8]]:
        """Return each face upright, 150x150x3 uint8 BGR, as the network sees it."""
        ...

    def close(self) -> None:
        """Let go of everything. Idempotent."""
        ...
