"""What Prometheus reads, and who may."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import DatabaseError
from django.test import Client, RequestFactory
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from common.accounts.services import create_token
from common.jobs.errors import JobFailed
from common.jobs.identity import process_name
from common.jobs.registry import job_handler
from common.jobs.runner import execute_job
from common.jobs.services import enqueue_job, retry_job
from common.jobs.workers import Worker, collect_info
from common.metrics import state
from common.metrics.requests import route_of
from common.metrics.sockets import CountedSockets
from common.metrics.work import snapshot
from common.models import Job
from common.uploads.errors import UploadRejected
from tests.integration.conftest import make_user
from vision.engine import Engine, EngineConfig
from vision.engine.config import Batch
from vision.weights.store import WeightsStore

Numbers = Callable[..., float]


@pytest.fixture
def number(client: Client, db: None) -> Numbers:
    """Reads one number off the page; 0 when it is not there."""

    def read(name: str, **labels: str) -> float:
        families = text_string_to_metric_families(client.get("/metrics").text)
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    return read


# ---------------------------------------------------------------- who may
@pytest.mark.parametrize(
    ("meta", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "127.8.0.1"}, 200),
        ({"REMOTE_ADDR": "10.0.0.3"}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"HTTP_FORWARDED": "for=127.0.0.1"}, 403),
        ({"HTTP_X_REAL_IP": "127.0.0.1"}, 403),
        ({"HTTP_X_FORWARDED_PROTO": "https"}, 403),
        ({"HTTP_VIA": "1.1 proxy"}, 403),
    ],
)
def test_strangers_read_from_this_machine_alone(
    client: Client, db: None, meta: dict[str, str], status: int
) -> None:
    assert client.get("/metrics", **meta).status_code == status


@pytest.mark.parametrize(
    ("role", "status"), [("administrator", 200), ("operator", 403), ("viewer", 403)]
)
@pytest.mark.parametrize("how", ["session", "token"])
def test_from_elsewhere_administrators_read(
    client: Client, db: None, role: str, status: int, how: str
) -> None:
    user = make_user("eve", role)
    headers = {}
    if how == "session":
        client.force_login(user)
    else:
        _, text = create_token(owner=user, name="prometheus", scope="read", days=1)
        headers["HTTP_AUTHORIZATION"] = f"Token {text}"
    answer = client.get("/metrics", REMOTE_ADDR="10.0.0.3", **headers)
    assert answer.status_code == status


def test_a_wrong_token_is_refused(client: Client, db: None) -> None:
    answer = client.get("/metrics", REMOTE_ADDR="10.0.0.3", HTTP_AUTHORIZATION="Token x")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4"]
)
def test_the_answer_is_text_whatever_is_accepted(client: Client, db: None, accept: str) -> None:
    answer = client.get("/metrics", HTTP_ACCEPT=accept)
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert list(text_string_to_metric_families(answer.text))


# ---------------------------------------------------------------- requests
def test_requests_count_by_route_and_status(signed_in: Client, number: Numbers) -> None:
    labels = {"method": "GET", "route": "detector:session", "status": "404"}
    before = number("sightline_requests_total", **labels)
    for _ in range(3):
        signed_in.get(f"/sessions/{uuid4()}/")
    assert number("sightline_requests_total", **labels) - before == 3
    assert number("sightline_request_seconds_count", route="detector:session") >= 3


@pytest.mark.parametrize(
    ("path", "route"),
    [("/healthz", "healthz"), ("/no/such/page", "unmatched"), ("/static/css/x.css", "static")],
)
def test_addresses_never_become_labels(
    client: Client, number: Numbers, path: str, route: str
) -> None:
    before = number("sightline_requests_total", route=route)
    client.get(path)
    assert number("sightline_requests_total", route=route) - before == 1
    assert path not in client.get("/metrics").text


def test_made_up_methods_share_a_label(client: Client, number: Numbers) -> None:
    client.generic("BREW", "/healthz")
    assert number("sightline_requests_total", method="other", route="healthz") >= 1
    assert "BREW" not in client.get("/metrics").text


def test_a_route_has_a_name_before_it_is_known() -> None:
    assert route_of(RequestFactory().get("/x")) == "unmatched"


# ---------------------------------------------------------------- jobs
def test_jobs_count_by_kind_and_state(user: Any, number: Numbers) -> None:
    for state_, count in (("queued", 2), ("failed", 1)):
        for _ in range(count):
            Job.objects.create(kind="test.count", owner=user, state=state_)
    assert number("sightline_jobs", kind="test.count", state="queued") == 2
    assert number("sightline_jobs", kind="test.count", state="failed") == 1
    assert number("sightline_jobs", kind="test.count", state="done") == 0
    assert number("sightline_queue_jobs", queue="inference") == 2


def test_jobs_are_counted_in_one_query(user: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert state.count_jobs() == {}
    Job.objects.create(kind="test.count", owner=user)
    with django_assert_num_queries(1):
        assert state.count_jobs() == {("test.count", "queued"): 1}


@pytest.mark.parametrize(("raised", "outcome"), [(None, "done"), (JobFailed("x", "No."), "failed")])
def test_waiting_and_working_are_timed(
    user: Any, number: Numbers, raised: Exception | None, outcome: str
) -> None:
    kind = f"test.{uuid4()}"

    @job_handler(kind)
    def work(context: Any) -> None:
        time.sleep(0.06)
        if raised is not None:
            raise raised

    job = enqueue_job(kind=kind, owner=user, payload={})
    Job.objects.update(queued_at=timezone.now() - dt.timedelta(seconds=3))
    execute_job(job.pk)
    assert 3 <= number("sightline_job_queue_seconds_sum", kind=kind) < 20
    assert number("sightline_job_run_seconds_count", kind=kind, outcome=outcome) == 1
    assert number("sightline_job_run_seconds_sum", kind=kind, outcome=outcome) >= 0.06


def test_a_job_that_is_tried_again_waits_from_then_on(user: Any) -> None:
    long_ago = timezone.now() - dt.timedelta(days=30)
    job = Job.objects.create(
        kind="test.again", owner=user, state="failed", created_at=long_ago, queued_at=long_ago
    )
    retry_job(job=job)
    job.refresh_from_db()
    assert timezone.now() - job.queued_at < dt.timedelta(minutes=1)
    assert job.created_at == long_ago


# ---------------------------------------------------------------- workers
def test_what_workers_tell_is_told_for_them(number: Numbers) -> None:
    from common.metrics.work import observe_batch

    observe_batch(Batch("test-model", pictures=4, seconds=0.03))
    told = snapshot()
    Worker.objects.create(
        name="far:1:abc", host="far", queues=["inference"], last_sign_at=timezone.now(), info=told
    )
    for worker in ("far:1:abc", process_name()):
        labels = {"model": "test-model", "worker": worker}
        assert number("sightline_inference_seconds_count", **labels) == 1
        assert number("sightline_inference_seconds_bucket", le="0.04", **labels) == 1
        assert number("sightline_inference_seconds_bucket", le="0.02", **labels) == 0
        assert number("sightline_inference_batch_pictures_sum", **labels) == 4
        assert number("sightline_worker_memory_bytes", worker=worker) > 10_000_000
    assert number("sightline_workers", state="alive") == 1


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"metrics": None},
        {"metrics": []},
        {"metrics": {"inference": [3, None, [], [["m"], [1], 2.0], [["m", "n"], [0] * 12, 2.0]]}},
        {"memory_bytes": "much"},
    ],
)
def test_a_worker_of_another_version_breaks_nothing(number: Numbers, info: Any) -> None:
    Worker.objects.create(name="old:1:abc", host="old", last_sign_at=timezone.now(), info=info)
    assert number("sightline_workers", state="alive") == 1
    assert number("sightline_inference_seconds_count", worker="old:1:abc") == 0


def test_a_worker_that_has_gone_tells_nothing(number: Numbers) -> None:
    gone = timezone.now() - dt.timedelta(hours=1)
    Worker.objects.create(name="x:1:abc", host="x", last_sign_at=gone, info=snapshot())
    assert number("sightline_worker_memory_bytes", worker="x:1:abc") == 0
    assert number("sightline_workers", state="gone") == 1


def test_every_worker_adds_its_numbers_to_its_row() -> None:
    assert {"memory_bytes", "metrics"} <= set(collect_info())


def test_a_database_that_is_away_hides_only_what_it_knows(
    client: Client, number: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Any:
        raise DatabaseError("gone away")

    client.get("/healthz")
    assert number("sightline_database_up") == 1
    monkeypatch.setattr(state, "count_jobs", away)
    assert number("sightline_database_up") == 0
    assert number("sightline_workers") == 0
    assert number("sightline_requests_total", route="healthz") >= 1
    assert number("sightline_worker_memory_bytes", worker=process_name()) > 0


# ---------------------------------------------------------------- the rest
def test_refused_files_count_by_reason(api: APIClient, number: Numbers, jpeg: bytes) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    before = number("sightline_uploads_refused_total", code="unsupported_format")
    answer = api.post("/api/sessions/", {"image": SimpleUploadedFile("x.jpg", b"no")}, "multipart")
    code = answer.json()["error"]["code"]
    assert answer.status_code >= 400
    assert number("sightline_uploads_refused_total", code=code) >= 1
    UploadRejected("unsupported_format", "No.")
    assert number("sightline_uploads_refused_total", code="unsupported_format") > before


async def test_open_sockets_are_counted() -> None:
    from common.metrics.registry import websockets

    before = websockets._value.get()
    seen = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": scope["answer"]})
        seen.append(websockets._value.get() - before)
        if scope["inside"]:
            await scope["inside"]()

    async def send(message: Any) -> None:
        return None

    def socket(answer: str, inside: Any = None) -> Any:
        scope = {"answer": f"websocket.{answer}", "inside": inside}
        return CountedSockets(application)(scope, None, send)

    async def fail() -> None:
        await socket("accept")
        raise ConnectionError

    await socket("close")
    with pytest.raises(ConnectionError):
        await socket("accept", fail)
    assert seen == [0, 1, 2]
    assert websockets._value.get() == before


def test_the_engine_tells_of_its_batches(tmp_path: Path) -> None:
    batches: list[Batch] = []
    config = EngineConfig(
        cache_dir=tmp_path,
        weights=WeightsStore(tmp_path, allow_download=False),
        backend="opencv",
        on_batch=batches.append,
    )
    with Engine(config) as engine:
        engine.detect([np.zeros((64, 64, 3), np.uint8)] * 3)
    assert sum(batch.pictures for batch in batches) == 3
    assert {batch.model for batch in batches} == {"opencv-fallback"}
    assert all(batch.seconds > 0 for batch in batches)


def test_observing_a_request_takes_less_than_a_twentieth_of_a_millisecond(db: None) -> None:
    from detection_project.request_context import RequestContextMiddleware

    answer = Client().get("/healthz")
    request = RequestFactory().get("/healthz")
    middleware = RequestContextMiddleware(lambda request: answer)

    def best(call: Callable[[], Any]) -> float:
        def once() -> float:
            began = time.perf_counter()
            for _ in range(200):
                call()
            return (time.perf_counter() - began) / 200

        return min(once() for _ in range(15))

    assert (
        best(lambda: middleware(request)) - best(lambda: middleware.get_response(request)) < 50e-6
    )
