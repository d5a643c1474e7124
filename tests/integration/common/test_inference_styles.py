"""Pictures painted here and by the workers: the same, refused in the same words."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import msgpack
import numpy as np
import pytest
import redis
from PIL import Image

from common.inference import (
    FastPicture,
    InferenceUnavailable,
    Query,
    StyleQuery,
    ask_workers,
    close_engine,
    get_engine,
    paint_fast,
    server,
    set_engine_for_tests,
    start_server,
    stop_server,
)
from common.inference.messages import VERSION, Request, pack_request, unpack_reply, unpack_request
from common.inference.queue import InferenceQueue, get_queue
from common.uploads.errors import UploadRejected
from tests.integration.detector.conftest import picture
from tests.servers import MissingServerError, RedisServer
from tests.vision.style_networks import TransformerNet, export_as_published, noise
from vision.errors import ModelError, VisionError, WeightsError

CANDY = StyleQuery("candy", longer_side=96)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random network in the place of the style "candy"."""
    folder = tmp_path_factory.mktemp("styles")
    path = export_as_published(TransformerNet.random(seed=3), folder / "candy-9.onnx")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "MANIFEST.json").write_text(json.dumps({path.name: {"sha256": digest}}))
    return folder


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    try:
        own = RedisServer()
    except MissingServerError as error:
        pytest.skip(f"needs redis: {error}")
    own.start()
    yield own
    own.stop()


@pytest.fixture
def engine(networks: Path, tmp_path: Path, settings: Any) -> Iterator[None]:
    """A real engine of this process, with one fast style."""
    settings.VISION_WEIGHTS_DIR = str(networks)
    settings.MODELS_DIR = tmp_path
    settings.SIGHTLINE_ALLOW_DOWNLOADS = False
    settings.SIGHTLINE_BACKEND = "opencv"
    settings.INFERENCE = "local"
    set_engine_for_tests(None)
    yield
    close_engine()


@pytest.fixture
def by_workers(redis_server: RedisServer, settings: Any) -> InferenceQueue:
    """An installation whose pictures are painted by workers; none runs yet."""
    settings.REDIS_URL = redis_server.url
    settings.INFERENCE = "worker"
    settings.SIGHTLINE_INFERENCE_WAIT_SECONDS = 30.0
    redis.Redis.from_url(redis_server.url).flushdb()
    return get_queue(redis_server.url)


@pytest.fixture
def answering(engine: None, by_workers: InferenceQueue) -> Iterator[InferenceQueue]:
    """A worker that answers from threads of this process."""
    start_server(threads=2)
    yield by_workers
    assert stop_server()


def both_ways(settings: Any) -> Iterator[str]:
    """Set the installation up to paint by itself, then by workers."""
    for settings.INFERENCE in ("local", "worker"):
        yield settings.INFERENCE


def read(painted: FastPicture) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(painted.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def saved(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def huge_png() -> bytes:
    """A PNG whose header says 20,000 x 20,000."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


class TestHere:
    def test_a_picture_is_painted(self, engine: None) -> None:
        painted = paint_fast(picture(160, 120), CANDY)
        assert painted.jpeg.startswith(b"\xff\xd8\xff")
        assert (painted.width, painted.height, painted.model) == (96, 72, "candy")
        assert painted.worked_ms > 0
        assert read(painted).shape == (72, 96, 3)
        assert read(painted).std() > 10

    def test_it_has_its_own_size_where_none_is_asked_for(self, engine: None) -> None:
        painted = paint_fast(picture(130, 70), StyleQuery("candy"))
        assert read(painted).shape == (70, 130, 3)

    def test_colours_can_be_kept(self, engine: None) -> None:
        data = bytes(cv2.imencode(".png", noise(64, 96))[1])
        free, kept = (
            cv2.cvtColor(read(paint_fast(data, query)), cv2.COLOR_BGR2YCrCb)[..., 1:].astype(int)
            for query in (StyleQuery("candy"), StyleQuery("candy", keep_colours=True))
        )
        own = cv2.cvtColor(noise(64, 96), cv2.COLOR_BGR2YCrCb)[..., 1:].astype(int)
        assert np.abs(kept - own).mean() < 0.5 * np.abs(free - own).mean()

    def test_the_engine_says_which_styles_are_there(self, engine: None) -> None:
        assert get_engine().styles.has("candy")
        assert not get_engine().styles.has("udnie")


class TestTheSameAnswers:
    @pytest.mark.parametrize(
        "query",
        [CANDY, StyleQuery("candy"), StyleQuery("candy", 64, keep_colours=True)],
        ids=["reduced", "own size", "own colours"],
    )
    def test_workers_paint_as_ones_own_engine(
        self, answering: InferenceQueue, settings: Any, query: StyleQuery
    ) -> None:
        here, there = (paint_fast(picture(), query) for _ in both_ways(settings))
        assert here.jpeg == there.jpeg
        assert (here.width, here.height) == (there.width, there.height)
        assert here.model == there.model == "candy"

    @pytest.mark.parametrize(
        ("data", "code", "status"),
        [
            (b"", "empty_file", 400),
            (b"no picture", "not_a_picture", 415),
            (picture()[:-2000], "truncated_picture", 422),
            (huge_png(), "too_many_pixels", 413),
            (saved(Image.new("RGB", (1, 1)), "PNG"), "too_small", 422),
            (saved(Image.new("RGB", (300, 15)), "PNG"), "too_small", 422),
        ],
        ids=["empty", "garbage", "truncated", "huge", "1x1", "15 high"],
    )
    def test_a_bad_file_is_refused_in_the_same_words(
        self, answering: InferenceQueue, settings: Any, data: bytes, code: str, status: int
    ) -> None:
        words = set()
        for _ in both_ways(settings):
            with pytest.raises(UploadRejected) as refused:
                paint_fast(data, CANDY)
            assert (refused.value.code, refused.value.status) == (code, status)
            words.add(refused.value.message)
        assert len(words) == 1

    @pytest.mark.parametrize(
        ("mode", "kind"), [("RGBA", "PNG"), ("CMYK", "JPEG"), ("LA", "PNG"), ("I;16", "PNG")]
    )
    def test_unusual_pictures_are_painted(
        self, answering: InferenceQueue, settings: Any, mode: str, kind: str
    ) -> None:
        data = saved(Image.new(mode, (80, 60)), kind)
        here, there = (paint_fast(data, CANDY) for _ in both_ways(settings))
        assert here.jpeg == there.jpeg
        assert read(here).shape == (60, 80, 3)

    @pytest.mark.parametrize(
        ("query", "kind", "code"),
        [
            (StyleQuery("picasso"), ModelError, "unknown_model"),
            (StyleQuery(""), ModelError, "unknown_model"),
            (StyleQuery("udnie"), WeightsError, "weights_missing"),
            (StyleQuery("candy", longer_side=0), VisionError, "bad_option"),
            (StyleQuery("candy", longer_side=-3), VisionError, "bad_option"),
        ],
        ids=["unknown", "none", "not installed", "no size", "less than nothing"],
    )
    def test_errors_keep_their_class(
        self,
        answering: InferenceQueue,
        settings: Any,
        query: StyleQuery,
        kind: type[VisionError],
        code: str,
    ) -> None:
        words = set()
        for _ in both_ways(settings):
            with pytest.raises(VisionError) as refused:
                paint_fast(picture(), query)
            assert type(refused.value) is kind
            assert refused.value.code == code
            words.add(refused.value.message)
        assert len(words) == 1

    def test_no_memory_is_told_with_the_size_that_fits(
        self, answering: InferenceQueue, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("vision.style.feed_forward.free_memory", lambda: 80_000_000)
        for _ in both_ways(settings):
            with pytest.raises(ModelError, match="the largest is") as refused:
                paint_fast(picture(700, 500), StyleQuery("candy"))
            assert refused.value.code == "out_of_memory"
        assert paint_fast(picture(), CANDY).width == 96, "the worker is still there"

    def test_jobs_may_use_the_engine_that_is_there(
        self, engine: None, by_workers: InferenceQueue
    ) -> None:
        assert paint_fast(picture(), CANDY, here=True).width == 96
        assert by_workers.count_waiting() == 0

    def test_objects_and_paintings_are_asked_for_side_by_side(
        self, answering: InferenceQueue
    ) -> None:
        objects = ask_workers(picture(), Query(model="yolov8n", confidence=0.25, iou=0.7))
        painted = ask_workers(picture(), CANDY)
        assert painted.wait()[0].painted is not None
        found = objects.wait()[0]
        assert found.painted is None
        assert found.detections.metadata["model"] == "opencv-fallback"


class TestNobodyAnswers:
    def test_without_a_worker_one_is_told_when_to_come_again(
        self, by_workers: InferenceQueue, settings: Any
    ) -> None:
        settings.SIGHTLINE_INFERENCE_WAIT_SECONDS = 0.2
        with pytest.raises(InferenceUnavailable) as refused:
            paint_fast(picture(), CANDY)
        assert (refused.value.code, refused.value.status) == ("no_worker_answered", 503)
        assert by_workers.count_waiting() == 0

    @pytest.mark.parametrize(
        ("data", "query"),
        [(b"no picture", CANDY), (picture(), StyleQuery("picasso"))],
        ids=["file", "style"],
    )
    def test_what_is_wrong_troubles_no_worker(
        self, by_workers: InferenceQueue, data: bytes, query: StyleQuery
    ) -> None:
        with pytest.raises((UploadRejected, ModelError)):
            paint_fast(data, query)
        assert by_workers.count_waiting() == 0

    def test_an_answer_to_another_question_is_refused(
        self, answering: InferenceQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "paint", lambda *arguments, **options: None)
        with pytest.raises(VisionError) as refused:
            paint_fast(picture(), CANDY)
        assert refused.value.code == "bad_answer"


class TestMessages:
    @pytest.mark.parametrize(
        "query",
        [StyleQuery("candy"), StyleQuery("udnie", longer_side=320, keep_colours=True)],
        ids=["usual", "of its own"],
    )
    def test_a_question_arrives_as_it_was_asked(self, query: StyleQuery) -> None:
        request = Request(b"file", query)
        assert unpack_request(pack_request(request)) == request

    @pytest.mark.parametrize(
        "fields",
        [
            {"about": "style"},
            {"about": "style", "network": "candy", "keep_colours": False},
            {
                "about": "style",
                "network": "candy",
                "longer_side": "wide",
                "keep_colours": False,
            },
        ],
        ids=["empty", "half a question", "no number"],
    )
    def test_nonsense_is_answered_in_words(self, fields: dict[str, Any]) -> None:
        message = {"version": VERSION, "data": b"", "thumbnail": False, **fields}
        with pytest.raises(VisionError) as refused:
            unpack_reply(server.answer_request(msgpack.packb(message)))
        assert refused.value.code == "bad_request"
