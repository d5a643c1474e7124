"""Detected objects as plain rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import supervision as sv

from vision.encoding.masks import Rle, masks_to_rle


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One detected object.

    Attributes:
        class_id: Index into the model's classes.
        class_name: Its name.
        confidence: 0..1.
        x: Left edge in pixels.
        y: Top edge in pixels.
        width: Pixels.
        height: Pixels.
        mask: COCO code of the whole picture, or None.
    """

    class_id: int
    class_name: str
    confidence: float
    x: float
    y: float
    width: float
    height: float
    mask: Rle | None = None


def records_from_detections(detections: sv.Detections) -> list[ObjectRecord]:
    """Return the rows of detections, in their order.

    Missing class ids count as 0, missing names are the ids' digits, missing confidences are 1.
    """
    count = len(detections)
    boxes = np.asarray(detections.xyxy, np.float64).reshape(-1, 4).tolist()
    classes = _listed(detections.class_id, [0] * count)
    names = _listed(detections.data.get("class_name"), [str(item) for item in classes])
    confidences = _listed(detections.confidence, [1.0] * count)
    masks: Sequence[Rle | None] = masks_to_rle(detections) or [None] * count
    return [
        ObjectRecord(
            class_id=int(class_id),
            class_name=str(name),
            confidence=float(confidence),
            x=x1,
            y=y1,
            width=x2 - x1,
            height=y2 - y1,
            mask=mask,
        )
        for (x1, y1, x2, y2), class_id, name, confidence, mask in zip(
            boxes, classes, names, confidences, masks, strict=True
        )
    ]


def _listed(values: object, default: list[Any]) -> list[Any]:
    return default if values is None else list(np.asarray(values).tolist())
