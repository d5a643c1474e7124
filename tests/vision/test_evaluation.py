"""Scores are those of pycocotools: all for the truth itself, none for nothing."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import supervision as sv
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from vision.encoding.images import encode_png
from vision.evaluation import detect_folder, evaluate
from vision.weights import COCO_CLASSES

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

HEIGHT, WIDTH = 120, 160


def truth_of(path: Path, objects: list[tuple[int, str, tuple[int, int, int, int]]]) -> Path:
    """Write an instances.json of two pictures; objects are (picture, class, x y w h)."""
    categories = [{"id": 7 * n + 3, "name": name} for n, name in enumerate(COCO_CLASSES)]
    ids = {item["name"]: item["id"] for item in categories}
    annotations = [
        {
            "id": n + 1,
            "image_id": picture,
            "category_id": ids[name],
            "bbox": list(box),
            "area": box[2] * box[3],
            "iscrowd": 0,
            "segmentation": [
                [
                    *(box[0], box[1], box[0] + box[2], box[1]),
                    *(box[0] + box[2], box[1] + box[3], box[0], box[1] + box[3]),
                ]
            ],
        }
        for n, (picture, name, box) in enumerate(objects)
    ]
    images = [{"id": n, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT} for n in (1, 2)]
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return path


def detections(
    objects: list[tuple[str, tuple[int, int, int, int]]], *, masks: bool = False
) -> sv.Detections:
    if not objects:
        return sv.Detections.empty()
    boxes = np.array([box for _, box in objects], np.float32)
    boxes[:, 2:] += boxes[:, :2]
    found = sv.Detections(
        xyxy=boxes,
        confidence=np.linspace(0.9, 0.5, len(objects), dtype=np.float32),
        class_id=np.array([COCO_CLASSES.index(name) for name, _ in objects]),
    )
    if masks:
        found.mask = np.zeros((len(objects), HEIGHT, WIDTH), bool)
        for mask, (_, (x, y, w, h)) in zip(found.mask, objects, strict=True):
            mask[y : y + h, x : x + w] = True
    return found


CAT = ("cat", (10, 20, 50, 40))
DOG = ("dog", (80, 30, 60, 60))
TRUTH = [(1, *CAT), (1, *DOG), (2, *CAT)]


@pytest.mark.parametrize("masks", [True, False])
def test_the_truth_itself_scores_one(tmp_path: Path, masks: bool) -> None:
    instances = truth_of(tmp_path / "instances.json", TRUTH)
    result = evaluate(
        {
            "1.png": detections([CAT, DOG], masks=masks),
            "2.png": detections([CAT], masks=masks),
        },
        instances,
    )
    assert (result.images, result.objects) == (2, 3)
    assert result.box.map50_95 == result.box.map50 == result.box.mar100 == pytest.approx(1)
    assert (result.mask is not None) == masks
    if result.mask is not None:
        assert result.mask.map50_95 == pytest.approx(1)


def test_nothing_found_scores_zero(tmp_path: Path) -> None:
    instances = truth_of(tmp_path / "instances.json", TRUTH)
    result = evaluate({"1.png": detections([]), "2.png": detections([])}, instances)
    assert result.box.map50_95 == result.box.map50 == 0
    assert result.mask is None


def test_missed_and_misnamed_objects_cost(tmp_path: Path) -> None:
    instances = truth_of(tmp_path / "instances.json", TRUTH)
    found = {"1.png": detections([CAT, ("cow", DOG[1])]), "2.png": detections([CAT])}
    # Cats are all found, dogs are not; cows are not in the truth and do not count.
    assert evaluate(found, instances).box.map50_95 == pytest.approx(0.5)


def test_only_the_given_pictures_are_scored(tmp_path: Path) -> None:
    instances = truth_of(tmp_path / "instances.json", TRUTH)
    result = evaluate({"2.png": detections([CAT])}, instances)
    assert (result.images, result.objects) == (1, 1)
    assert result.box.map50 == pytest.approx(1)


@pytest.mark.parametrize("predictions", [{}, {"2.png": sv.Detections.empty()}])
def test_without_truth_there_is_no_score(
    tmp_path: Path, predictions: dict[str, sv.Detections]
) -> None:
    instances = truth_of(tmp_path / "instances.json", [(1, *CAT)])
    result = evaluate(predictions, instances)
    assert math.isnan(result.box.map50_95)
    assert result.objects == 0


def test_pictures_and_classes_must_be_known(tmp_path: Path) -> None:
    instances = truth_of(tmp_path / "instances.json", TRUTH)
    with pytest.raises(ValueError, match=r"'3\.png'"):
        evaluate({"3.png": detections([CAT])}, instances)
    with pytest.raises(ValueError, match="'unicorn'"):
        evaluate({"1.png": detections([CAT])}, instances, classes=["unicorn"] * 80)
    with pytest.raises(ValueError, match="confidence"):
        evaluate({"1.png": sv.Detections(xyxy=np.ones((1, 4), np.float32))}, instances)


def test_an_object_without_an_outline_counts_for_boxes_only(tmp_path: Path) -> None:
    instances = truth_of(tmp_path / "instances.json", TRUTH)
    document = json.loads(instances.read_text())
    document["annotations"][1]["segmentation"] = []
    instances.write_text(json.dumps(document))
    found = {"1.png": detections([CAT, DOG], masks=True), "2.png": detections([CAT], masks=True)}
    result = evaluate(found, instances)
    assert result.box.map50_95 == pytest.approx(1)
    assert result.mask is not None
    assert result.mask.map50_95 == pytest.approx(1)
    found["1.png"] = detections([CAT], masks=True)
    result = evaluate(found, instances)
    assert result.box.map50_95 == pytest.approx(0.5)
    assert result.mask is not None
    assert result.mask.map50_95 == pytest.approx(1)


def test_pycocotools_is_kept_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    instances = truth_of(tmp_path / "instances.json", TRUTH)
    evaluate({"2.png": detections([CAT], masks=True)}, instances)
    assert capsys.readouterr().out == ""


def test_a_detector_runs_over_a_folder(tmp_path: Path) -> None:
    instances = truth_of(tmp_path / "instances.json", TRUTH)
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(encode_png(np.zeros((HEIGHT, WIDTH, 3), np.uint8)))
    seen: list[tuple[int, int]] = []

    def detect(images: Any) -> list[sv.Detections]:
        assert all(image.shape == (HEIGHT, WIDTH, 3) for image in images)
        return [detections([CAT]) for _ in images]

    found = detect_folder(
        detect, tmp_path, instances, on_progress=lambda done, total: seen.append((done, total))
    )
    assert list(found) == ["1.png", "2.png"]
    assert seen == [(2, 2)]
    assert evaluate(found, instances).box.map50 == pytest.approx(0.5)


@pytest.mark.slow
@pytest.mark.data
def test_the_truth_of_real_pictures_scores_one(test_data: Path) -> None:
    instances = test_data / "images" / "coco" / "instances.json"
    truth = json.loads(instances.read_text())
    names = {item["id"]: item["name"] for item in truth["categories"]}
    predictions = {}
    for image in truth["images"]:
        objects = [a for a in truth["annotations"] if a["image_id"] == image["id"]]
        predictions[image["file_name"]] = _truth_as_detections(image, objects, names)
    result = evaluate(predictions, instances)
    assert result.images == len(truth["images"])
    assert result.objects == len(truth["annotations"])
    assert result.box.map50_95 == pytest.approx(1, abs=1e-6)
    assert result.mask is not None
    assert result.mask.map50_95 == pytest.approx(1, abs=1e-6)
    nothing = evaluate(dict.fromkeys(predictions, sv.Detections.empty()), instances)
    assert nothing.box.map50_95 == 0


def _truth_as_detections(
    image: dict[str, Any], objects: list[dict[str, Any]], names: dict[int, str]
) -> sv.Detections:
    if not objects:
        return sv.Detections.empty()
    boxes = np.array([item["bbox"] for item in objects], float)
    boxes[:, 2:] += boxes[:, :2]
    height, width = image["height"], image["width"]

    def paint(item: dict[str, Any]) -> NDArray[np.bool_]:
        x, y, w, h = item["bbox"]
        # A few objects of the data have no outline; their masks are not scored.
        outline = item["segmentation"] or [[x, y, x + w, y, x + w, y + h, x, y + h]]
        codes = coco_mask.frPyObjects(outline, height, width)
        return coco_mask.decode(coco_mask.merge(codes)).astype(bool)

    return sv.Detections(
        xyxy=boxes,
        confidence=np.ones(len(objects), np.float32),
        class_id=np.array([COCO_CLASSES.index(names[item["category_id"]]) for item in objects]),
        mask=np.stack([paint(item) for item in objects]),
    )
