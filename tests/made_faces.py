"""Faces that are made up, and an engine that finds them: for what needs no real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.errors import VisionError
from vision.faces import EMBEDDING_SIZE, QUALITY, no_faces

EMBEDDER = "made-up-128"


def face_of(person: int, *, distance: float = 0.0) -> NDArray[np.float32]:
    """Return an embedding of a made-up person, at a distance from their usual one.

    Two people are about 1.3 apart.
    """
    usual = _direction(person)
    return (usual * 0.95 + _direction(person + 10_000) * distance).astype(np.float32)


def _direction(seed: int) -> NDArray[np.float64]:
    vector = np.random.default_rng(seed).normal(size=EMBEDDING_SIZE)
    length: np.float64 = np.linalg.norm(vector)
    return vector / length


@dataclass(frozen=True)
class MadeFace:
    """What the engine shall find: whose face, where, how good."""

    embedding: NDArray[np.float32]
    box: tuple[float, float, float, float] = (10.0, 10.0, 110.0, 130.0)
    flaw: str = ""
    confidence: float = 0.95


class FakeFaces:
    """Finds the faces of `scene` in every picture, as the real engine reports them."""

    detector = "made-up"
    embedder = EMBEDDER

    def __init__(self, *scene: MadeFace) -> None:
        self.scene: Sequence[MadeFace] = scene
        self.error: VisionError | None = None
        self.calls = 0

    def detect(self, images: Sequence[Any], **options: Any) -> list[sv.Detections]:
        """Return the scene for each picture."""
        self.calls += 1
        if self.error is not None:
            raise self.error
        return [self._find() for _ in images]

    def embed(self, image: Any, faces: sv.Detections, **options: Any) -> NDArray[np.float32]:
        """Return the scene's embeddings, by the boxes."""
        known = {made.box: made.embedding for made in self.scene}
        rows = [known[tuple(box)] for box in faces.xyxy.tolist()]
        return np.array(rows, np.float32).reshape(-1, EMBEDDING_SIZE)

    def crop(self, image: Any, faces: sv.Detections) -> list[NDArray[np.uint8]]:
        """Return a grey picture for each face."""
        return [np.full((150, 150, 3), 90 + index, np.uint8) for index in range(len(faces))]

    def close(self) -> None:
        """Do nothing."""

    def _find(self) -> sv.Detections:
        if not self.scene:
            return no_faces()
        count = len(self.scene)
        quality = np.tile(np.array([100, 0.8, 0.0, 0.0, 0.0], np.float32), (count, 1))
        assert quality.shape[1] == len(QUALITY)
        return sv.Detections(
            xyxy=np.array([made.box for made in self.scene], np.float32),
            confidence=np.array([made.confidence for made in self.scene], np.float32),
            class_id=np.zeros(count, int),
            data={
                "class_name": np.array(["face"] * count),
                "landmarks": np.tile(
                    np.array([[40, 50], [80, 50], [60, 70], [45, 95], [75, 95]], np.float32),
                    (count, 1, 1),
                ),
                "quality": quality,
                "flaw": np.array([made.flaw for made in self.scene]),
                "embedding": np.full((count, EMBEDDING_SIZE), np.nan, np.float32),
            },
        )
