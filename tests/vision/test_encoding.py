"""What is written is what was found, and other tools read it."""

import csv
import io
import json
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
import supervision as sv
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from supervision.detection.compact_mask import CompactMask

from vision.encoding.coco import COCO_CATEGORY_IDS, CocoPicture, coco_dataset
from vision.encoding.csv import escape_cell, records_to_csv
from vision.encoding.images import encode_jpeg, encode_png
from vision.encoding.masks import Rle, masks_to_rle, rle_area, rle_to_polygons
from vision.encoding.records import ObjectRecord, records_from_detections
from vision.encoding.runs import runs_of
from vision.encoding.yolo import yolo_classes, yolo_labels
from vision.weights import COCO_CLASSES

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Mask = NDArray[np.bool_]

masks_of_any_shape = arrays(
    bool,
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    elements=st.booleans(),
    fill=st.just(False),
)


def reference(mask: Mask) -> Rle:
    code = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return Rle(size=list(code["size"]), counts=code["counts"].decode())


def decode(rle: Rle) -> Mask:
    return coco_mask.decode({"size": rle["size"], "counts": rle["counts"].encode()}).astype(bool)


def fill(polygons: list[list[float]], shape: tuple[int, ...], scale: int = 8) -> Mask:
    """Fill rings by the even-odd rule, finely, and take the pixels' majority."""
    canvas = np.zeros((shape[0] * scale, shape[1] * scale), np.uint8)
    rings = [
        np.rint(np.array(ring).reshape(-1, 2) * scale - 0.5).astype(np.int32) for ring in polygons
    ]
    if rings:
        cv2.fillPoly(canvas, rings, 1)
    shares = canvas.reshape(shape[0], scale, shape[1], scale).mean(axis=(1, 3))
    return shares > 0.5


def detections_of(masks: Mask, boxes: NDArray[np.float32], *, compact: bool) -> sv.Detections:
    count, height, width = masks.shape
    stored = CompactMask.from_dense(masks, boxes, (height, width)) if compact else masks
    return sv.Detections(
        xyxy=boxes,
        mask=stored,
        confidence=np.full(count, 0.5, np.float32),
        class_id=np.arange(count),
        data={"class_name": np.array([COCO_CLASSES[n] for n in range(count)])},
    )


def disc(height: int, width: int, x: float, y: float, radius: float) -> Mask:
    rows, columns = np.mgrid[:height, :width] + 0.5
    return np.asarray((columns - x) ** 2 + (rows - y) ** 2 < radius**2)


# Run-length codes


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_codes_equal_pycocotools(data: st.DataObject) -> None:
    mask = data.draw(masks_of_any_shape)
    height, width = mask.shape
    x1, x2 = sorted((data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, width - 1))))
    y1, y2 = sorted((data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, height - 1))))
    inside = np.zeros_like(mask)
    inside[y1 : y2 + 1, x1 : x2 + 1] = mask[y1 : y2 + 1, x1 : x2 + 1]
    box = np.array([[x1, y1, x2, y2]], np.float32)
    for compact in (True, False):
        (rle,) = masks_to_rle(detections_of(inside[None], box, compact=compact))
        assert rle == reference(inside)
    assert (decode(rle) == inside).all()
    assert rle_area(rle) == inside.sum()


@settings(max_examples=100, deadline=None)
@given(mask=masks_of_any_shape)
def test_runs_are_read_back(mask: Mask) -> None:
    runs = runs_of(reference(mask))
    values = np.arange(len(runs)) % 2 == 1
    assert (mask == np.repeat(values, runs).reshape(mask.shape[::-1]).T).all()


def test_long_runs_are_read_back() -> None:
    mask = np.zeros((3000, 4000), bool)
    mask[5, 7] = mask[2000:2900, 30:3900] = True
    rle = reference(mask)
    assert rle_area(rle) == mask.sum()
    polygons = rle_to_polygons(rle)
    assert polygons[1:] == [[7.0, 5.0, 7.0, 6.0, 8.0, 6.0, 8.0, 5.0]]
    assert sorted(polygons[0]) == sorted([30.0, 2000.0, 30.0, 2900.0, 3900.0, 2900, 3900, 2000])


@pytest.mark.parametrize("counts", ["\x00", "é", "zzz", "P", "1", "00000000z"])
def test_a_broken_code_is_refused(counts: str) -> None:
    with pytest.raises(ValueError, match="code"):
        runs_of(Rle(size=[4, 4], counts=counts))


def test_no_masks_give_no_codes() -> None:
    assert masks_to_rle(sv.Detections.empty()) == []
    assert masks_to_rle(sv.Detections(xyxy=np.zeros((2, 4), np.float32))) == []


def test_codes_of_a_large_picture_are_made_without_it() -> None:
    boxes = np.array([[5000, 9000, 5009, 9019]], np.float32)
    crop = CompactMask(
        [np.array([0, 200], np.int32)],
        np.array([[20, 10]], np.int32),
        np.array([[5000, 9000]], np.int32),
        (20_000, 20_000),
    )
    detections = sv.Detections(xyxy=boxes, class_id=np.array([0]))
    detections.mask = crop
    (rle,) = masks_to_rle(detections)
    assert rle["size"] == [20_000, 20_000]
    assert rle_area(rle) == 200
    assert rle_to_polygons(rle) == [
        [5000.0, 9000.0, 5000.0, 9020.0, 5010.0, 9020.0, 5010.0, 9000.0]
    ]


# Polygons


@settings(max_examples=100, deadline=None)
@given(mask=masks_of_any_shape)
def test_polygons_stay_on_the_picture(mask: Mask) -> None:
    polygons = rle_to_polygons(reference(mask))
    assert bool(polygons) == bool(mask.any())
    for ring in polygons:
        points = np.array(ring).reshape(-1, 2)
        assert len(points) >= 3
        assert (points >= 0).all()
        assert (points <= mask.shape[::-1]).all()


@pytest.mark.parametrize(
    ("mask", "rings", "least"),
    [
        (disc(80, 120, 60, 40, 30), 1, 0.98),
        (disc(80, 120, 60, 40, 30) & ~disc(80, 120, 60, 40, 15), 2, 0.96),
        (disc(80, 120, 25, 40, 20) | disc(80, 120, 90, 40, 25), 2, 0.97),
        (disc(80, 120, 60, 40, 3), 1, 0.85),
        (np.ones((5, 7), bool), 1, 1.0),
        (np.eye(9, dtype=bool), 1, 0.3),
        (np.zeros((4, 4), bool), 0, 1.0),
    ],
    ids=["disc", "ring", "two parts", "small", "whole picture", "diagonal", "nothing"],
)
def test_polygons_cover_the_mask(mask: Mask, rings: int, least: float) -> None:
    polygons = rle_to_polygons(reference(mask))
    assert len(polygons) == rings
    filled = fill(polygons, mask.shape)
    union = (filled | mask).sum()
    assert union == 0 or (filled & mask).sum() / union >= least


def test_a_rectangle_has_four_corners_and_a_pixel_is_one() -> None:
    mask = np.zeros((20, 30), bool)
    mask[5:15, 10:25] = True
    assert rle_to_polygons(reference(mask)) == [[10, 5, 10, 15, 25, 15, 25, 5]]
    mask[:] = False
    mask[19, 29] = True
    assert rle_to_polygons(reference(mask)) == [[29, 19, 29, 20, 30, 20, 30, 19]]


def test_holes_wind_the_other_way() -> None:
    mask = disc(80, 120, 60, 40, 30) & ~disc(80, 120, 60, 40, 15)
    outer, hole = (
        cv2.contourArea(np.array(ring, np.float32).reshape(-1, 1, 2), oriented=True)
        for ring in rle_to_polygons(reference(mask))
    )
    assert outer * hole < 0
    assert abs(outer + hole) == pytest.approx(mask.sum(), rel=0.03)


# Records


def test_records_are_plain_numbers() -> None:
    masks = np.stack((disc(40, 60, 20, 20, 9), disc(40, 60, 45, 20, 9)))
    boxes = np.array([[11, 11, 28, 28], [36, 11, 53, 28]], np.float32)
    first, second = records_from_detections(detections_of(masks, boxes, compact=True))
    assert (first.class_id, first.class_name, first.confidence) == (0, "person", 0.5)
    assert (second.x, second.y, second.width, second.height) == (36.0, 11.0, 17.0, 17.0)
    assert second.mask == reference(masks[1])
    json.dumps([first.class_id, first.confidence, first.x, first.mask])


def test_records_of_nothing_and_of_bare_boxes() -> None:
    assert records_from_detections(sv.Detections.empty()) == []
    (record,) = records_from_detections(sv.Detections(xyxy=np.array([[1, 2, 3, 5]], np.float32)))
    assert record == ObjectRecord(0, "0", 1.0, 1.0, 2.0, 2.0, 3.0, None)


# YOLO

boxes_within = st.tuples(*[st.floats(0, 1, width=32)] * 4, st.integers(0, 79))


@settings(max_examples=100, deadline=None)
@given(
    shares=st.lists(boxes_within, max_size=6),
    width=st.integers(1, 8000),
    height=st.integers(1, 8000),
)
def test_yolo_boxes_come_back(
    shares: list[tuple[float, float, float, float, int]], width: int, height: int
) -> None:
    records = []
    for a, b, c, d, class_id in shares:
        (x1, x2), (y1, y2) = sorted((a * width, c * width)), sorted((b * height, d * height))
        records.append(ObjectRecord(class_id, "x", 0.5, x1, y1, x2 - x1, y2 - y1))
    lines = yolo_labels(records, width=width, height=height).splitlines()
    assert len(lines) == len(records)
    for line, record in zip(lines, records, strict=True):
        class_id, *numbers = line.split()
        x, y, w, h = (float(number) for number in numbers)
        assert int(class_id) == record.class_id
        found = [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height]
        wanted = [record.x, record.y, record.width, record.height]
        assert found == pytest.approx(wanted, abs=2e-6 * max(width, height))


def test_yolo_rows_never_leave_the_picture() -> None:
    record = ObjectRecord(0, "person", 0.9, -10.0, 5.0, 200.0, 500.0)
    assert yolo_labels([record], width=100, height=100) == "0 0.500000 0.525000 1.000000 0.950000\n"
    assert yolo_labels([], width=100, height=100) == ""


def test_yolo_outlines_every_object_once_one_has_a_mask() -> None:
    ring = disc(80, 120, 35, 40, 30) & ~disc(80, 120, 35, 40, 12)
    mask = ring | disc(80, 120, 95, 40, 20)
    records = [
        ObjectRecord(3, "car", 0.9, 5, 10, 110, 60, reference(mask)),
        ObjectRecord(1, "bicycle", 0.9, 12, 8, 24, 16),
        ObjectRecord(2, "dog", 0.9, 12, 8, 24, 16, reference(np.zeros((80, 120), bool))),
    ]
    first, second, third = yolo_labels(records, width=120, height=80).splitlines()
    assert second == "1 0.100000 0.100000 0.300000 0.100000 0.300000 0.300000 0.100000 0.300000"
    assert third.split()[1:] == second.split()[1:]
    points = np.array(first.split()[1:], float).reshape(-1, 2) * (120, 80)
    filled = fill([points.ravel().tolist()], mask.shape)
    assert (filled & mask).sum() / (filled | mask).sum() > 0.93


def test_class_names_stand_one_to_a_line() -> None:
    assert yolo_classes(["person", "traffic\nlight"]) == "person\ntraffic light\n"


# CSV


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("person", "person"),
        ("a=b", "a=b"),
        ("", ""),
        *[(f"{start}cmd()", f"'{start}cmd()") for start in ("=", "+", "-", "@", "\t", "\r", " =")],
    ],
)
def test_formulas_are_defused(cell: str, wanted: str) -> None:
    assert escape_cell(cell) == wanted


def test_csv_rows_read_back() -> None:
    records = [
        ObjectRecord(0, 'pers"on, big', 0.98765, -1.5, 2.0, 3.333, 4.0),
        ObjectRecord(1, "=HYPERLINK()", 0.5, 0, 0, 1, 1),
    ]
    rows = list(csv.reader(io.StringIO(records_to_csv(records, image="@home.jpg"))))
    assert rows == [
        ["image", "index", "class_id", "class", "confidence", "x", "y", "width", "height"],
        ["'@home.jpg", "0", "0", 'pers"on, big', "0.9877", "-1.50", "2.00", "3.33", "4.00"],
        ["'@home.jpg", "1", "1", "'=HYPERLINK()", "0.5000", "0.00", "0.00", "1.00", "1.00"],
    ]
    assert records_to_csv([]).splitlines() == ["index,class_id,class,confidence,x,y,width,height"]


# COCO


def test_a_coco_document_is_read_by_pycocotools(tmp_path: object) -> None:
    from pycocotools.coco import COCO

    solid = disc(80, 120, 60, 40, 30)
    hollow = solid & ~disc(80, 120, 60, 40, 15)
    records = [
        ObjectRecord(0, "person", 0.91234567, 1.239, 2, 30, 40),
        ObjectRecord(79, "toothbrush", 0.5, 30, 10, 60, 60, reference(solid)),
        ObjectRecord(11, "stop sign", 0.5, 30, 10, 60, 60, reference(hollow)),
    ]
    document = coco_dataset(
        [CocoPicture("a.jpg", 120, 80, records), CocoPicture("b.jpg", 9, 9, [])],
        classes=COCO_CLASSES,
        description="test",
        created=datetime(2026, 1, 2, tzinfo=UTC),
    )
    document = json.loads(json.dumps(document))
    assert document["info"]["date_created"] == "2026-01-02T00:00:00+00:00"
    boxed, solid_row, hollow_row = document["annotations"]
    assert boxed["bbox"] == [1.24, 2, 30, 40]
    assert boxed["area"] == 1200
    assert boxed["score"] == 0.91235
    assert [row["category_id"] for row in document["annotations"]] == [1, 90, 13]
    assert isinstance(solid_row["segmentation"], list)
    assert hollow_row["segmentation"] == reference(hollow)
    truth = COCO()
    truth.dataset = document
    truth.createIndex()
    for row, mask in ((solid_row, solid), (hollow_row, hollow)):
        found = truth.annToMask(row).astype(bool)
        assert (found & mask).sum() / (found | mask).sum() > 0.95
        assert row["area"] == mask.sum()


def test_coco_codes_on_request_and_own_classes() -> None:
    record = ObjectRecord(1, "bolt", 0.5, 0, 0, 4, 4, reference(np.ones((4, 4), bool)))
    document = coco_dataset(
        [CocoPicture("a.jpg", 4, 4, [record])], classes=["nut", "bolt"], segmentation="rle"
    )
    assert document["categories"][1] == {"id": 2, "name": "bolt", "supercategory": ""}
    assert document["annotations"][0]["category_id"] == 2
    assert document["annotations"][0]["segmentation"] == record.mask
    assert coco_dataset([], classes=[])["annotations"] == []


def test_coco_category_ids_have_their_gaps() -> None:
    by_name = dict(zip(COCO_CLASSES, COCO_CATEGORY_IDS, strict=True))
    assert by_name["person"] == 1
    assert by_name["stop sign"] == 13
    assert by_name["backpack"] == 27
    assert by_name["dining table"] == 67
    assert by_name["toothbrush"] == 90


# Pictures


def test_pictures_are_encoded() -> None:
    image = np.full((20, 30, 3), (10, 120, 240), np.uint8)
    png, jpeg = encode_png(image), encode_jpeg(image, 95)
    assert png.startswith(b"\x89PNG")
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert (cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) == image).all()
    assert len(encode_jpeg(image, 10)) < len(jpeg)


@pytest.mark.parametrize("shape", [(0, 5, 3), (70_000, 1, 3)])
def test_what_cannot_be_encoded_is_said(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="cannot be encoded"):
        encode_jpeg(np.zeros(shape, np.uint8))
