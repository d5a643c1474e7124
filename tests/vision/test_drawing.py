"""Annotated pictures: on a copy, in stable colours, at every size."""

import itertools

import numpy as np
import pytest
import supervision as sv
from numpy.typing import NDArray
from supervision.detection.compact_mask import CompactMask

from vision.drawing import annotate, class_color, label_color
from vision.drawing.palette import color_to_bgr

GREY = 90


def picture(height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    return np.full((height, width, 3), GREY, np.uint8)


def detections(
    boxes: list[list[float]], classes: list[int], *, masks: NDArray[np.bool_] | None = None
) -> sv.Detections:
    return sv.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.full(len(boxes), 0.875, np.float32),
        class_id=np.array(classes, int),
        mask=masks,
        data={"class_name": np.array([f"class {n}" for n in classes])},
    )


def relative_luminance(color: str) -> float:
    blue, green, red = (
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (c / 255 for c in color_to_bgr(color))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# Colours


def test_colours_are_stable() -> None:
    # Stored pages and people's memories depend on them.
    assert [class_color(n) for n in range(4)] == ["#f75d59", "#1cdf9d", "#945ede", "#c78b0a"]


def test_colours_of_coco_differ() -> None:
    colors = [class_color(n) for n in range(80)]
    assert len(set(colors)) == 80
    values = np.array([color_to_bgr(color) for color in colors], float)
    for a, b in itertools.pairwise(values):
        assert np.abs(a - b).sum() > 90


@pytest.mark.parametrize("class_id", [-3, 0, 79, 80, 10_000])
def test_any_id_has_a_colour(class_id: int) -> None:
    color = class_color(class_id)
    assert len(color) == 7
    assert int(color[1:], 16) >= 0


def test_label_text_reads_on_every_colour() -> None:
    for class_id in range(200):
        background = class_color(class_id)
        pair = sorted(map(relative_luminance, (background, label_color(background))))
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5


@pytest.mark.parametrize(("color", "text"), [("#ffffff", "#000000"), ("#101040", "#ffffff")])
def test_text_is_black_on_light_and_white_on_dark(color: str, text: str) -> None:
    assert label_color(color) == text


# Annotation


def test_nothing_found_gives_an_equal_copy() -> None:
    image = picture()
    drawn = annotate(image, sv.Detections.empty())
    assert drawn is not image
    assert (drawn == image).all()


def test_the_picture_itself_is_left_alone() -> None:
    image = picture()
    drawn = annotate(image, detections([[50, 60, 200, 180]], [0]))
    assert (image == GREY).all()
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert tuple(drawn[120, 50]) == color_to_bgr(class_color(0))
    assert tuple(drawn[120, 199]) == color_to_bgr(class_color(0))
    assert (drawn[120, 60:190] == GREY).all()


@pytest.mark.parametrize("compact", [True, False])
def test_a_mask_tints_what_it_covers_only(compact: bool) -> None:
    mask = np.zeros((1, 240, 320), bool)
    mask[0, 80:160, 80:160] = True
    found = detections([[70, 70, 190, 170]], [1], masks=mask)
    if compact:
        found.mask = CompactMask.from_dense(mask, found.xyxy, (240, 320))
    drawn = annotate(picture(), found)
    tinted = drawn[120, 120].astype(float)
    color = np.array(color_to_bgr(class_color(1)), float)
    assert np.abs(tinted - (GREY * 0.58 + color * 0.42)).max() <= 1.5
    assert (drawn[75, 75:185] == GREY).all()
    assert (drawn[100:160, 170:185] == GREY).all()


@pytest.mark.parametrize(
    "box",
    [
        [-50, -50, 1000, 1000],
        [310, 230, 320, 240],
        [0, 0, 1, 1],
        [400, 400, 500, 500],
        [-90, -90, -10, -10],
        [100, 100, 100, 100],
        [120, 100, 100, 90],
        [-1e30, 0, 1e30, 50],
        [0, 0, 320, 8],
    ],
)
def test_boxes_at_and_beyond_the_edge_do_no_harm(box: list[float]) -> None:
    assert annotate(picture(), detections([box], [2])).shape == (240, 320, 3)


@pytest.mark.parametrize("size", [(1, 1), (8, 300), (300, 8), (32, 32), (2000, 1500)])
def test_every_picture_size_works(size: tuple[int, int]) -> None:
    height, width = size
    mask = np.ones((1, height, width), bool)
    found = detections([[0, 0, width, height]], [3], masks=mask)
    assert annotate(picture(height, width), found).shape == (height, width, 3)


def test_lines_grow_with_the_picture() -> None:
    def thickness(side: int) -> int:
        image = picture(side, side)
        box = [side * 0.25, side * 0.5, side * 0.75, side * 0.9]
        row = annotate(image, detections([box], [0]))[int(side * 0.8)]
        return int((row != GREY).any(axis=1).sum())

    assert thickness(320) < thickness(1600)


def test_names_come_from_the_caller_or_the_detections() -> None:
    found = detections([[50, 60, 200, 180]], [0])
    own = annotate(picture(), found)
    given = annotate(picture(), found, classes=["somebody else"])
    assert (own != given).any()
    bare = sv.Detections(xyxy=found.xyxy)
    assert (annotate(picture(), bare) != picture()).any()
    assert (annotate(picture(), found, classes=[]) != own).any()


def test_small_objects_are_drawn_over_large_ones() -> None:
    boxes = [[100, 100, 140, 140], [0, 20, 320, 240]]
    mask = np.zeros((2, 240, 320), bool)
    mask[0, 100:140, 100:140] = True
    mask[1, 20:240] = True
    drawn = annotate(picture(), detections(boxes, [1, 0], masks=mask))
    large = np.array(color_to_bgr(class_color(0)), float) * 0.42 + GREY * 0.58
    small = np.array(color_to_bgr(class_color(1)), float) * 0.42 + large * 0.58
    assert np.abs(drawn[125, 125] - small).max() <= 2
