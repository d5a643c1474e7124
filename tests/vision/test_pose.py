"""Poses: joints equal the peer's, on random networks always, on real ones too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import supervision as sv
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from networks import share_matched, use_ultralytics

from vision.benchmark.networks import random_picture, write_random_weights
from vision.detection.candidates import anchor_table
from vision.detection.keypoints import KEYPOINT_NAMES, attach_keypoints, decode_keypoints
from vision.detection.letterbox import plan_letterbox
from vision.encoding.wire import pack_detections, unpack_detections
from vision.engine import Engine
from vision.weights import WeightsStore

MODEL = "yolov8n-pose"
BACKENDS = ["openvino", "onnxruntime", "torch"]


@pytest.fixture(scope="session")
def random_pose(shared_folder: Path) -> Path:
    """A folder with ``yolov8n-pose.pt`` of seeded random weights."""
    use_ultralytics(shared_folder)
    folder = shared_folder / "pose-weights"
    with FileLock(shared_folder / "pose-weights.lock"):
        if not (folder / f"{MODEL}.pt").exists():
            write_random_weights(MODEL, folder)
    return folder


@pytest.fixture
def make_pose_engine(
    make_engine: Callable[..., Engine], random_pose: Path, cache_dir: Path
) -> Callable[..., Engine]:
    """Build engines over the random pose network."""
    store = WeightsStore(cache_dir / "pose-weights", [random_pose], allow_download=False)

    def make(**options: Any) -> Engine:
        return make_engine(weights=store, device="cpu", **options)

    return make


def joint_differences(ours: Any, peer: Any, *, box: float = 1.0) -> list[np.ndarray]:
    """Return (17, 3) differences of every pair of people whose boxes are the same.

    The peer sets joints that it sees badly to zero in some versions: those are left out as NaN.
    """
    found = []
    boxes, joints = peer.boxes.xyxy.numpy(), peer.keypoints.data.numpy()
    for index, own in enumerate(ours.xyxy):
        match = np.flatnonzero(np.abs(boxes - own).max(axis=1) < box) if len(boxes) else []
        if len(match):
            other = joints[match[0]]
            difference = np.abs(ours.data["keypoints"][index] - other)
            difference[(other[:, :2] == 0).all(axis=1), :2] = np.nan
            found.append(difference)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_joints_equal_the_peers_on_a_random_network(
    backend: str,
    make_pose_engine: Callable[..., Engine],
    random_pose: Path,
    load_peer: Callable[[Path], Any],
) -> None:
    engine = make_pose_engine(backend=backend, precision="fp32")
    differences = []
    for seed, size in enumerate([(720, 1280), (640, 427)]):
        picture = random_picture(*size, seed=seed)
        (ours,) = engine.detect([picture], model=MODEL)
        peer = load_peer(random_pose / f"{MODEL}.pt").predict(picture, verbose=False, device="cpu")[
            0
        ]
        assert share_matched(ours, peer, iou=0.99) >= 0.95
        differences += joint_differences(ours, peer)
    assert len(differences) > 20
    both = np.stack(differences)
    # A random network has boxes that are equal but for rounding: of two such ones the peer may keep
    # the other, with joints of its own.
    people = np.nanmax(both[..., :2], axis=(1, 2))
    assert np.quantile(people, 0.95) < 0.5
    assert np.quantile(both[..., 2].max(axis=1), 0.95) < 1e-3


def test_what_is_answered(make_pose_engine: Callable[..., Engine]) -> None:
    engine = make_pose_engine(precision="fp32")
    height, width = 300, 500
    (found,) = engine.detect([random_picture(height, width, seed=2)], model=MODEL)
    keypoints = found.data["keypoints"]
    assert len(found) > 0
    assert keypoints.shape == (len(found), len(KEYPOINT_NAMES), 3)
    assert keypoints.dtype == np.float32
    assert (keypoints >= 0).all()
    assert (keypoints[..., :2] <= [width, height]).all()
    assert (keypoints[..., 2] <= 1).all()
    assert set(found.data["class_name"]) == {"person"}
    assert engine.describe(MODEL).task == "pose"
    again = unpack_detections(pack_detections(found))
    np.testing.assert_array_equal(again.data["keypoints"], keypoints)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_nobody_has_no_joints(backend: str, make_pose_engine: Callable[..., Engine]) -> None:
    engine = make_pose_engine(backend=backend, precision="fp32")
    picture = random_picture(96, 128, seed=1)
    for options in ({"confidence": 1.0}, {"classes": []}, {"classes": [5]}):
        (found,) = engine.detect([picture], model=MODEL, **options)
        assert len(found) == 0
        assert found.data["keypoints"].shape == (0, 17, 3)


def test_an_engine_of_quantised_networks_gives_poses_in_float(
    make_pose_engine: Callable[..., Engine],
) -> None:
    engine = make_pose_engine(precision="int8")
    (found,) = engine.detect([random_picture(96, 128, seed=1)], model=MODEL)
    assert "keypoints" in found.data
    assert engine.describe(MODEL).precision in ("bf16", "fp32")


@given(
    st.integers(20, 1500),
    st.integers(20, 1500),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 16),
)
def test_a_joint_comes_back_where_it_was(
    height: int, width: int, x: float, y: float, confidence: float, joint: int
) -> None:
    letterbox = plan_letterbox(height, width)
    centres, strides = anchor_table(letterbox.bucket)
    anchor = len(centres) // 2
    point = np.array([x * width, y * height])
    gain = [letterbox.gain_x, letterbox.gain_y]
    in_bucket = point * gain + [letterbox.left, letterbox.top]
    clipped = min(max(confidence, 1e-6), 1 - 1e-6)
    raw = np.zeros((1, 51), np.float32)
    raw[0, joint * 3 : joint * 3 + 2] = (in_bucket / strides[anchor] - (centres[anchor] - 0.5)) / 2
    raw[0, joint * 3 + 2] = np.log(clipped / (1 - clipped))
    found = decode_keypoints(raw, np.array([anchor]), letterbox)
    np.testing.assert_allclose(found[0, joint, :2], point, atol=0.02)
    assert found[0, joint, 2] == pytest.approx(clipped, abs=1e-4)


def boxes(*rows: list[float], name: str = "person") -> sv.Detections:
    return sv.Detections(
        xyxy=np.array(rows, np.float32).reshape(-1, 4),
        class_id=np.zeros(len(rows), int),
        data={"class_name": np.array([name] * len(rows), dtype="U10")},
    )


def poses(*rows: list[float]) -> sv.Detections:
    """Return people whose joints all hold their row's number, from 1."""
    found = boxes(*rows)
    numbers = np.arange(1, len(rows) + 1, dtype=np.float32)
    found.data["keypoints"] = np.tile(numbers[:, None, None], (1, 17, 3))
    return found


@pytest.mark.parametrize(
    ("people", "posed", "expected"),
    [
        pytest.param(boxes(), poses(), [], id="nobody"),
        pytest.param(boxes([0, 0, 10, 20]), poses(), [0], id="no pose"),
        pytest.param(boxes([0, 0, 10, 20]), sv.Detections.empty(), [0], id="no keypoints at all"),
        pytest.param(boxes(), poses([0, 0, 10, 20]), [], id="a pose of nobody"),
        pytest.param(
            boxes([0, 0, 10, 20], [100, 0, 110, 20]),
            poses([101, 0, 110, 20], [0, 1, 10, 20]),
            [2, 1],
            id="each their own",
        ),
        pytest.param(
            boxes([0, 0, 10, 20], [1, 0, 11, 20]), poses([1, 0, 11, 20]), [0, 1], id="one pose"
        ),
        pytest.param(boxes([0, 0, 10, 20]), poses([50, 0, 60, 20]), [0], id="elsewhere"),
        pytest.param(boxes([0, 0, 9, 9], name="dog"), poses([0, 0, 9, 9]), [0], id="a dog"),
    ],
)
def test_joints_go_to_the_box_they_belong_to(
    people: sv.Detections, posed: sv.Detections, expected: list[float]
) -> None:
    found = attach_keypoints(people, posed)
    assert found.data["keypoints"].shape == (len(expected), 17, 3)
    assert found.data["keypoints"].dtype == np.float32
    assert found.data["keypoints"][:, 0, 0].tolist() == expected


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "precision", "pixels"),
    [
        ("openvino", "fp32", 0.5),
        ("openvino", "auto", 6.0),
        ("onnxruntime", "fp32", 0.5),
        ("torch", "fp32", 0.5),
    ],
)
def test_real_joints_equal_the_peers(
    backend: str,
    precision: str,
    pixels: float,
    make_engine: Callable[..., Engine],
    weights_dir: Path,
    cache_dir: Path,
    load_peer: Callable[[Path], Any],
) -> None:
    import ultralytics

    store = WeightsStore(cache_dir / "weights", [weights_dir], allow_download=False)
    engine = make_engine(backend=backend, precision=precision, weights=store, device="cpu")
    differences = []
    for name in ("bus.jpg", "zidane.jpg"):
        picture = cv2.imread(str(Path(ultralytics.__file__).parent / "assets" / name))
        (ours,) = engine.detect([picture], model=MODEL)
        peer = load_peer(weights_dir / f"{MODEL}.pt").predict(picture, verbose=False, device="cpu")[
            0
        ]
        assert len(ours) == len(peer.boxes)
        differences += joint_differences(ours, peer, box=pixels)
    assert len(differences) == 6
    both = np.stack(differences)
    seen = both[both[..., 2] < 0.1]
    assert np.nanmean(seen[:, :2]) < pixels / 4
    assert both[..., 2].max() < 0.1
