"""Making people, or their faces, unrecognisable in a single picture of a camera."""

from __future__ import annotations

import logging

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from common.inference import (
    InferenceUnavailable,
    Query,
    ask_workers,
    find_objects,
    get_engine,
    needs_engine,
)
from common.inference.messages import FaceQuery
from vision.drawing.blur import FACE_CELLS, blur_boxes
from vision.encoding.images import encode_jpeg
from vision.errors import VisionError
from vision.pipeline.faces import (
    FACE_CONFIDENCE,
    LEAST_FACE,
    faces_seen,
    look_for_faces,
    places_to_hide,
)
from vision.pipeline.hiding import HIDING_CONFIDENCE, PeopleToHide
from vision.pipeline.results import FacesSeen
from vision.structures import Priority

logger = logging.getLogger(__name__)


def hide_people_in(image: NDArray[np.uint8], model: str) -> bool:
    """Blur the people in a picture, in place; return whether anything could look for them.

    Args:
        image: (H, W, 3) uint8 BGR.
        model: Name of the card that looks for them.
    """
    found = _look_for_people(image, model)
    if found is None:
        return False
    people = PeopleToHide()
    people.look(found, 0.0)
    blur_boxes(image, people.boxes(found))
    return True


def hide_faces_in(image: NDArray[np.uint8], model: str) -> bool:
    """Blur the faces in a picture, in place; return whether anything could look for people.

    Where nothing can look for faces, the heads of people are blurred instead.

    Args:
        image: (H, W, 3) uint8 BGR.
        model: Name of the card that looks for people.
    """
    found = _look_for_people(image, model)
    if found is None:
        return False
    blur_boxes(image, places_to_hide(_look_for_faces(image), found), cells=FACE_CELLS)
    return True


def _look_for_people(image: NDArray[np.uint8], model: str) -> sv.Detections | None:
    query = Query(model=model, confidence=HIDING_CONFIDENCE, iou=0.7, classes=None, masks=False)
    try:
        if needs_engine():
            (found,) = find_objects([image], query, priority=Priority.INTERACTIVE)
        else:
            reply, _ = ask_workers(encode_jpeg(image), query).wait()
            found = reply.detections
    except (VisionError, InferenceUnavailable) as error:
        logger.warning("People could not be hidden in a picture: %s", error)
        return None
    return found


def _look_for_faces(image: NDArray[np.uint8]) -> FacesSeen:
    if needs_engine():
        return look_for_faces(get_engine(), image, priority=Priority.INTERACTIVE)
    query = FaceQuery(confidence=FACE_CONFIDENCE, minimum_size=LEAST_FACE, embed=False)
    try:
        reply, _ = ask_workers(encode_jpeg(image), query).wait()
    except (VisionError, InferenceUnavailable) as error:
        logger.warning("Nothing could look for faces in a picture: %s", error)
        return faces_seen(None)
    return faces_seen(reply.detections)
