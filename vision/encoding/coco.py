"""Records as a COCO data set: one JSON document for any number of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from vision.encoding.masks import rle_area
from vision.encoding.polygons import trace_parts
from vision.encoding.records import ObjectRecord
from vision.weights.cards import COCO_CLASSES

# COCO 2017 numbers its 80 classes from 1 to 90, with gaps.
_UNUSED_IDS: Final = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
COCO_CATEGORY_IDS: Final = tuple(n for n in range(1, 91) if n not in _UNUSED_IDS)
"""Official category id of each class of ``COCO_CLASSES``."""


@dataclass(frozen=True, slots=True)
class CocoPicture:
    """A picture and what was found in it; sizes in pixels."""

    file_name: str
    width: int
    height: int
    records: Sequence[ObjectRecord]


def coco_dataset(
    pictures: Sequence[CocoPicture],
    *,
    classes: Sequence[str],
    segmentation: Literal["polygons", "rle"] = "polygons",
    description: str = "",
    created: datetime | None = None,
) -> dict[str, Any]:
    """Return a COCO document, fit for ``json.dumps``.

    Args:
        pictures: Numbered from 1 in their order.
        classes: Names by class id. The 80 COCO classes keep their official category ids, any
            others are numbered from 1.
        segmentation: How masks are written. COCO polygons know no holes, so a mask with a hole is
            written as a run-length code either way.
        description: Goes into ``info``.
        created: Goes into ``info``; now by default.

    Returns:
        ``info``, ``licenses``, ``images``, ``annotations`` (each with its ``score``) and
        ``categories``.
    """
    created = created or datetime.now(UTC)
    ids = category_ids(classes)
    annotations: list[dict[str, Any]] = []
    for image_id, picture in enumerate(pictures, start=1):
        for record in picture.records:
            annotation = _annotation(record, ids[record.class_id], segmentation)
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, **annotation})
    return {
        "info": {
            "description": description,
            "version": "1.0",
            "year": created.year,
            "date_created": created.isoformat(timespec="seconds"),
        },
        "licenses": [],
        "images": [
            {"id": n, "file_name": item.file_name, "width": item.width, "height": item.height}
            for n, item in enumerate(pictures, start=1)
        ],
        "annotations": annotations,
        "categories": [
            {"id": number, "name": name, "supercategory": ""}
            for number, name in zip(ids, classes, strict=True)
        ],
    }


def category_ids(classes: Sequence[str]) -> tuple[int, ...]:
    """Return the COCO category id of each class id."""
    if tuple(classes) == COCO_CLASSES:
        return COCO_CATEGORY_IDS
    return tuple(range(1, len(classes) + 1))


def _annotation(
    record: ObjectRecord, category_id: int, segmentation: Literal["polygons", "rle"]
) -> dict[str, Any]:
    box = [round(value, 2) for value in (record.x, record.y, record.width, record.height)]
    annotation: dict[str, Any] = {
        "category_id": category_id,
        "bbox": box,
        "area": round(record.width * record.height, 2),
        "iscrowd": 0,
        "score": round(record.confidence, 5),
        "segmentation": [],
    }
    if record.mask is not None:
        annotation["area"] = rle_area(record.mask)
        parts = trace_parts(record.mask)
        if segmentation == "rle" or any(len(part) > 1 for part in parts):
            annotation["segmentation"] = dict(record.mask)
        else:
            annotation["segmentation"] = [part[0].ravel().tolist() for part in parts]
    return annotation
