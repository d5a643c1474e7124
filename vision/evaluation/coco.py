"""Average precision as COCO defines it, computed by pycocotools.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; the measures are those of
https://cocodataset.org/#detection-eval.
"""

import contextlib
import copy
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vision.encoding.masks import masks_to_rle
from vision.sources.pictures import decode_picture
from vision.weights.cards import COCO_CLASSES

Detect = Callable[[Sequence[NDArray[np.uint8]]], list[sv.Detections]]
"""Takes (H, W, 3) BGR images, gives the detections of each."""

_BATCH: Final = 8


@dataclass(frozen=True, slots=True)
class CocoMetrics:
    """Average precision and recall over all classes, each 0..1.

    NaN where nothing of the kind is in the ground truth.

    Attributes:
        map50_95: Mean AP over IoU 0.50, 0.55, ... 0.95; the number that COCO ranks by.
        map50: Mean AP at IoU 0.50.
        map75: Mean AP at IoU 0.75.
        map_small: ``map50_95`` of objects below 32 x 32 pixels.
        map_medium: ``map50_95`` of objects between.
        map_large: ``map50_95`` of objects above 96 x 96 pixels.
        mar100: Mean recall over the same IoUs with 100 detections a picture.
    """

    map50_95: float
    map50: float
    map75: float
    map_small: float
    map_medium: float
    map_large: float
    mar100: float


@dataclass(frozen=True, slots=True)
class CocoResult:
    """What ``evaluate`` answers.

    Attributes:
        box: Measures of the boxes.
        mask: Measures of the masks; None when no prediction carries any.
        images: Pictures that were scored.
        objects: Objects in their ground truth.
    """

    box: CocoMetrics
    mask: CocoMetrics | None
    images: int
    objects: int


def evaluate(
    predictions: Mapping[str, sv.Detections],
    instances: Path,
    *,
    classes: Sequence[str] = COCO_CLASSES,
) -> CocoResult:
    """Score predictions against a COCO ``instances.json``.

    Args:
        predictions: Detections by file name of the picture, as ``instances.json`` names it. Only
            these pictures are scored; one without objects still counts with empty detections.
        instances: Ground truth.
        classes: Class names by class id; matched to the categories of the ground truth by name.

    Raises:
        ValueError: A picture is not in the ground truth, or a class has no category there.
    """
    document = json.loads(instances.read_text(encoding="utf-8"))
    image_ids = {image["file_name"]: image["id"] for image in document["images"]}
    unknown = sorted(set(predictions) - set(image_ids))
    if unknown:
        raise ValueError(f"{instances.name} has no picture {unknown[0]!r}")
    categories = {item["name"]: int(item["id"]) for item in document["categories"]}
    scored = [image_ids[name] for name in predictions]
    results = [
        row
        for name, detections in predictions.items()
        for row in _result_rows(detections, image_ids[name], classes, categories)
    ]
    with_masks = any("segmentation" in row for row in results)
    return CocoResult(
        box=_score(document, results, scored, "bbox"),
        mask=_score(_outlined(document), results, scored, "segm") if with_masks else None,
        images=len(scored),
        objects=sum(item["image_id"] in set(scored) for item in document["annotations"]),
    )


def detect_folder(
    detect: Detect,
    folder: Path,
    instances: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, sv.Detections]:
    """Run a detector over the pictures of a ground truth.

    Score with a low confidence threshold (0.001): precision is averaged over all recalls.

    Args:
        detect: Called with a few images at a time.
        folder: Where the pictures are.
        instances: COCO ground truth that names them.
        on_progress: Called with (pictures done, pictures in all).

    Returns:
        Detections by file name, for ``evaluate``.
    """
    images = json.loads(instances.read_text(encoding="utf-8"))["images"]
    names = [str(image["file_name"]) for image in images]
    found: dict[str, sv.Detections] = {}
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        pictures = [decode_picture((folder / name).read_bytes()) for name in batch]
        found.update(zip(batch, detect(pictures), strict=True))
        if on_progress is not None:
            on_progress(len(found), len(names))
    return found


def _result_rows(
    detections: sv.Detections,
    image_id: int,
    classes: Sequence[str],
    categories: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Return detections in the results format of COCO."""
    if len(detections) == 0:
        return []
    if detections.class_id is None or detections.confidence is None:
        raise ValueError("detections need class_id and confidence to be scored")
    names = [classes[int(class_id)] for class_id in detections.class_id]
    missing = set(names) - categories.keys()
    if missing:
        raise ValueError(f"the ground truth has no category {min(missing)!r}")
    corners = np.asarray(detections.xyxy, np.float64)
    boxes = np.concatenate((corners[:, :2], corners[:, 2:] - corners[:, :2]), axis=1).tolist()
    rows = [
        {"image_id": image_id, "category_id": categories[name], "bbox": box, "score": score}
        for name, box, score in zip(names, boxes, detections.confidence.tolist(), strict=True)
    ]
    for row, mask in zip(rows, masks_to_rle(detections), strict=False):
        row["segmentation"] = mask
    return rows


def _outlined(document: dict[str, Any]) -> dict[str, Any]:
    """Return the ground truth for masks: an object without an outline is there, but not scored.

    Such an object becomes a crowd of the size of its box, so that masks on it count neither as
    right nor as wrong; pycocotools would fail on it.
    """
    annotations = []
    for item in document["annotations"]:
        outline = item.get("segmentation")
        if not outline or (isinstance(outline, list) and any(len(ring) < 6 for ring in outline)):
            x, y, w, h = item["bbox"]
            ring = [x, y, x + w, y, x + w, y + h, x, y + h]
            item = {**item, "segmentation": [ring], "iscrowd": 1}
        annotations.append(item)
    return {**document, "annotations": annotations}


def _score(
    document: dict[str, Any],
    results: list[dict[str, Any]],
    image_ids: list[int],
    kind: Literal["bbox", "segm"],
) -> CocoMetrics:
    wanted = set(image_ids)
    if not any(item["image_id"] in wanted for item in document["annotations"]):
        return CocoMetrics(*[float("nan")] * 7)
    if not results:
        return CocoMetrics(*[0.0] * 7)
    # Boxes and masks apart: loadRes takes the sizes of objects from masks where there are any.
    rows = [
        {key: value for key, value in row.items() if kind == "segm" or key != "segmentation"}
        for row in results
        if kind != "segm" or "segmentation" in row
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth: Any = COCO()
        # COCOeval writes into the annotations that it is given.
        truth.dataset = copy.deepcopy(document)
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(rows), kind)
        evaluation.params.imgIds = image_ids
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    stats = [float("nan") if value < 0 else float(value) for value in evaluation.stats]
    return CocoMetrics(*(stats[at] for at in (0, 1, 2, 3, 4, 5, 8)))
