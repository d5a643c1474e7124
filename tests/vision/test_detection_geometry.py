"""Letterbox, anchors and suppression against their references."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.benchmark.networks import random_picture
from vision.detection.candidates import Candidates, anchor_table, decode_boxes, logit, sigmoid
from vision.detection.letterbox import PAD_VALUE, STRIDE, plan_letterbox
from vision.detection.nms import non_max_suppression, suppress

SIDES = st.integers(1, 5000)

BUCKETS = [  # height, width, bucket
    (720, 1280, (384, 640)),
    (1080, 1920, (384, 640)),
    (480, 640, (480, 640)),
    (427, 640, (448, 640)),
    (640, 427, (640, 448)),
    (640, 640, (640, 640)),
    (1, 1, (640, 640)),
    (20, 4000, (32, 640)),
    (4000, 20, (640, 32)),
    (1, 20000, (32, 640)),
]


@pytest.mark.parametrize(("height", "width", "bucket"), BUCKETS)
def test_bucket_is_the_smallest_rectangle(height: int, width: int, bucket: tuple[int, int]) -> None:
    assert plan_letterbox(height, width).bucket == bucket


@pytest.mark.parametrize(("height", "width", "bucket"), BUCKETS)
def test_letterbox_writes_the_pixels_of_ultralytics(
    height: int, width: int, bucket: tuple[int, int]
) -> None:
    augment = pytest.importorskip("ultralytics.data.augment")
    picture = random_picture(height, width, seed=height)[:height, :width]
    out = np.zeros((*bucket, 3), np.uint8)
    plan_letterbox(height, width).apply(picture, out)
    expected = augment.LetterBox((640, 640), auto=True, stride=32)(image=picture)
    np.testing.assert_array_equal(out, expected)


def test_letterbox_overwrites_what_an_earlier_picture_left() -> None:
    plan = plan_letterbox(300, 640)
    out = np.full((*plan.bucket, 3), 7, np.uint8)
    plan.apply(np.zeros((300, 640, 3), np.uint8), out)
    assert set(np.unique(out)) == {0, PAD_VALUE}


@given(SIDES, SIDES)
def test_bucket_is_aligned_and_holds_the_content(height: int, width: int) -> None:
    plan = plan_letterbox(height, width)
    assert max(plan.bucket) == 640
    assert all(side % STRIDE == 0 and side > 0 for side in plan.bucket)
    assert plan.top + plan.content_height <= plan.bucket[0]
    assert plan.left + plan.content_width <= plan.bucket[1]
    assert plan.bucket[0] - plan.content_height < STRIDE
    assert plan.bucket[1] - plan.content_width < STRIDE


@given(SIDES, SIDES, st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_boxes_survive_the_way_into_the_bucket_and_back(
    height: int, width: int, fractions: list[float]
) -> None:
    plan = plan_letterbox(height, width)
    x1, x2 = sorted(value * width for value in fractions[:2])
    y1, y2 = sorted(value * height for value in fractions[2:])
    box = np.array([[x1, y1, x2, y2]], np.float32)
    gain = np.array([plan.gain_x, plan.gain_y] * 2, np.float32)
    inside = box * gain + np.array([plan.left, plan.top] * 2, np.float32)
    back = plan.boxes_to_picture(inside)
    np.testing.assert_allclose(back, box, atol=1e-3 + 2e-4 / float(gain.min()))


def test_boxes_are_clipped_to_the_picture() -> None:
    plan = plan_letterbox(720, 1280)
    (box,) = plan.boxes_to_picture(np.array([[-50, -50, 9999, 9999]], np.float32))
    assert box.tolist() == [0, 0, 1280, 720]


@pytest.mark.parametrize(("height", "width", "size"), [(0, 5, 640), (5, 0, 640), (5, 5, 600)])
def test_impossible_letterboxes_are_refused(height: int, width: int, size: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        plan_letterbox(height, width, size)


def test_a_peaked_distribution_decodes_to_its_bin() -> None:
    centres, strides = anchor_table((64, 32))
    assert len(centres) == 8 * 4 + 4 * 2 + 2 * 1
    distributions = np.full((1, 4, 16), -50, np.float32)
    distributions[0, [0, 1, 2, 3], [1, 2, 3, 4]] = 50
    found = Candidates(
        anchors=np.array([5]),
        logits=np.zeros(1, np.float32),
        class_ids=np.zeros(1, np.int64),
        distributions=distributions.reshape(1, -1),
    )
    x, y = centres[5] * strides[5]
    (box,) = decode_boxes(found, (64, 32))
    np.testing.assert_allclose(box, [x - 8, y - 16, x + 24, y + 32], rtol=1e-5)


@pytest.mark.parametrize("probability", [1e-6, 0.001, 0.25, 0.5, 0.999])
def test_logit_undoes_sigmoid(probability: float) -> None:
    value = np.array([logit(probability)], np.float32)
    assert sigmoid(value)[0] == pytest.approx(probability, rel=1e-4)


def test_logit_of_certainty_is_infinite() -> None:
    assert logit(0.0) == -math.inf
    assert logit(1.0) == math.inf


BOXES = st.lists(
    st.tuples(
        *(st.integers(0, 60) for _ in range(2)),
        *(st.integers(0, 40) for _ in range(2)),
        st.floats(0, 1, width=32),
        st.integers(0, 3),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(BOXES, st.sampled_from([0.0, 0.3, 0.45, 0.7, 1.0]))
def test_suppression_equals_torchvision(
    rows: list[tuple[int, int, int, int, float, int]], iou: float
) -> None:
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("torchvision.ops")
    table = np.array(rows, np.float32).reshape(-1, 6)
    boxes = np.concatenate((table[:, :2], table[:, :2] + table[:, 2:4]), axis=1)
    scores, classes = table[:, 4], table[:, 5].astype(np.int64)
    offset = torch.from_numpy(boxes + classes[:, None].astype(np.float32) * 7680)
    expected = ops.nms(offset, torch.from_numpy(scores.copy()), iou).numpy()
    kept = non_max_suppression(boxes, scores, classes, iou=iou, max_detections=1000)
    np.testing.assert_array_equal(kept, expected)


def test_suppression_works_across_blocks_and_stops_at_the_limit() -> None:
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("torchvision.ops")
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 600, (3000, 2))
    boxes = np.concatenate((corner, corner + rng.uniform(5, 90, (3000, 2))), axis=1)
    boxes = boxes.astype(np.float32)
    scores = rng.random(3000).astype(np.float32)
    expected = ops.nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.5).numpy()
    np.testing.assert_array_equal(suppress(boxes, scores, iou=0.5, limit=3000), expected)
    np.testing.assert_array_equal(suppress(boxes, scores, iou=0.5, limit=40), expected[:40])


def test_suppression_of_nothing_is_nothing() -> None:
    empty = np.empty((0, 4), np.float32)
    kept = non_max_suppression(empty, np.empty(0, np.float32), np.empty(0, np.int64))
    assert kept.tolist() == []
