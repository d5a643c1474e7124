"""The JSON of found objects, built from arrays and rows without a serializer in between.

A picture may hold 300 objects and a client may ask a hundred times a second: this is the one
place in the API where the shape is written by hand. Its description is in ``serializers.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.services.answers import Answer, Refusal
from vision.encoding.masks import masks_to_rle
from vision.encoding.polygons import rle_to_polygons

MASK_FORMS = ("polygons", "rle", "none")


def detections_json(detections: Detections, *, masks: str = "polygons") -> list[dict[str, Any]]:
    """What the engine found, as the ``objects`` of an answer.

    Args:
        detections: Boxes in pixels; masks of the whole picture or None.
        masks: ``"polygons"``, ``"rle"`` or ``"none"``.
    """
    if len(detections) == 0:
        return []
    corners = np.asarray(detections.xyxy, dtype=np.float64)
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    columns = zip(
        np.asarray(detections.data["class_name"]).tolist(),
        np.asarray(detections.class_id).tolist(),
        np.asarray(detections.confidence, dtype=np.float64).round(4).tolist(),
        boxes.round(2).tolist(),
        strict=True,
    )
    objects = [
        {"class": name, "class_id": number, "confidence": confidence, "bbox": box}
        for name, number, confidence, box in columns
    ]
    if masks != "none" and detections.mask is not None:
        for item, rle in zip(objects, masks_to_rle(detections), strict=True):
            item.update(_mask_json(rle, masks))
    return objects


def answer_json(answer: Answer, *, masks: str = "polygons") -> dict[str, Any]:
    """One answer in the API's shape; see ``DetectionResultSerializer``."""
    objects = detections_json(answer.detections, masks=masks)
    payload = {
        "detections": len(objects),
        "objects": objects,
        "image": {"name": answer.name, "width": answer.width, "height": answer.height},
        "model": answer.run.model,
        "backend": answer.run.backend,
        "device": answer.run.device,
        "precision": answer.run.precision,
        "timings_ms": answer.timings_ms,
        "session": answer.session,
    }
    if answer.run.notice:
        payload["notice"] = answer.run.notice
    return payload


def entry_json(answer: Answer | Refusal, *, masks: str = "polygons") -> dict[str, Any]:
    """One of many answers: the answer itself, or why there is none."""
    if isinstance(answer, Answer):
        return answer_json(answer, masks=masks)
    error = {"code": answer.error.code, "message": answer.error.message, "fields": {}}
    return {"image": {"name": answer.name}, "error": error}


OBJECT_COLUMNS = (
    *("id", "session_id", "index", "class_name", "class_id"),
    *("confidence", "x", "y", "width", "height", "mask"),
)

if TYPE_CHECKING:
    from vision import Detections


def rows_json(rows: Iterable[Any], *, masks: str = "polygons") -> list[dict[str, Any]]:
    """Stored objects, given as tuples of ``OBJECT_COLUMNS``, in the shape of an answer."""
    return [_row_json(row, masks) for row in rows]


def dump_json(payload: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def _row_json(row: Any, masks: str) -> dict[str, Any]:
    number, session, index, name, class_id, confidence, x, y, width, height, mask = row
    item: dict[str, Any] = {
        "id": number,
        "session": str(session),
        "index": index,
        "class": name,
        "class_id": class_id,
        "confidence": round(confidence, 4),
        "bbox": [round(x, 2), round(y, 2), round(width, 2), round(height, 2)],
    }
    if mask is not None and masks != "none":
        item.update(_mask_json(mask, masks))
    return item


def _mask_json(rle: Any, masks: str) -> dict[str, Any]:
    return {"mask": rle} if masks == "rle" else {"polygons": rle_to_polygons(rle)}
