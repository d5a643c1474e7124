"""Faces found here and by the workers: the same, and clear words when nobody answers."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
import redis
from PIL import Image

from common.inference import (
    FaceQuery,
    FoundFaces,
    InferenceUnavailable,
    Query,
    ask_workers,
    close_engine,
    find_faces,
    server,
    set_engine_for_tests,
    start_server,
    stop_server,
)
from common.inference.messages import (
    VERSION,
    Request,
    pack_request,
    unpack_reply,
    unpack_request,
)
from common.inference.queue import InferenceQueue, get_queue
from common.uploads.errors import UploadRejected
from tests.integration.detector.conftest import FakeEngine, picture
from tests.made_faces import EMBEDDER, FakeFaces, MadeFace, face_of
from tests.servers import MissingServerError, RedisServer
from video_analysis.cameras.services.hiding import hide_faces_in
from vision.errors import VisionError
from vision.pipeline.faces import FACE_CONFIDENCE, LEAST_FACE

LEFT = MadeFace(face_of(1), box=(20.0, 20.0, 90.0, 100.0))
RIGHT = MadeFace(face_of(2), box=(100.0, 5.5, 140.25, 60.0), flaw="blurred", confidence=0.61)
SCENES = {"nobody": (), "one": (LEFT,), "two, one of them blurred": (LEFT, RIGHT)}


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    """A Redis of these tests alone, which they may stop."""
    try:
        own = RedisServer()
    except MissingServerError as error:
        pytest.skip(f"needs redis: {error}")
    own.start()
    yield own
    own.stop()


@pytest.fixture
def by_workers(redis_server: RedisServer, settings: Any) -> InferenceQueue:
    """An installation whose pictures are answered by workers; none runs yet."""
    settings.REDIS_URL = redis_server.url
    settings.INFERENCE = "worker"
    settings.SIGHTLINE_INFERENCE_WAIT_SECONDS = 5.0
    redis.Redis.from_url(redis_server.url).flushdb()
    return get_queue(redis_server.url)


def both_ways(settings: Any) -> Iterator[str]:
    """Set the installation up to answer by itself, then by workers."""
    for settings.INFERENCE in ("local", "worker"):
        yield settings.INFERENCE


@pytest.fixture
def faces() -> Iterator[FakeFaces]:
    """What the process's engine finds."""
    engine = FakeEngine()
    engine.faces = FakeFaces(LEFT, RIGHT)
    set_engine_for_tests(engine)  # type: ignore[arg-type]
    yield engine.faces
    set_engine_for_tests(None)


@pytest.fixture
def answering(by_workers: InferenceQueue, faces: FakeFaces) -> Iterator[FakeFaces]:
    """A worker that answers from threads of this process."""
    start_server(threads=2)
    yield faces
    assert stop_server()


def as_data(found: FoundFaces) -> dict[str, Any]:
    """All that is found but how long it took, to be compared."""
    faces = found.faces
    columns = {"xyxy": faces.xyxy, "confidence": faces.confidence, "class_id": faces.class_id}
    columns |= dict(faces.data)
    noted = {name: value for name, value in faces.metadata.items() if name != "timings_ms"}
    values = {name: np.asarray(value) for name, value in columns.items() if value is not None}
    return {
        "columns": {name: (array.shape, array.tolist()) for name, array in sorted(values.items())},
        "kinds": {name: array.dtype.kind for name, array in values.items() if array.size},
        "noted": noted,
        "timed": sorted(faces.metadata["timings_ms"]),
        "crops": found.crops,
        "size": (found.width, found.height),
    }


class TestTheSameAnswers:
    @pytest.mark.parametrize("crops", [False, True], ids=["faces", "crops"])
    @pytest.mark.parametrize("scene", SCENES)
    def test_a_picture_is_answered_as_by_ones_own_engine(
        self, answering: FakeFaces, settings: Any, scene: str, crops: bool
    ) -> None:
        answering.scene = SCENES[scene]
        here, there = (find_faces(picture(200, 150), crops=crops) for _ in both_ways(settings))
        assert as_data(here) == as_data(there)
        assert len(here.faces) == len(SCENES[scene])
        assert len(here.crops) == (len(SCENES[scene]) if crops else 0)
        assert here.embedder == there.embedder == EMBEDDER
        assert answering.calls == 2

    def test_embeddings_and_crops_arrive_bit_by_bit(self, answering: FakeFaces) -> None:
        found = find_faces(picture(), crops=True)
        embeddings = found.faces.data["embedding"]
        assert embeddings.dtype == np.float32
        assert np.array_equal(embeddings, np.stack([LEFT.embedding, RIGHT.embedding]))
        for number, crop in enumerate(found.crops):
            image = Image.open(io.BytesIO(crop))
            assert (image.format, image.size) == ("JPEG", (150, 150))
            assert image.convert("L").getpixel((75, 75)) == pytest.approx(90 + number, abs=1)

    def test_a_turned_picture_is_measured_as_it_is_seen(
        self, answering: FakeFaces, settings: Any
    ) -> None:
        file, exif = io.BytesIO(), Image.Exif()
        exif[274] = 6
        Image.new("RGB", (160, 120)).save(file, "JPEG", exif=exif)
        for _ in both_ways(settings):
            found = find_faces(file.getvalue())
            assert (found.width, found.height) == (120, 160)

    @pytest.mark.parametrize(
        ("data", "code", "status"),
        [
            (b"", "empty_file", 400),
            (b"no picture", "not_a_picture", 415),
            (picture()[:-2000], "truncated_picture", 422),
            (picture(400, 300), "too_many_pixels", 413),
        ],
        ids=["empty", "text", "truncated", "huge"],
    )
    def test_a_bad_file_is_refused_in_the_same_words(
        self, answering: FakeFaces, settings: Any, data: bytes, code: str, status: int
    ) -> None:
        settings.SIGHTLINE_MAX_PIXELS = 100_000
        words = set()
        for _ in both_ways(settings):
            with pytest.raises(UploadRejected) as refused:
                find_faces(data)
            assert (refused.value.code, refused.value.status) == (code, status)
            words.add(refused.value.message)
        assert len(words) == 1
        assert not answering.calls

    def test_an_engine_that_cannot_answer_says_so(
        self, answering: FakeFaces, settings: Any
    ) -> None:
        answering.error = VisionError("engine_closed", "The engine has been closed.")
        for _ in both_ways(settings):
            with pytest.raises(VisionError) as refused:
                find_faces(picture())
            assert refused.value.code == "engine_closed"

    def test_jobs_may_use_the_engine_that_is_there(
        self,
        by_workers: InferenceQueue,
        faces: FakeFaces,
    ) -> None:
        assert len(find_faces(picture(), here=True).faces) == 2
        assert by_workers.count_waiting() == 0

    @pytest.mark.parametrize("stand_in", [False, True], ids=["yunet", "stand-in"])
    def test_faces_of_a_picture_are_hidden_with_the_same_care(
        self, answering: FakeFaces, settings: Any, monkeypatch: Any, stand_in: bool
    ) -> None:
        asked: list[dict[str, Any]] = []
        detect = answering.detect

        def note(images: Any, **options: Any) -> Any:
            asked.append(options)
            return detect(images, **options)

        monkeypatch.setattr(answering, "detect", note)
        monkeypatch.setattr(answering, "embed", None)  # nobody needs to know who it is
        if stand_in:
            monkeypatch.setattr(answering, "detector", "dlib-hog")
        noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
        shown = [noise.copy(), noise.copy()]
        for image, _ in zip(shown, both_ways(settings), strict=True):
            assert hide_faces_in(image, "yolov8n")
        assert np.array_equal(*shown)
        face = (slice(21, 99), slice(21, 89))  # of LEFT
        assert bool((shown[0][face] == noise[face]).mean() > 0.5) == stand_in
        wanted = {"minimum_size": LEAST_FACE, "confidence": FACE_CONFIDENCE}
        assert asked
        assert all(wanted.items() <= options.items() for options in asked)

    def test_objects_and_faces_are_asked_for_side_by_side(self, answering: FakeFaces) -> None:
        objects = ask_workers(picture(), Query(model="yolov8n", confidence=0.25, iou=0.7))
        found = ask_workers(picture(), FaceQuery())
        assert len(objects.wait()[0].detections) == 3
        assert len(found.wait()[0].detections) == 2


class TestNobodyAnswers:
    def test_without_a_worker_one_is_told_when_to_come_again(
        self,
        by_workers: InferenceQueue,
        settings: Any,
    ) -> None:
        settings.SIGHTLINE_INFERENCE_WAIT_SECONDS = 0.2
        with pytest.raises(InferenceUnavailable) as refused:
            find_faces(picture())
        assert (refused.value.code, refused.value.status) == ("no_worker_answered", 503)
        assert refused.value.retry_after
        assert by_workers.count_waiting() == 0

    def test_one_too_many_is_turned_away_at_once(
        self,
        by_workers: InferenceQueue,
        settings: Any,
    ) -> None:
        settings.SIGHTLINE_INFERENCE_QUEUE = 1
        ask_workers(picture(), FaceQuery())
        began = time.monotonic()
        with pytest.raises(InferenceUnavailable) as refused:
            find_faces(picture())
        assert refused.value.code == "busy"
        assert time.monotonic() - began < 10  # who waits, waits for thirty seconds

    def test_redis_that_is_away_is_said_at_once(
        self,
        redis_server: RedisServer,
        by_workers: InferenceQueue,
    ) -> None:
        redis_server.stop()
        try:
            with pytest.raises(InferenceUnavailable) as refused:
                find_faces(picture())
            assert refused.value.code == "queue_unavailable"
        finally:
            redis_server.start()

    def test_a_bad_file_troubles_no_worker(self, by_workers: InferenceQueue) -> None:
        with pytest.raises(UploadRejected):
            find_faces(b"no picture")
        assert by_workers.count_waiting() == 0


class TestMessages:
    @pytest.mark.parametrize(
        "query",
        [FaceQuery(), FaceQuery(crops=True, confidence=0.3, minimum_size=12, embed=False)],
        ids=["usual", "of its own"],
    )
    def test_a_question_arrives_as_it_was_asked(self, query: FaceQuery) -> None:
        request = Request(b"file", query)
        assert unpack_request(pack_request(request)) == request

    def test_processes_of_an_earlier_release_are_refused_in_words(self) -> None:
        assert VERSION == 3
        with pytest.raises(ValueError, match="version 3"):
            unpack_request(msgpack.packb({"version": 2, "data": b"", "thumbnail": False}))

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"data": b"", "thumbnail": False},
            {"data": b"", "thumbnail": False, "about": "cats"},
            {"data": b"", "thumbnail": False, "about": "faces"},
            {"data": "text", "thumbnail": False, "about": "faces", "crops": True},
        ],
        ids=["empty", "about nothing", "about cats", "half a question", "no file"],
    )
    def test_nonsense_is_answered_in_words(self, fields: dict[str, Any]) -> None:
        answer = server.answer_request(msgpack.packb({"version": VERSION, **fields}))
        with pytest.raises(VisionError) as refused:
            unpack_reply(answer)
        assert refused.value.code == "bad_request"

    def test_a_picture_is_judged_again_by_the_worker(self, settings: Any) -> None:
        settings.SIGHTLINE_MAX_PIXELS = 100
        answer = server.answer_request(pack_request(Request(picture(), FaceQuery())))
        with pytest.raises(VisionError) as refused:
            unpack_reply(answer)
        assert refused.value.code == "too_many_pixels"


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.weights
def test_the_real_engine_finds_the_same_faces_both_ways(
    test_data: Path,
    by_workers: InferenceQueue,
    settings: Any,
) -> None:
    settings.SIGHTLINE_INFERENCE_WAIT_SECONDS = 60.0
    data = (test_data / "faces" / "two_people.jpg").read_bytes()
    set_engine_for_tests(None)
    try:
        start_server(threads=1)
        here, there = (find_faces(data, crops=True) for _ in both_ways(settings))
        assert len(here.faces) == 2
        assert here.crops == there.crops
        assert np.array_equal(here.faces.xyxy, there.faces.xyxy)
        apart = here.faces.data["embedding"] - there.faces.data["embedding"]
        assert np.abs(apart).max() < 1e-5
        one, other = here.faces.data["embedding"]
        assert np.linalg.norm(one - other) > 0.6
    finally:
        assert stop_server()
        close_engine()
