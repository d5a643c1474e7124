"""Pictures answered by the workers: the same answers, and clear words when there are none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pytest
import redis
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from common.inference import (
    Query,
    ask_workers,
    list_workers,
    needs_engine,
    server,
    set_engine_for_tests,
    start_server,
    stop_server,
)
from common.inference.errors import InferenceUnavailable
from common.inference.messages import Request, pack_request, unpack_reply
from common.inference.queue import InferenceQueue, get_queue, new_name
from common.models import Upload
from detector.models import DetectedObject, DetectionSession
from detector.services import finding
from detector.services.options import parse_options
from detector.services.sessions import rerun_session
from tests.integration.conftest import wait_until
from tests.integration.detector.conftest import FakeEngine, make_session, picture, run_job
from tests.servers import MissingServerError, RedisServer
from vision.engine import ModelInfo
from vision.errors import ModelError, PictureError, VisionError
from vision.structures import Priority

pytestmark = pytest.mark.django_db

QUERY = Query(model="yolov8n", confidence=0.25, iou=0.7)


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
def engine() -> Iterator[FakeEngine]:
    """The fake engine, in place of the process's."""
    fake = FakeEngine()
    set_engine_for_tests(fake)  # type: ignore[arg-type]
    yield fake
    set_engine_for_tests(None)


@pytest.fixture
def by_workers(redis_server: RedisServer, settings: Any) -> InferenceQueue:
    """An installation whose pictures are answered by workers; none runs yet."""
    settings.REDIS_URL = redis_server.url
    settings.INFERENCE = "worker"
    settings.SIGHTLINE_INFERENCE_WAIT_SECONDS = 5.0
    redis.Redis.from_url(redis_server.url).flushdb()
    return get_queue(redis_server.url)


@pytest.fixture
def answering(by_workers: InferenceQueue, engine: FakeEngine) -> Iterator[FakeEngine]:
    """The engine of a worker that answers from threads of this process."""
    start_server(threads=3)
    yield engine
    assert stop_server()


def both_ways(settings: Any) -> Iterator[str]:
    """Set the installation up to answer by itself, then by workers."""
    for settings.INFERENCE in ("local", "worker"):
        yield settings.INFERENCE


def post(api: APIClient, *images: bytes, path: str = "/api/detect/", **fields: Any) -> Any:
    accept = fields.pop("accept", "application/json")
    files = [
        SimpleUploadedFile(f"yard{n or ''}.jpg", data, "image/jpeg")
        for n, data in enumerate(images or [picture()])
    ]
    return api.post(
        path, {"image": files, **fields}, format="multipart", headers={"accept": accept}
    )


def answer_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.content
    return dict(json.loads(response.content))


def check_unavailable(response: Any, code: str) -> None:
    assert response.status_code == 503
    assert response.json()["error"]["code"] == code
    assert int(response["Retry-After"]) > 0


def keys_left(queue: InferenceQueue) -> list[bytes]:
    found: Any = queue._redis.keys("*")
    return [key for key in found if b":worker" not in key]


class TestTheSameAnswers:
    @pytest.mark.parametrize(
        ("path", "fields"),
        [
            ("/api/detect/", {}),
            ("/api/detect/", {"classes": "dog", "confidence": "0.5", "model": "yolov8s"}),
            ("/api/detect/", {"model": "yolov8n-seg"}),
            ("/api/detect/", {"confidence": "1"}),
            ("/api/segment/", {}),
            ("/api/segment/", {"masks": "rle"}),
            ("/api/segment/", {"masks": "none"}),
        ],
    )
    def test_a_picture_is_answered_and_kept_as_by_ones_own_engine(
        self, api: APIClient, answering: FakeEngine, settings: Any, path: str, fields: Any
    ) -> None:
        answers, kept = [], []
        for _ in both_ways(settings):
            answer = answer_of(post(api, path=path, **fields))
            session = DetectionSession.objects.get(pk=answer.pop("session"))
            objects = DetectedObject.objects.filter(session=session).order_by("index")
            row = (session.upload.thumbnail.read(), session.upload.file.read(), session.status)
            columns = ("class_name", "class_id", "confidence", "x", "y", "width", "height", "mask")
            kept.append((row, list(objects.values_list(*columns)), session.model))
            assert set(session.timings_ms) == set(answer["timings_ms"])
            answer["timings_ms"] = sorted(answer["timings_ms"])
            answers.append(answer)
        assert answers[0] == answers[1]
        assert kept[0] == kept[1]
        assert answering.calls[0] == answering.calls[1]

    def test_many_pictures_are_answered_in_order_each_for_itself(
        self, api: APIClient, answering: FakeEngine
    ) -> None:
        images = [picture(100 + n, 80) for n in range(20)]
        images[3] = b"no picture"
        images[5] = picture()[:-2000]  # sound by its header: only the worker sees it
        results = answer_of(post(api, *images))["results"]
        assert [results[n]["error"]["code"] for n in (3, 5)] == [
            "not_a_picture",
            "truncated_picture",
        ]
        good = [n for n in range(20) if n not in (3, 5)]
        assert [results[n]["image"]["width"] for n in good] == [100 + n for n in good]
        assert DetectionSession.objects.count() == 18

    def test_one_damaged_picture_is_refused_as_by_ones_own_engine(
        self, api: APIClient, answering: FakeEngine, settings: Any
    ) -> None:
        answers = []
        for _ in both_ways(settings):
            response = post(api, picture()[:-2000])
            answers.append((response.status_code, response.json()))
        assert answers[0] == answers[1]
        assert answers[0][0] == 422
        assert not Upload.objects.exists()

    @pytest.mark.parametrize("accept", ["image/png", "image/jpeg"])
    def test_the_annotated_picture_is_the_same(
        self, api: APIClient, answering: FakeEngine, settings: Any, accept: str
    ) -> None:
        pictures = []
        for _ in both_ways(settings):
            response = post(api, accept=accept, save="0")
            assert response["Content-Type"] == accept
            pictures.append(response.content)
        assert pictures[0] == pictures[1]

    def test_a_fallback_says_so(self, api: APIClient, answering: FakeEngine) -> None:
        answering.model, answering.reason = "opencv-fallback", "The weights are not there."
        answer = answer_of(post(api))
        assert answer["model"] == "opencv-fallback"
        assert "The weights are not there." in answer["notice"]

    def test_the_time_on_the_way_counts_as_queue(
        self, api: APIClient, answering: FakeEngine
    ) -> None:
        answering.before = lambda: time.sleep(0.05)
        timings = answer_of(post(api))["timings_ms"]
        assert 0 < timings["queue"] < 50  # not the time that the engine took
        parts = timings["queue"] + timings["decode"] + 2.5
        assert timings["total"] >= parts - 0.02  # each of them is rounded

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (VisionError("export_failed", "The network could not be exported."), "export_failed"),
            (ModelError("not_quantized", "There is no INT8 version."), "not_quantized"),
            (RuntimeError("secret detail"), "inference_failed"),
        ],
    )
    def test_an_engine_that_cannot_answer_is_a_503_and_the_worker_goes_on(
        self, api: APIClient, answering: FakeEngine, error: Exception, code: str
    ) -> None:
        answering.error = error
        response = post(api)
        assert (response.status_code, response.json()["error"]["code"]) == (503, code)
        assert "secret" not in response.content.decode()
        answering.error = None
        assert answer_of(post(api))["detections"] == 3


class TestNobodyAnswers:
    def test_without_a_worker_it_is_a_503_and_nothing_is_left(
        self, api: APIClient, by_workers: InferenceQueue, settings: Any
    ) -> None:
        settings.SIGHTLINE_INFERENCE_WAIT_SECONDS = 0.2
        check_unavailable(post(api), "no_worker_answered")
        assert not keys_left(by_workers)
        assert not Upload.objects.exists()

    def test_one_too_many_is_turned_away_at_once(
        self, api: APIClient, by_workers: InferenceQueue, settings: Any
    ) -> None:
        settings.SIGHTLINE_INFERENCE_QUEUE = 2
        waiting = [ask_workers(picture(), QUERY) for _ in range(2)]
        began = time.monotonic()
        check_unavailable(post(api), "busy")
        assert time.monotonic() - began < 10  # who waits, waits for thirty seconds
        assert by_workers.count_waiting() == 2
        waiting[0].withdraw()
        ask_workers(picture(), QUERY)

    def test_the_bytes_that_wait_are_bounded_but_one_picture_always_may(
        self, by_workers: InferenceQueue, settings: Any
    ) -> None:
        settings.SIGHTLINE_INFERENCE_QUEUE_BYTES = 10
        ask_workers(picture(), QUERY)
        with pytest.raises(InferenceUnavailable) as refused:
            ask_workers(picture(), QUERY)
        assert refused.value.code == "busy"

    def test_nobody_computes_for_those_who_have_gone(
        self, by_workers: InferenceQueue, engine: FakeEngine, settings: Any
    ) -> None:
        settings.SIGHTLINE_INFERENCE_WAIT_SECONDS = 0.05
        for _ in range(5):
            ask_workers(picture(), QUERY)
        time.sleep(0.1)
        settings.SIGHTLINE_INFERENCE_WAIT_SECONDS = 5.0
        question = ask_workers(picture(), QUERY)
        assert by_workers.count_waiting() == 1
        start_server(threads=2)
        try:
            question.wait()
        finally:
            stop_server()
        assert len(engine.calls) == 1

    def test_an_answer_that_nobody_fetches_runs_out(
        self, by_workers: InferenceQueue, answering: FakeEngine
    ) -> None:
        ask_workers(picture(), QUERY)
        wait_until(lambda: any(b":reply:" in key for key in keys_left(by_workers)))
        (key,) = keys_left(by_workers)
        assert 0 < by_workers._redis.ttl(key) <= 60  # type: ignore[operator]

    def test_a_request_that_ends_early_takes_back_what_waits(
        self, by_workers: InferenceQueue
    ) -> None:
        files = [SimpleUploadedFile("yard.jpg", picture()) for _ in range(9)]
        answers = finding.find_by_workers(files, parse_options(task="detect"), thumbnails=False)

        def first() -> None:
            with pytest.raises(VisionError):
                next(answers)

        thread = threading.Thread(target=first)
        thread.start()
        wait_until(lambda: by_workers.count_waiting() == finding.CHUNK)
        taken = by_workers.take("somebody")
        assert taken is not None
        by_workers.answer(taken.name, b"nonsense", seconds=5)
        thread.join()
        wait_until(lambda: by_workers.count_waiting() == 0)


class TestAWorkerDies:
    def test_its_picture_is_answered_by_another(
        self, by_workers: InferenceQueue, engine: FakeEngine
    ) -> None:
        question = ask_workers(picture(), QUERY)
        # Taken by a worker that gives no sign: it was killed at once.
        assert by_workers.take("host:1:dead") is not None
        start_server(threads=1)
        try:
            reply, _ = question.wait()
        finally:
            stop_server()
        assert len(reply.detections) == 3

    def test_one_that_is_only_slow_is_not_taken_for_dead(
        self, by_workers: InferenceQueue, answering: FakeEngine
    ) -> None:
        answering.before = lambda: time.sleep(2.5)
        reply, took = ask_workers(picture(), QUERY).wait()
        assert len(reply.detections) == 3
        assert took > 2500
        assert len(answering.calls) == 1

    def test_one_that_stops_answers_what_it_has_taken(
        self, by_workers: InferenceQueue, engine: FakeEngine
    ) -> None:
        started = threading.Event()

        def work() -> None:
            started.set()
            time.sleep(0.3)

        engine.before = work
        start_server(threads=1)
        question = ask_workers(picture(), QUERY)
        assert started.wait(5)
        assert stop_server()
        assert len(question.wait()[0].detections) == 3
        assert list_workers() == []

    @pytest.mark.parametrize(
        "message",
        [b"", b"nonsense", msgpack.packb({"version": 99}), msgpack.packb({"version": 1})],
    )
    def test_nonsense_in_the_queue_harms_nobody(
        self, by_workers: InferenceQueue, answering: FakeEngine, message: bytes
    ) -> None:
        name = new_name()
        by_workers.offer(name, message, seconds=5, most=9, most_bytes=9999)
        answer = by_workers.receive(name, seconds=2)
        assert answer is not None
        with pytest.raises(VisionError) as refused:
            unpack_reply(answer)
        assert refused.value.code == "bad_request"
        assert len(ask_workers(picture(), QUERY).wait()[0].detections) == 3

    def test_a_picture_is_judged_again_by_the_worker(self, settings: Any) -> None:
        settings.SIGHTLINE_MAX_PIXELS = 100
        answer = server.answer_request(pack_request(Request(picture(), QUERY)))
        with pytest.raises(PictureError) as refused:
            unpack_reply(answer)
        assert refused.value.code == "too_many_pixels"


class TestRedisGoesAway:
    def test_it_is_a_quick_503_and_all_is_well_when_it_returns(
        self, api: APIClient, redis_server: RedisServer, answering: FakeEngine
    ) -> None:
        assert answer_of(post(api))["detections"] == 3
        redis_server.stop()
        try:
            began = time.monotonic()
            check_unavailable(post(api), "queue_unavailable")
            assert time.monotonic() - began < 10
            assert api.get("/api/models/").status_code == 200
        finally:
            redis_server.start()
        assert answer_of(post(api))["detections"] == 3

    def test_those_who_wait_are_told_at_once(
        self, api: APIClient, redis_server: RedisServer, by_workers: InferenceQueue
    ) -> None:
        def stop_soon() -> None:
            wait_until(lambda: by_workers.count_waiting() == 1)
            redis_server.stop()

        thread = threading.Thread(target=stop_soon)
        thread.start()
        try:
            began = time.monotonic()
            check_unavailable(post(api), "queue_unavailable")
            assert time.monotonic() - began < 10
        finally:
            thread.join()
            redis_server.start()

    def test_without_an_address_of_a_server_it_is_said(
        self, api: APIClient, by_workers: InferenceQueue, settings: Any
    ) -> None:
        settings.REDIS_URL = ""
        check_unavailable(post(api), "queue_unavailable")
        with pytest.raises(InferenceUnavailable):
            start_server()


class TestWebProcesses:
    def test_they_never_touch_an_engine(self, api: APIClient, by_workers: InferenceQueue) -> None:
        class Forbidden:
            def __getattr__(self, name: str) -> Any:
                raise AssertionError(f"the engine was asked for {name}")

        set_engine_for_tests(Forbidden())  # type: ignore[arg-type]
        reply = server.pack_reply(unpack_reply(_answer_with(FakeEngine())))
        set_engine_for_tests(Forbidden())  # type: ignore[arg-type]
        try:
            assert not needs_engine()
            assert api.get("/api/models/").status_code == 200
            with _answered_by(by_workers, lambda message: reply):
                assert answer_of(post(api, save="1"))["detections"] == 3
        finally:
            set_engine_for_tests(None)

    def test_models_are_loaded_where_workers_have_loaded_them(
        self, api: APIClient, by_workers: InferenceQueue, engine: FakeEngine
    ) -> None:
        def loaded() -> list[ModelInfo]:
            return [
                ModelInfo("yolov8s", "yolov8s", "detect", "fake", "cpu", "fp32", (), False, ""),
                ModelInfo("fallback", "yolov8m", "detect", "fake", "cpu", "fp32", (), True, "Why."),
            ]

        engine.loaded = loaded  # type: ignore[method-assign]

        def listed() -> dict[str, Any]:
            return {row["name"]: row["loaded"] for row in api.get("/api/models/").json()}

        assert not any(listed().values())
        start_server(threads=1)
        try:
            wait_until(lambda: any(listed().values()))
            assert {name: how for name, how in listed().items() if how} == {
                "yolov8s": {"backend": "fake", "device": "cpu", "precision": "fp32"}
            }
            (worker,) = list_workers()
            assert worker.threads == 1
        finally:
            stop_server()
        assert not any(listed().values())


def test_jobs_use_the_workers_own_engine(
    user: Any, by_workers: InferenceQueue, engine: FakeEngine
) -> None:
    session = make_session(user)
    again = run_job(
        rerun_session(session=session, owner=user, options=parse_options(task="detect"))
    )
    assert again.object_count == 3
    assert [call["priority"] for call in engine.calls] == [Priority.BATCH]


class TestAnEngineThatFailsHalfWay:
    @pytest.fixture(params=["local", "worker"])
    def failing(self, request: Any, answering: FakeEngine, settings: Any) -> FakeEngine:
        """Fails at the second half of twenty pictures."""
        settings.INFERENCE = request.param

        def fail_late() -> None:
            if sum(call["pictures"] for call in answering.calls) > 10:
                answering.error = VisionError("export_failed", "It failed.")

        answering.before = fail_late
        return answering

    def test_what_was_kept_is_answered_and_the_rest_carries_the_error(
        self, api: APIClient, failing: FakeEngine
    ) -> None:
        results = answer_of(post(api, *[picture() for _ in range(20)]))["results"]
        errors = [entry.get("error", {}).get("code") for entry in results]
        done = errors.index("export_failed")
        assert 0 < done < 20
        assert errors == [None] * done + ["export_failed"] * (20 - done)
        assert results[-1]["image"]["name"] == "yard19.jpg"
        assert DetectionSession.objects.count() == done

    def test_one_picture_is_a_503(self, api: APIClient, failing: FakeEngine) -> None:
        failing.error = VisionError("export_failed", "It failed.")
        response = post(api)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "export_failed")

    def test_when_nothing_was_answered_all_is_a_503(
        self, api: APIClient, failing: FakeEngine
    ) -> None:
        failing.error = VisionError("export_failed", "It failed.")
        assert post(api, picture(), picture()).status_code == 503


def _answer_with(engine: FakeEngine) -> bytes:
    set_engine_for_tests(engine)  # type: ignore[arg-type]
    return server.answer_request(pack_request(Request(picture(), QUERY, thumbnail=True)))


class _answered_by:  # noqa: N801 - a context manager
    """A worker of another process, as far as the queue can tell: one answer to all."""

    def __init__(self, queue: InferenceQueue, answer: Callable[[bytes], bytes]) -> None:
        self._queue, self._answer, self._over = queue, answer, threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.is_set():
            taken = self._queue.take("elsewhere", seconds=0.1)
            if taken is not None:
                self._queue.answer(taken.name, self._answer(taken.message), seconds=5)
