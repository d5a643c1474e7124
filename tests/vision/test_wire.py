"""What another process reads is what was found."""

import msgpack
import numpy as np
import pytest
import supervision as sv
from numpy.typing import NDArray
from supervision.detection.compact_mask import CompactMask

from vision.encoding.masks import masks_to_rle
from vision.encoding.wire import pack_detections, unpack_detections

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

HEIGHT, WIDTH = 40, 60


def discs() -> NDArray[np.bool_]:
    """Two masks, one of which reaches over the picture's edge and out of its box."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    centres = ((12, 15, 9), (55, 35, 12))
    return np.stack([(x - cx) ** 2 + (y - cy) ** 2 < r * r for cx, cy, r in centres])


def found(mask: object = None) -> sv.Detections:
    boxes = np.array([[3.25, 6.5, 21.0, 24.0], [43, 23, 60, 40]], np.float32)
    detections = sv.Detections(
        xyxy=boxes,
        confidence=np.array([0.9000001, 0.31], np.float32),
        class_id=np.array([0, 16]),
        mask=mask,  # type: ignore[arg-type]
        data={"class_name": np.array(["person", "Hund"])},
    )
    detections.metadata = {
        "model": "yolov8n",
        "timings_ms": {"inference": np.float32(2.5), "queue": 0.0},
        "width": np.int64(WIDTH),
    }
    return detections


def compact() -> CompactMask:
    dense = discs()
    frame = np.tile(np.array([0, 0, WIDTH, HEIGHT], np.float32), (2, 1))
    return CompactMask.from_dense(dense, frame, (HEIGHT, WIDTH))


def tracked() -> sv.Detections:
    detections = found()
    detections.tracker_id = np.array([7, 8])
    detections.data["embedding"] = np.linspace(0, 1, 8, dtype=np.float32).reshape(2, 4)
    detections.data["keypoints"] = np.zeros((2, 17, 3), np.float32)
    return detections


def nothing_with_columns() -> sv.Detections:
    detections = found()[np.array([False, False])]
    assert isinstance(detections, sv.Detections)
    return detections


@pytest.mark.parametrize(
    "detections",
    [
        pytest.param(found(), id="boxes"),
        pytest.param(found(discs()), id="dense masks"),
        pytest.param(found(compact()), id="compact masks"),
        pytest.param(tracked(), id="tracks, embeddings and keypoints"),
        pytest.param(nothing_with_columns(), id="nothing"),
        pytest.param(sv.Detections.empty(), id="nothing at all"),
    ],
)
def test_detections_come_back_as_they_were(detections: sv.Detections) -> None:
    again = unpack_detections(pack_detections(detections))
    assert again.xyxy.dtype == np.float32
    for name in ("xyxy", "confidence", "class_id", "tracker_id"):
        before, after = getattr(detections, name), getattr(again, name)
        np.testing.assert_array_equal(after, before)
        assert before is None or after.dtype == before.dtype
    assert again.data.keys() == detections.data.keys()
    for name, column in detections.data.items():
        np.testing.assert_array_equal(again.data[name], column)
        assert np.asarray(again.data[name]).shape == np.asarray(column).shape
    assert masks_to_rle(again) == masks_to_rle(detections)
    assert again.metadata == detections.metadata


def test_what_comes_back_can_be_selected_and_changed() -> None:
    again = unpack_detections(pack_detections(found(compact())))
    again.xyxy[0, 0] = 0
    second = again[[1]]
    assert isinstance(second, sv.Detections)
    assert second.mask is not None
    np.testing.assert_array_equal(np.asarray(second.mask)[0], discs()[1])


def test_masks_stay_small() -> None:
    assert len(pack_detections(found(compact()))) < discs().nbytes / 4


def test_a_run_longer_than_two_bytes_is_kept() -> None:
    dense = np.zeros((1, 300, 400), np.bool_)
    dense[0, 290:, 399] = True
    detections = sv.Detections(xyxy=np.array([[399, 290, 400, 300]], np.float32), mask=dense)
    again = unpack_detections(pack_detections(detections))
    np.testing.assert_array_equal(np.asarray(again.mask), dense)


@pytest.mark.parametrize(
    "column",
    [np.array([object(), object()]), np.array([["a"], ["b"]]), np.array([1 + 2j, 0])],
)
def test_a_column_of_anything_else_is_refused(column: NDArray[np.generic]) -> None:
    detections = found()
    detections.data["odd"] = column
    with pytest.raises(ValueError, match="cannot travel"):
        pack_detections(detections)


def broken(**changes: object) -> bytes:
    return bytes(msgpack.packb({**msgpack.unpackb(pack_detections(found(compact()))), **changes}))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80\x04\x95 a pickle", id="a pickle"),
        pytest.param(msgpack.packb([1, 2]), id="a list"),
        pytest.param(msgpack.packb({}), id="no fields"),
        pytest.param(pack_detections(found())[:-3], id="cut off"),
        pytest.param(pack_detections(found()) + b"x", id="too long"),
        pytest.param(broken(xyxy=None), id="no boxes"),
        pytest.param(broken(xyxy=("<f4", (3, 4), b"1234")), id="a wrong size"),
        pytest.param(broken(xyxy=("|O", (1, 4), bytes(32))), id="memory as objects"),
        pytest.param(broken(xyxy=("nonsense", (1, 4), bytes(16))), id="no such type"),
        pytest.param(broken(confidence=("<f4", (1,), bytes(4))), id="too few confidences"),
        pytest.param(broken(masks={"picture": [4, 4]}), id="masks without runs"),
        pytest.param(broken(metadata=3), id="metadata that is none"),
    ],
)
def test_bytes_that_are_no_detections_are_refused(message: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the sentence says
        unpack_detections(message)
