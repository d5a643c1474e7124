"""The engine finds what ultralytics finds: on seeded random networks always, on real ones too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from networks import share_matched

from vision.benchmark.networks import random_picture
from vision.engine import Engine
from vision.weights import WeightsStore

SIZES = [(720, 1280), (480, 640), (640, 427), (1080, 1920), (300, 500), (90, 700)]
BACKENDS = ["openvino", "onnxruntime", "torch"]


def _peer(load_peer: Callable[[Path], Any], path: Path, picture: Any, **options: Any) -> Any:
    return load_peer(path).predict(picture, verbose=False, device="cpu", **options)[0]


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_float_boxes_equal_the_peers_on_a_random_network(
    backend: str,
    make_engine: Callable[..., Engine],
    random_weights: Path,
    load_peer: Callable[[Path], Any],
) -> None:
    engine = make_engine(backend=backend, device="cpu", precision="fp32")
    pictures = [random_picture(*size, seed=index) for index, size in enumerate(SIZES)]
    compared = 0
    for picture, ours in zip(pictures, engine.detect(pictures), strict=True):
        peer = _peer(load_peer, random_weights / "yolov8n.pt", picture)
        compared += len(peer.boxes)
        # Boxes near the thresholds may fall either way: hundreds of them overlap in such a network.
        assert share_matched(ours, peer, iou=0.99) >= 0.95
        assert abs(len(ours) - len(peer.boxes)) <= 0.02 * len(peer.boxes) + 1
        count = min(20, len(ours), len(peer.boxes))
        expected = peer.boxes.conf.numpy()[:count]
        np.testing.assert_allclose(ours.confidence[:count], expected, atol=2e-3)
    assert compared > 100


@pytest.mark.slow
@pytest.mark.parametrize("size", [320, 512])
def test_boxes_of_a_smaller_input_equal_the_peers(
    size: int,
    make_engine: Callable[..., Engine],
    random_weights: Path,
    load_peer: Callable[[Path], Any],
) -> None:
    engine = make_engine(backend="openvino", device="cpu", precision="fp32")
    compared = 0
    for index, shape in enumerate(SIZES[:3]):
        picture = random_picture(*shape, seed=index)
        (ours,) = engine.detect([picture], input_size=size)
        peer = _peer(load_peer, random_weights / "yolov8n.pt", picture, imgsz=size)
        compared += len(peer.boxes)
        assert share_matched(ours, peer, iou=0.99) >= 0.95
    assert compared > 50


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_masks_equal_the_peers_on_a_random_network(
    backend: str,
    make_engine: Callable[..., Engine],
    random_weights: Path,
    load_peer: Callable[[Path], Any],
) -> None:
    engine = make_engine(backend=backend, device="cpu", precision="fp32")
    overlaps = []
    for index, size in enumerate(SIZES[:3]):
        picture = random_picture(*size, seed=index)
        (ours,) = engine.detect([picture], model="yolov8n-seg", confidence=0.5)
        path = random_weights / "yolov8n-seg.pt"
        peer = _peer(load_peer, path, picture, conf=0.5, retina_masks=True)
        overlaps += mask_overlaps(ours, peer)
    assert len(overlaps) > 30
    assert np.mean(overlaps) >= 0.97


def mask_overlaps(ours: Any, peer: Any) -> list[float]:
    """Return the mask IoU of every pair of boxes that are the same object."""
    found = []
    theirs = peer.boxes.xyxy.numpy()
    for index, box in enumerate(ours.xyxy):
        match = np.flatnonzero(np.abs(theirs - box).max(axis=1) < 1.0) if len(theirs) else []
        if len(match):
            mask = ours.mask[index]
            other = peer.masks.data[match[0]].numpy().astype(bool)
            assert mask.shape == other.shape
            found.append((mask & other).sum() / max(1, (mask | other).sum()))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width"), [(1, 1), (20, 4000), (4000, 20), (2, 3), (33, 31)])
@pytest.mark.parametrize("model", ["yolov8n", "yolov8n-seg"])
def test_odd_sizes_give_what_the_peer_gives(
    height: int,
    width: int,
    model: str,
    make_engine: Callable[..., Engine],
    random_weights: Path,
    load_peer: Callable[[Path], Any],
) -> None:
    picture = random_picture(max(height, 2), max(width, 2), seed=5)[:height, :width]
    (ours,) = make_engine(precision="fp32").detect([picture], model=model, confidence=0.1)
    path = random_weights / f"{model}.pt"
    peer = _peer(load_peer, path, picture, conf=0.1, retina_masks=True)
    assert abs(len(ours) - len(peer.boxes)) <= 0.05 * len(peer.boxes) + 2
    assert (ours.xyxy >= 0).all()
    assert (ours.xyxy <= [width, height, width, height]).all()


@pytest.mark.parametrize("classes", [[0, 3, 7, 12], [79], []])
def test_the_class_filter_equals_the_peers(
    classes: list[int],
    make_engine: Callable[..., Engine],
    random_weights: Path,
    load_peer: Callable[[Path], Any],
) -> None:
    picture = random_picture(720, 1280, seed=0)
    (ours,) = make_engine(precision="fp32").detect([picture], classes=classes)
    assert set(ours.class_id.tolist()) <= set(classes)
    if classes:
        peer = _peer(load_peer, random_weights / "yolov8n.pt", picture, classes=classes)
        assert len(ours) == pytest.approx(len(peer.boxes), abs=2)


@pytest.fixture(scope="module")
def street_pictures(test_data: Path) -> list[Any]:
    """Real pictures, brought to 1280x720 as a video frame would be."""
    paths = sorted((test_data / "images" / "coco").glob("*.jpg"))[:12]
    return [cv2.resize(cv2.imread(str(path)), (1280, 720)) for path in paths]


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(("precision", "iou", "share"), [("fp32", 0.99, 0.99), ("auto", 0.9, 0.95)])
def test_real_boxes_equal_the_peers(
    precision: str,
    iou: float,
    share: float,
    make_engine: Callable[..., Engine],
    weights_dir: Path,
    cache_dir: Path,
    street_pictures: list[Any],
    load_peer: Callable[[Path], Any],
) -> None:
    store = WeightsStore(cache_dir / "weights", [weights_dir], allow_download=False)
    engine = make_engine(precision=precision, weights=store)
    shares = []
    for picture, ours in zip(street_pictures, engine.detect(street_pictures), strict=True):
        peer = _peer(load_peer, weights_dir / "yolov8n.pt", picture)
        shares += [share_matched(ours, peer, iou=iou)] * len(peer.boxes)
    assert len(shares) > 20
    assert np.mean(shares) >= share


@pytest.mark.weights
@pytest.mark.data
@pytest.mark.slow
def test_real_masks_equal_the_peers(
    make_engine: Callable[..., Engine],
    weights_dir: Path,
    cache_dir: Path,
    street_pictures: list[Any],
    load_peer: Callable[[Path], Any],
) -> None:
    store = WeightsStore(cache_dir / "weights", [weights_dir], allow_download=False)
    engine = make_engine(precision="fp32", weights=store)
    overlaps: list[float] = []
    for picture in street_pictures:
        (ours,) = engine.detect([picture], model="yolov8n-seg")
        peer = _peer(load_peer, weights_dir / "yolov8n-seg.pt", picture, retina_masks=True)
        overlaps += mask_overlaps(ours, peer)
    assert len(overlaps) > 20
    assert np.mean(overlaps) >= 0.97
