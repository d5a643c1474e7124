"""Making people unrecognisable in a single picture of a camera."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from common.inference import (
    InferenceUnavailable,
    Query,
    ask_workers,
    find_objects,
    needs_engine,
)
from vision.drawing.blur import blur_boxes
from vision.encoding.images import encode_jpeg
from vision.errors import VisionError
from vision.pipeline.hiding import HIDING_CONFIDENCE, PeopleToHide
from vision.structures import Priority

logger = logging.getLogger(__name__)


def hide_people_in(image: NDArray[np.uint8], model: str) -> bool:
    """Blur the people in a picture, in place; return whether anything could look for them.

    Args:
        image: (H, W, 3) uint8 BGR.
        model: Name of the card that looks for them.
    """
    query = Query(model=model, confidence=HIDING_CONFIDENCE, iou=0.7, classes=None, masks=False)
    try:
        if needs_engine():
            (found,) = find_objects([image], query, priority=Priority.INTERACTIVE)
        else:
            reply, _ = ask_workers(encode_jpeg(image), query).wait()
            found = reply.detections
    except (VisionError, InferenceUnavailable) as error:
        logger.warning("People could not be hidden in a picture: %s", error)
        return False
    people = PeopleToHide()
    people.look(found, 0.0)
    blur_boxes(image, people.boxes(found))
    return True
