"""Finding objects with the engine of this process."""

from collections.abc import Sequence

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from common.inference.engine import get_engine
from common.inference.messages import Query
from vision.structures import Priority


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
