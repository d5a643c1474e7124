"""Pictures of faces, embedded: by the engine, and by face_recognition to compare with."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from PIL import ImageFile

from vision.errors import VisionError
from vision.evaluation.faces_folder import FacePairs, LeftOut
from vision.faces.protocol import FaceEngine
from vision.faces.structures import EMBEDDING_SIZE, Embeddings
from vision.sources.pictures import decode_picture

__all__ = ["EmbeddedPictures", "embed_pictures", "embed_with_peer", "import_peer"]

# A second face this much smaller than the largest is somebody in the background.
_BACKGROUND: Final = 0.6
_LARGEST_FILE: Final = 64 * 1024 * 1024

Tell = Callable[[int, int], None]
_Embed = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float64], Callable[[int], Embeddings]]]


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedPictures:
    """One face of each picture.

    Attributes:
        embeddings: (N, 128) float32; NaN where there is no face to speak of.
        left_out: Those pictures, and why.
    """

    embeddings: Embeddings
    left_out: tuple[LeftOut, ...]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(N,) whether a picture has an embedding."""
        return np.asarray(np.isfinite(self.embeddings).all(axis=1))


def embed_pictures(
    faces: FaceEngine, pairs: FacePairs, *, tell: Tell | None = None
) -> EmbeddedPictures:
    """Find and embed the person of each picture.

    Args:
        faces: The engine.
        pairs: The pictures.
        tell: Called with how many pictures are done, and how many there are.
    """

    def look(image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], Callable[[int], Embeddings]]:
        found = faces.detect([image])[0]

        def embed(index: int) -> Embeddings:
            (embedding,) = faces.embed(image, cast(sv.Detections, found[[index]]))
            return np.asarray(embedding, np.float32)

        return np.asarray(found.xyxy, np.float64), embed

    return _embed_all(pairs, look, tell)


def embed_with_peer(pairs: FacePairs, *, tell: Tell | None = None) -> EmbeddedPictures:
    """Do the same with ``face_recognition``, called as its documentation calls it."""
    face_recognition = import_peer()

    def look(image: NDArray[np.uint8]) -> tuple[NDArray[np.float64], Callable[[int], Embeddings]]:
        rgb = np.ascontiguousarray(image[..., ::-1])
        places = face_recognition.face_locations(rgb)
        boxes = [(left, top, right, bottom) for top, right, bottom, left in places]

        def embed(index: int) -> Embeddings:
            (embedding,) = face_recognition.face_encodings(rgb, [places[index]])
            return np.asarray(embedding, np.float32)

        return np.array(boxes, np.float64).reshape(-1, 4), embed

    return _embed_all(pairs, look, tell)


def import_peer() -> Any:
    """Import ``face_recognition``, and undo what its import does to the rest of the process.

    It tells Pillow to fill up truncated pictures, and nothing would be refused any more.

    Raises:
        ImportError: It is not installed.
    """
    fills_up = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        with warnings.catch_warnings():  # its models still use pkg_resources
            warnings.simplefilter("ignore")
            return importlib.import_module("face_recognition")
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = fills_up


def _embed_all(pairs: FacePairs, look: _Embed, tell: Tell | None) -> EmbeddedPictures:
    embeddings = np.full((len(pairs.pictures), EMBEDDING_SIZE), np.nan, np.float32)
    left_out: list[LeftOut] = []
    for index, path in enumerate(pairs.pictures):
        try:
            image = decode_picture(_read(path))
            boxes, embed = look(image)
            embeddings[index] = embed(_choose(boxes, image.shape, pairs.is_central))
        except VisionError as error:
            left_out.append(LeftOut(path, error.message))
        if tell is not None:
            tell(index + 1, len(pairs.pictures))
    return EmbeddedPictures(embeddings, tuple(left_out))


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise VisionError("too_large", "The file is too large.")
        return path.read_bytes()
    except OSError as error:
        raise VisionError("unreadable", f"It cannot be read: {error.strerror}.") from error


def _choose(boxes: NDArray[np.float64], shape: tuple[int, ...], is_central: bool) -> int:
    """Return which face is the person's.

    Raises:
        VisionError: ``no_face``; ``several_faces`` where nobody knows who is meant.
    """
    if not len(boxes):
        raise VisionError("no_face", "No face was found.")
    if is_central:
        middle = np.array([shape[1], shape[0]]) / 2
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        return int(np.linalg.norm(centres - middle, axis=1).argmin())
    heights = boxes[:, 3] - boxes[:, 1]
    order = np.argsort(-heights, kind="stable")
    if len(order) > 1 and heights[order[1]] > _BACKGROUND * heights[order[0]]:
        raise VisionError("several_faces", "It shows several people.")
    return int(order[0])
