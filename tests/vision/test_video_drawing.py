"""What is drawn on frames, and what is taken from them on the way: heat, snapshots, blur."""

import cv2
import numpy as np
import pytest
import supervision as sv
from hypothesis import given
from hypothesis import strategies as st

from vision.analytics.heat import HeatMap
from vision.analytics.snapshots import BestSnapshots
from vision.drawing.blur import blur_boxes
from vision.drawing.styles import DRAWN
from vision.drawing.video import FrameDrawer
from vision.motion import MotionResult

WIDTH, HEIGHT = 160, 120


def picture() -> np.ndarray:
    random = np.random.default_rng(3)
    return random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def people(
    *boxes: tuple[float, float, float, float], names: list[str] | None = None
) -> sv.Detections:
    count = len(boxes)
    return sv.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.full(count, 0.8, np.float32),
        class_id=np.zeros(count, int),
        tracker_id=np.arange(1, count + 1),
        data={"class_name": np.array(names or ["person"] * count, dtype=object)},
    )


@pytest.mark.parametrize("style", ["boxes", "trails", "heat"])
def test_every_style_changes_the_frame(style: str) -> None:
    drawer = FrameDrawer([style], width=WIDTH, height=HEIGHT)
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    for step in range(3):
        drawer.draw(image, people((20 + 9 * step, 30, 60 + 9 * step, 100)), timestamp=step / 10)
    assert (image != 60).any()


def test_masks_fill_what_they_cover() -> None:
    found = people((20, 30, 60, 100))
    found.mask = np.zeros((1, HEIGHT, WIDTH), bool)
    found.mask[0, 40:90, 30:50] = True
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    FrameDrawer(["masks"], width=WIDTH, height=HEIGHT).draw(image, found, timestamp=0.0)
    changed = (image != 60).any(axis=2)
    assert changed[45:85, 35:45].all()
    assert not changed[:35].any()


def test_nothing_is_drawn_when_nothing_was_asked_for() -> None:
    image = picture()
    before = image.copy()
    drawer = FrameDrawer([], width=WIDTH, height=HEIGHT)
    drawer.draw(image, people((20, 30, 60, 100)), timestamp=0.0)
    np.testing.assert_array_equal(image, before)


def test_an_empty_frame_stays_as_it_is() -> None:
    image = picture()
    before = image.copy()
    FrameDrawer(DRAWN, width=WIDTH, height=HEIGHT).draw(image, sv.Detections.empty(), timestamp=0.0)
    np.testing.assert_array_equal(image, before)


def test_trails_fade_after_some_seconds() -> None:
    drawer = FrameDrawer(["trails"], width=WIDTH, height=HEIGHT)
    for step in range(3):
        drawer.draw(picture(), people((20 + 9 * step, 30, 60, 100)), timestamp=step / 10)
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    drawer.draw(image, sv.Detections.empty(), timestamp=1.0)
    assert (image != 60).any()
    image[:] = 60
    drawer.draw(image, sv.Detections.empty(), timestamp=9.0)
    assert (image == 60).all()


def test_moving_areas_are_framed() -> None:
    motion = MotionResult(np.array([[10, 10, 70, 60]], np.float32), 0.15, True)
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    FrameDrawer(["boxes"], width=WIDTH, height=HEIGHT).draw(
        image, sv.Detections.empty(), timestamp=0.0, motion=motion
    )
    assert (image[10, 10:70] != 60).any()


def test_a_style_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="glitter"):
        FrameDrawer(["glitter"], width=WIDTH, height=HEIGHT)


def test_people_become_unrecognisable_and_everything_else_stays() -> None:
    image = picture()
    before = image.copy()
    blur_boxes(image, np.array([[20, 30, 60, 100]], np.float32))
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[30:100, 20:60] = False
    np.testing.assert_array_equal(image[outside], before[outside])
    detail = cv2.Laplacian(image[30:100, 20:60], cv2.CV_32F).std()
    assert detail < 0.05 * cv2.Laplacian(before[30:100, 20:60], cv2.CV_32F).std()


@given(
    st.lists(
        st.tuples(*[st.floats(-300, 400, allow_nan=False, width=32) for _ in range(4)]), max_size=5
    )
)
def test_boxes_beyond_the_picture_harm_nothing(boxes: list[tuple[float, ...]]) -> None:
    image = picture()
    array = np.array(boxes, np.float32).reshape(-1, 4)
    blur_boxes(image, array)
    heat = HeatMap(WIDTH, HEIGHT)
    heat.add(array)
    assert np.isfinite(heat.counts).all()
    assert heat.picture().shape[2] == 4


def test_the_heat_map_is_hottest_where_somebody_stood_longest() -> None:
    heat = HeatMap(640, 480)
    heat.add(np.array([[100, 100, 160, 300]]), weight=9.0)
    heat.add(np.array([[400, 100, 460, 300]]), weight=1.0)
    row, column = np.unravel_index(heat.counts.argmax(), heat.counts.shape)
    scale = 640 / heat.counts.shape[1]
    assert abs(column * scale - 130) < 12
    assert abs(row * scale - 300) < 12
    alpha = heat.picture()[..., 3]
    assert alpha[0, 0] == 0
    assert alpha.max() == 255


def test_an_empty_heat_map_is_transparent() -> None:
    heat = HeatMap(64, 48)
    image = np.full((48, 64, 3), 9, np.uint8)
    heat.blend(image, 0.5)
    assert (image == 9).all()
    assert not heat.picture()[..., 3].any()


def test_the_best_look_is_large_and_whole() -> None:
    snapshots = BestSnapshots()
    image = picture()
    snapshots.add(image, people((0, 30, 50, 119)))  # cut off by the edge
    snapshots.add(image, people((40, 20, 90, 100)))
    snapshots.add(image, people((60, 50, 70, 70)))
    jpeg = snapshots.take(1)
    assert jpeg is not None
    kept = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert 80 <= kept.shape[0] <= 100
    assert snapshots.take(1) is None


def test_a_predicted_box_is_no_look() -> None:
    snapshots = BestSnapshots()
    found = people((40, 20, 90, 100))
    found.data["predicted"] = np.array([True])
    snapshots.add(picture(), found)
    assert snapshots.take(1) is None


def test_large_looks_are_made_small() -> None:
    snapshots = BestSnapshots()
    snapshots.add(np.zeros((1200, 900, 3), np.uint8), people((100, 100, 700, 1100)))
    jpeg = snapshots.take(1)
    assert jpeg is not None
    assert max(cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1).shape) == 256
