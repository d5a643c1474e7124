"""Runtimes: batches, memory running out, buffers, and what the machine is asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vision.benchmark.networks import random_picture
from vision.detection.buffers import BufferPool
from vision.detection.candidates import Candidates, Query
from vision.detection.hardware import _cgroup_quota, available_cpus
from vision.detection.letterbox import plan_letterbox
from vision.detection.opencv import OpenCvDetector
from vision.detection.openvino import stream_count
from vision.detection.protocol import NetworkInput
from vision.errors import ModelError
from vision.export import Exports
from vision.weights import get_card

torch = pytest.importorskip("torch")


def letterboxed(seed: int, query: Query) -> NetworkInput:
    picture = random_picture(180, 320, seed=seed)
    plan = plan_letterbox(180, 320, 320)
    pixels = np.empty((*plan.bucket, 3), np.uint8)
    plan.apply(picture, pixels)
    return NetworkInput(pixels, query)


QUERIES = [Query(0.25), Query(0.999999), Query(0.1, (3, 7, 20)), Query(0.25, ())]


def make_runtime(kind: str, weights: Path, cache_dir: Path) -> Any:
    if kind == "torch":
        from vision.detection.torch import TorchRuntime

        return TorchRuntime(weights, device="cpu", precision="fp32", threads=2, cache_dir=cache_dir)
    path = Exports(cache_dir).network(get_card(weights.stem), weights).path
    if kind == "onnxruntime":
        from vision.detection.onnxruntime import OnnxRuntime

        return OnnxRuntime(path, threads=2)
    from vision.detection.openvino import OpenVinoRuntime

    return OpenVinoRuntime(path, precision="fp32", threads=2)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["yolov8n", "yolov8n-seg"])
@pytest.mark.parametrize("kind", ["openvino", "onnxruntime", "torch"])
def test_a_batch_finds_what_its_members_find(
    kind: str, model: str, random_weights: Path, cache_dir: Path
) -> None:
    runtime = make_runtime(kind, random_weights / f"{model}.pt", cache_dir)
    batch = [letterboxed(seed, query) for seed, query in enumerate(QUERIES)]
    together = runtime.forward(batch, alone=False)
    assert len(together) == len(batch)
    for item, found in zip(batch, together, strict=True):
        (single,) = runtime.forward([item], alone=True)
        np.testing.assert_array_equal(np.sort(found.anchors), np.sort(single.anchors))
        np.testing.assert_allclose(found.distributions, single.distributions, atol=1e-2)
        np.testing.assert_allclose(found.logits, single.logits, atol=1e-2)
        np.testing.assert_array_equal(found.class_ids, single.class_ids)
        assert found.distributions.shape[1] == 64
        if model == "yolov8n-seg":
            assert found.features["coefficients"].shape == (len(found), 32)
            assert ("prototypes" in found.maps) == (len(found) > 0)
        if item.query.classes is not None:
            assert set(found.class_ids.tolist()) <= set(item.query.classes)
    assert len(together[0]) > 0
    assert len(together[3]) == 0


def test_a_batch_that_does_not_fit_is_run_in_halves(
    random_weights: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = make_runtime("torch", random_weights / "yolov8n.pt", cache_dir)
    expected = [len(found) for found in runtime.forward([letterboxed(0, Query())], alone=True)]
    original = runtime._infer
    sizes: list[int] = []

    def small_device(batch: Sequence[NetworkInput]) -> list[Candidates]:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.cuda.OutOfMemoryError("out of memory")
        found: list[Candidates] = original(batch)
        return found

    monkeypatch.setattr(runtime, "_infer", small_device)
    found = runtime.forward([letterboxed(0, Query()) for _ in range(5)], alone=False)
    assert [len(part) for part in found] == expected * 5
    assert sizes == [5, 2, 3, 1, 2]


def test_a_device_without_room_for_one_picture_says_so(
    random_weights: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = make_runtime("torch", random_weights / "yolov8n.pt", cache_dir)

    def full(batch: Sequence[NetworkInput]) -> list[Candidates]:
        raise torch.cuda.OutOfMemoryError("out of memory")

    monkeypatch.setattr(runtime, "_infer", full)
    with pytest.raises(ModelError, match="too little memory") as caught:
        runtime.forward([letterboxed(0, Query())] * 2, alone=False)
    assert caught.value.code == "out_of_memory"


def test_compiled_programs_are_limited(
    random_weights: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vision.detection import openvino

    monkeypatch.setattr(openvino, "_COMPILED_LIMIT", 2)
    runtime = make_runtime("openvino", random_weights / "yolov8n.pt", cache_dir)
    for height in (32, 64, 96, 32):
        pixels = np.zeros((height, 320, 3), np.uint8)
        runtime.forward([NetworkInput(pixels, Query())], alone=True)
    assert [bucket for bucket, _ in runtime._programs] == [(96, 320), (32, 320)]


@pytest.mark.parametrize(("threads", "streams"), [(1, 1), (2, 2), (3, 2), (4, 2), (16, 8)])
def test_streams_follow_the_threads(threads: int, streams: int) -> None:
    assert stream_count(threads) == streams


def test_buffers_are_reused_and_forgotten() -> None:
    pool = BufferPool(limit=1, buckets=2)
    first, second = pool.take((32, 64)), pool.take((32, 64))
    assert first.shape == (32, 64, 3)
    assert first is not second
    pool.give(first)
    pool.give(second)  # one too many: dropped
    assert pool.take((32, 64)) is first
    assert pool.take((32, 64)) is not second
    pool.give(first)
    for side in (96, 128):
        pool.take((side, side))
    assert pool.take((32, 64)) is not first


@pytest.mark.parametrize(
    ("content", "quota"),
    [("150000 100000\n", 1.5), ("max 100000\n", None), ("", None), ("1 0", None)],
)
def test_a_containers_quota_is_read(content: str, quota: float | None, tmp_path: Path) -> None:
    control = tmp_path / "cpu.max"
    control.write_text(content)
    assert _cgroup_quota(control) == quota
    assert _cgroup_quota(tmp_path / "absent") is None
    assert available_cpus() >= 1


@pytest.mark.parametrize("size", [(1, 1), (10, 400), (400, 10), (300, 300), (900, 1400)])
@pytest.mark.parametrize("classes", [None, [0], [1], [], [5]])
def test_the_fallback_takes_pictures_of_any_size(
    size: tuple[int, int], classes: list[int] | None
) -> None:
    picture = random_picture(max(2, size[0]), max(2, size[1]), seed=1)[: size[0], : size[1]]
    (found,) = OpenCvDetector().detect([picture], confidence=0, classes=classes)
    assert found.xyxy.shape == (len(found), 4)
    assert len(found.data["class_name"]) == len(found)


@pytest.mark.slow
def test_the_fallback_finds_people_and_faces() -> None:
    ultralytics = pytest.importorskip("ultralytics")
    import cv2

    assets = Path(ultralytics.__file__).parent / "assets"
    people, faces = (cv2.imread(str(assets / name)) for name in ("bus.jpg", "zidane.jpg"))
    detector = OpenCvDetector()
    assert "person" in detector.detect([people])[0].data["class_name"]
    assert "face" in detector.detect([faces])[0].data["class_name"]
    assert "person" not in detector.detect([faces], classes=[1])[0].data["class_name"]
