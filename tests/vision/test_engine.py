"""The engine as its callers see it: results, errors, fallback, threads, closing."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from supervision.detection.compact_mask import CompactMask

import vision
from vision import load_detector
from vision.benchmark.networks import random_picture
from vision.detection.yolo import YoloDetector
from vision.engine import Engine, EngineConfig
from vision.engine.models import RETRY_SECONDS, ModelRegistry
from vision.engine.plan import make_plan
from vision.errors import ModelError, PictureError, VisionError, WeightsError
from vision.structures import Priority
from vision.weights import WeightsCard, WeightsStore

PICTURE = random_picture(360, 640, seed=1)


@pytest.mark.parametrize(
    ("backend", "precision"),
    [("openvino", "fp32"), ("onnxruntime", "auto"), ("torch", "auto"), ("opencv", "auto")],
)
def test_every_backend_answers_in_the_same_shape(
    backend: str, precision: str, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine(backend=backend, device="cpu", precision=precision)
    pictures = [PICTURE, random_picture(200, 320, seed=2)]
    results = engine.detect(pictures, confidence=0.3)
    assert len(results) == 2
    for picture, found in zip(pictures, results, strict=True):
        height, width = picture.shape[:2]
        assert found.xyxy.shape == (len(found), 4)
        assert found.xyxy.dtype == np.float32
        assert found.confidence.dtype == np.float32
        assert np.issubdtype(found.class_id.dtype, np.integer)
        assert (found.confidence > 0.3).all()
        assert (np.diff(found.confidence) <= 0).all()
        assert len(found.data["class_name"]) == len(found)
        assert found.metadata["width"] == width
        assert found.metadata["height"] == height
        assert found.metadata["backend"] == backend
        assert found.metadata["device"] == "cpu"
        assert found.metadata["precision"] == "fp32"
        stages = {"preprocess", "queue", "inference", "postprocess", "total"}
        assert set(found.metadata["timings_ms"]) == stages
    expected = "opencv-fallback" if backend == "opencv" else "yolov8n"
    assert results[0].metadata["model"] == expected


@pytest.mark.parametrize("size", [0, 32, 500, 639, 1312], ids=str)
def test_an_input_of_an_impossible_size_is_refused(
    size: int, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine(backend="opencv")
    with pytest.raises(VisionError) as refused:
        engine.detect([PICTURE], input_size=size)
    assert refused.value.code == "bad_input_size"


def test_no_pictures_give_no_results(make_engine: Callable[..., Engine]) -> None:
    assert make_engine(backend="opencv").detect([]) == []


def test_masks_are_compact_and_of_the_pictures_size(make_engine: Callable[..., Engine]) -> None:
    (found,) = make_engine(precision="fp32").detect([PICTURE], model="yolov8n-seg")
    assert len(found) > 10
    assert isinstance(found.mask, CompactMask)
    assert found.mask.shape == (len(found), 360, 640)
    assert (np.asarray(found.mask.area) > 0).all()
    for index, (x1, y1, x2, y2) in enumerate(found.xyxy):
        rows, columns = np.nonzero(found.mask[index])
        assert rows.min() >= np.floor(y1)
        assert rows.max() <= np.ceil(y2)
        assert columns.min() >= np.floor(x1)
        assert columns.max() <= np.ceil(x2)


def test_a_picture_without_objects_has_an_empty_mask_stack(
    make_engine: Callable[..., Engine],
) -> None:
    (found,) = make_engine(precision="fp32").detect([PICTURE], model="yolov8n-seg", confidence=1)
    assert len(found) == 0
    assert found.mask is not None
    assert found.mask.shape == (0, 360, 640)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (np.zeros((4, 4), np.uint8), r"uint8 \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"uint8 \(4, 4, 4\)"),
        (np.zeros((4, 4, 3), np.float32), r"float32 \(4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"uint8 \(0, 4, 3\)"),
        ("street.jpg", "str"),
        (None, "NoneType"),
    ],
)
def test_arrays_that_are_no_pictures_are_named(
    image: Any, found: str, make_engine: Callable[..., Engine]
) -> None:
    with pytest.raises(PictureError, match=f"image 1, got {found}") as caught:
        make_engine(backend="opencv").detect([PICTURE, image])
    assert caught.value.code == "bad_array"


@pytest.mark.parametrize("options", [{"confidence": -0.1}, {"iou": 1.5}, {"iou": float("nan")}])
def test_thresholds_outside_their_range_are_refused(
    options: dict[str, float], make_engine: Callable[..., Engine]
) -> None:
    with pytest.raises(VisionError, match=r"must lie in 0\.\.1"):
        make_engine(backend="opencv").detect([PICTURE], **options)


def test_an_unknown_model_is_refused(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    for call in (lambda: engine.detect([PICTURE], model="yolo9000"), lambda: engine.describe("x")):
        with pytest.raises(ModelError) as caught:
            call()
        assert caught.value.code == "unknown_model"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"backend": "tensorrt"}, "unknown_backend"),
        ({"device": "tpu"}, "unknown_device"),
        ({"device": "cuda:x"}, "unknown_device"),
        ({"backend": "openvino", "device": "cuda"}, "unknown_device"),
        ({"precision": "fp8"}, "unknown_precision"),
        ({"backend": "onnxruntime", "precision": "int8"}, "unknown_precision"),
        ({"backend": "torch", "device": "cpu", "precision": "fp16"}, "unknown_precision"),
        ({"threads": 0}, "bad_threads"),
    ],
)
def test_impossible_plans_are_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(ModelError) as caught:
        make_plan(**options)
    assert caught.value.code == code


def test_int8_without_a_quantised_export_names_the_command(
    make_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = make_engine(precision="int8", cache_dir=tmp_path)
    with pytest.raises(ModelError, match=r"manage\.py quantize") as caught:
        engine.detect([PICTURE])
    assert caught.value.code == "not_quantized"


@pytest.mark.slow
def test_eight_threads_find_what_one_finds(
    make_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    original = YoloDetector.__init__

    def counting(self: YoloDetector, *args: Any, **options: Any) -> None:
        loads.append(self)
        original(self, *args, **options)

    monkeypatch.setattr(YoloDetector, "__init__", counting)
    engine = make_engine(precision="fp32")
    pictures = [random_picture(180 + 60 * (i % 3), 320, seed=i) for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        first = list(pool.map(lambda picture: engine.detect([picture])[0], pictures))
        priorities = [Priority(index % 3) for index in range(8)]
        lists = pool.map(lambda p: engine.detect(pictures, priority=p), priorities)
        together = [found for results in lists for found in results]
    assert len(loads) == 1
    serial = [engine.detect([picture])[0] for picture in pictures]
    for index, found in enumerate(first + together):
        expected = serial[index % 8]
        assert len(found) == len(expected) > 0
        np.testing.assert_allclose(found.xyxy, expected.xyxy, atol=0.05)
        np.testing.assert_array_equal(found.class_id, expected.class_id)


class AbsentStore(WeightsStore):
    """A store whose weights cannot be had until somebody brings them."""

    def __init__(self, folder: Path, error: WeightsError) -> None:
        super().__init__(folder, allow_download=False)
        self.error: WeightsError | None = error
        self.asked = 0
        self.behind: WeightsStore | None = None

    def fetch(self, card: WeightsCard, on_progress: Any = None) -> Path:
        self.asked += 1
        if self.error is not None:
            raise self.error
        assert self.behind is not None
        return self.behind.fetch(card)


def test_missing_weights_bring_the_fallback_which_says_so(tmp_path: Path) -> None:
    store = AbsentStore(tmp_path, WeightsError("weights_unreachable", "No route to the host."))
    with Engine(EngineConfig(tmp_path, store, device="cpu")) as engine:
        info = engine.describe("yolov8n-seg")
        (found,) = engine.detect([PICTURE], model="yolov8n-seg")
    assert info.fallback
    assert info.reason == "No route to the host."
    assert (info.model, info.requested, info.task) == ("opencv-fallback", "yolov8n-seg", "detect")
    assert info.classes == ("person", "face")
    assert found.metadata["model"] == "opencv-fallback"
    assert found.metadata["backend"] == "opencv"
    assert store.asked == 1


def test_the_fallback_gives_way_once_weights_are_there(
    tmp_path: Path, random_store: WeightsStore, cache_dir: Path
) -> None:
    store = AbsentStore(tmp_path, WeightsError("weights_missing", "Not installed."))
    config = EngineConfig(cache_dir, store, device="cpu", precision="fp32")
    now = [0.0]
    registry = ModelRegistry(config, make_plan(device="cpu", precision="fp32"), lambda: now[0])
    assert registry.get("yolov8n").info.fallback
    store.error, store.behind = None, random_store
    now[0] = RETRY_SECONDS - 1
    assert registry.get("yolov8n").info.fallback
    assert store.asked == 1
    now[0] = RETRY_SECONDS + 1
    info = registry.get("yolov8n").info
    assert (info.model, info.fallback, info.reason) == ("yolov8n", False, "")


def test_a_closed_engine_says_so(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine(backend="opencv")
    engine.close()
    engine.close()
    for call in (lambda: engine.detect([PICTURE]), lambda: engine.describe("yolov8n")):
        with pytest.raises(VisionError) as caught:
            call()
        assert caught.value.code == "engine_closed"


def test_closing_while_lists_run_ends_cleanly(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine(precision="fp32")
    engine.detect([PICTURE])
    with ThreadPoolExecutor(4) as pool:
        lists = [pool.submit(engine.detect, [PICTURE] * 12) for _ in range(4)]
        pool.submit(engine.detect, [PICTURE]).result()
        engine.close()
        for future in lists:
            error = future.exception(timeout=60)
            assert error is None or getattr(error, "code", "") == "engine_closed"


def test_one_bad_picture_fails_its_own_call_only(
    make_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(precision="fp32")
    marked = np.full((50, 50, 3), 9, np.uint8)
    original = YoloDetector.forward

    def fragile(self: YoloDetector, prepared: Any, *, alone: bool) -> Any:
        if any(item.letterbox.width == 50 for item in prepared):
            raise RuntimeError("this one")
        return original(self, prepared, alone=alone)

    monkeypatch.setattr(YoloDetector, "forward", fragile)
    with ThreadPoolExecutor(6) as pool:
        good = [pool.submit(engine.detect, [PICTURE, PICTURE]) for _ in range(4)]
        bad = pool.submit(engine.detect, [PICTURE, marked, PICTURE])
        with pytest.raises(RuntimeError, match="this one"):
            bad.result(60)
        assert all(len(future.result(60)) == 2 for future in good)


def test_a_detector_in_one_line(random_weights: Path, cache_dir: Path) -> None:
    options = {"cache_dir": cache_dir, "weights_dirs": [random_weights], "precision": "fp32"}
    with load_detector("yolov8n", device="cpu", **options) as detector:
        assert detector.info.model == "yolov8n"
        (found,) = detector.detect([PICTURE], confidence=0.3)
        assert len(found) > 0
    with pytest.raises(ModelError, match="no model 'nonsense'"):
        load_detector("nonsense", device="cpu", **options)


def test_importing_the_package_imports_no_runtime() -> None:
    code = "import sys, vision, vision.errors, vision.structures; print(*sys.modules)"
    root = Path(vision.__file__).resolve().parents[1]
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "cv2", "ultralytics", "openvino", "supervision"} & set(loaded)


def test_the_configuration_is_a_plain_value(tmp_path: Path) -> None:
    config = EngineConfig(tmp_path, WeightsStore(tmp_path))
    assert dataclasses.replace(config, threads=3).threads == 3
