"""Finding objects and faces, and painting, with the engine of this process."""

import time
from collections.abc import Sequence

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from common.inference.engine import get_engine
from common.inference.messages import FaceQuery, Painted, Query, StyleQuery
from vision.encoding.images import encode_jpeg
from vision.structures import Priority

CROP_QUALITY = 92
PAINTED_QUALITY = 90


def find_objects(
    images: Sequence[NDArray[np.uint8]], query: Query, *, priority: Priority
) -> list[sv.Detections]:
    """Return what the engine finds in pictures (HxWx3 uint8 BGR), in their order.

    ``metadata`` is the engine's, and ``reason`` says why another model answered than the one asked
    for; masks only where the query wants them.

    Raises:
        VisionError: The engine cannot answer.
    """
    engine = get_engine()
    found = engine.detect(
        images,
        model=query.model,
        confidence=query.confidence,
        iou=query.iou,
        classes=query.classes,
        priority=priority,
    )
    for detections in found:
        if not query.masks:
            detections.mask = None
        if detections.metadata.get("model", query.model) != query.model:
            detections.metadata["reason"] = str(engine.describe(query.model).reason)
    return found


def look_for_faces(
    image: NDArray[np.uint8], query: FaceQuery, *, priority: Priority
) -> tuple[sv.Detections, tuple[bytes, ...]]:
    """Return the faces in a picture (HxWx3 uint8 BGR), largest first, with their embeddings.

    ``metadata`` names the detector (``model``) and the ``embedder``, and has ``timings_ms`` with
    ``detect``, ``embed`` and ``total``.

    Args:
        image: The picture.
        query: Which are wanted, and what of them; without embeddings, those are NaN, and without
            crops the second value is empty.
        priority: Who goes first when several wait.

    Raises:
        VisionError: The engine cannot answer.
    """
    engine = get_engine().faces
    began = time.perf_counter()
    (faces,) = engine.detect(
        [image],
        minimum_size=query.minimum_size,
        confidence=query.confidence,
        priority=priority,
    )
    found = time.perf_counter()
    if query.embed:
        faces.data["embedding"] = engine.embed(image, faces, priority=priority)
    timings = {"detect": found - began, "embed": time.perf_counter() - found}
    timings["total"] = sum(timings.values())
    faces.metadata = {
        "model": engine.detector,
        **faces.metadata,
        "embedder": engine.embedder,
        "timings_ms": {name: round(seconds * 1000, 2) for name, seconds in timings.items()},
    }
    if not query.crops:
        return faces, ()
    cut = engine.crop(image, faces)
    return faces, tuple(encode_jpeg(face, quality=CROP_QUALITY) for face in cut)


def paint(image: NDArray[np.uint8], query: StyleQuery, *, priority: Priority) -> Painted:
    """Return a picture (HxWx3 uint8 BGR) in a fast style, as a JPEG.

    Args:
        image: The picture.
        query: Which style, and how.
        priority: Who goes first when several wait.

    Raises:
        VisionError: The picture is too small, or the engine cannot paint it.
    """
    made = get_engine().styles.stylize(
        query.network,
        image,
        longer_side=query.longer_side,
        keep_colours=query.keep_colours,
        priority=priority,
    )
    height, width = made.image.shape[:2]
    return Painted(encode_jpeg(made.image, quality=PAINTED_QUALITY), width, height, made.model)
