"""Who works: rows, signs, states, the page and the API; and bells that are lost or too many."""

import itertools
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from common.jobs import bells, presence, runner, services
from common.jobs.bells import bells_waiting, broker_priority
from common.jobs.identity import process_name
from common.jobs.models import Job
from common.jobs.queues import LONG_QUEUE
from common.jobs.registry import job_handler
from common.jobs.selectors import list_queues, list_workers, seconds_since_sign
from common.jobs.services import enqueue_job, sweep_jobs
from common.jobs.workers import Worker, collect_info, register_info
from detection_project import hearing
from detection_project.celery import app
from detection_project.embedded import EmbeddedWorker
from detection_project.hearing import Heartbeat
from integration.conftest import make_user, wait_for_job, wait_until

ELSEWHERE = "elsewhere:1:aa"
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def no_old_bells() -> None:
    """Messages of other tests would count as bells of this one."""
    with app.connection_for_write() as broker:
        for queue in settings.SIGHTLINE_QUEUES:
            broker.default_channel.queue_purge(queue)


def make_worker(name: str = ELSEWHERE, **ages: float | None) -> Worker:
    """Return a row; ages in seconds."""
    moments = {
        key: None if age is None else timezone.now() - timedelta(seconds=age)
        for key, age in ages.items()
    }
    host = name.partition(":")[0]
    return Worker.objects.create(name=name, host=host, queues=["inference"], **moments)


DEAD_HERE = process_name().split(":")[0] + ":999999999:" + process_name().split(":")[2]
STATES = [
    ({"started_at": 500.0, "last_sign_at": 5.0}, ELSEWHERE, "alive"),
    ({"started_at": 5.0, "last_sign_at": None}, ELSEWHERE, "starting"),
    ({"started_at": 500.0, "last_sign_at": 90.0}, ELSEWHERE, "silent"),
    ({"started_at": 90.0, "last_sign_at": None}, ELSEWHERE, "silent"),
    ({"started_at": 5000.0, "last_sign_at": 601.0}, ELSEWHERE, "gone"),
    ({"started_at": 5.0, "last_sign_at": 1.0}, DEAD_HERE, "gone"),
    ({"started_at": 500.0, "last_sign_at": 5.0, "stopped_at": 3.0}, ELSEWHERE, "stopped"),
]


@pytest.mark.parametrize(("ages", "name", "state"), STATES, ids=range(len(STATES)))
def test_a_worker_is_judged_by_its_last_sign(
    db: None, ages: dict[str, Any], name: str, state: str
) -> None:
    make_worker(name, **ages)
    (found,) = list_workers()
    assert found.state == state


def test_only_signs_of_processes_that_may_live_count(db: None) -> None:
    assert seconds_since_sign() is None
    make_worker(DEAD_HERE, last_sign_at=1.0)
    make_worker("stopped:1:aa", last_sign_at=1.0, stopped_at=0.5)
    assert seconds_since_sign() is None
    make_worker(last_sign_at=30.0)
    age = seconds_since_sign()
    assert age is not None
    assert 29 < age < 40


def test_rows_are_forgotten_a_day_after_the_last_sign(db: None) -> None:
    day = 86_400.0
    make_worker("a:1:x", last_sign_at=day - 60, started_at=9 * day)
    make_worker("b:1:x", last_sign_at=day + 60, started_at=9 * day)
    make_worker("c:1:x", last_sign_at=None, started_at=day + 60)
    make_worker("d:1:x", last_sign_at=day + 90, stopped_at=day + 60)
    make_worker("e:1:x", last_sign_at=None, started_at=60)
    assert presence.forget_gone_workers() == 3
    assert sorted(Worker.objects.values_list("host", flat=True)) == ["a", "e"]


def test_a_started_worker_hears_itself_and_says_when_it_stops(worker: EmbeddedWorker) -> None:
    def signed() -> bool:
        return Worker.objects.filter(name=process_name()).exclude(last_sign_at=None).exists()

    wait_until(signed)
    (found,) = list_workers()
    assert (found.state, found.queues) == ("alive", settings.SIGHTLINE_QUEUES)
    assert found.info["memory_bytes"] > 1_000_000
    worker.stop()
    (found,) = list_workers()
    assert found.state == "stopped"


def test_a_sign_for_another_process_proves_nothing(worker: EmbeddedWorker) -> None:
    wait_until(lambda: presence.last_heard() > 0)
    heard = presence.last_heard()
    presence.note_sign(ELSEWHERE)
    assert presence.last_heard() == heard
    assert not Worker.objects.filter(name=ELSEWHERE).exists()


def test_a_worker_without_a_free_thread_is_alive_by_its_leases(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "WRITE_SECONDS", 0.0)
    presence.begin(queues=["inference"], threads=2)
    try:
        presence.note_work(1)
        assert Worker.objects.get().last_sign_at is None  # the other thread could have heard
        presence.note_work(2)
        assert Worker.objects.get().last_sign_at is not None
    finally:
        presence.end()


def test_a_database_that_is_away_does_not_stop_a_worker(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(presence, "_write_row", away)
    presence.begin(queues=["inference"], threads=1)
    presence.note_sign(process_name())
    presence.end()
    assert not Worker.objects.exists()


def test_a_broken_source_of_numbers_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.jobs.workers._sources", [])

    @register_info
    def broken() -> dict[str, Any]:
        raise ZeroDivisionError

    register_info(lambda: {"pictures": 7})
    assert register_info(broken) is broken
    assert collect_info() == {"pictures": 7}


# ---------------------------------------------------------------- deafness
@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "DEAF_SECONDS", 1.0)
    monkeypatch.setattr(settings, "SIGHTLINE_HEARTBEAT_SECONDS", 0.1)


def test_a_worker_whose_consumer_is_deaf_starts_anew(impatient: None, worker: Any) -> None:
    wait_until(lambda: presence.last_heard() > 0)
    anew: list[float] = []
    worker.heartbeat.on_deaf = lambda: anew.append(time.monotonic())
    time.sleep(1.5)
    assert not anew  # it hears
    # What a lost subscription looks like: connected, and nobody takes messages.
    worker._controller.consumer.task_consumer.cancel()
    wait_until(lambda: bool(anew), 15)


def busy(*, is_overdue: bool, queue: str = "inference") -> Any:
    """What a thread that works on a job holds."""
    return SimpleNamespace(is_overdue=is_overdue, job=SimpleNamespace(queue=queue))


def test_long_work_keeps_no_thread_from_hearing(monkeypatch: pytest.MonkeyPatch) -> None:
    working = [busy(is_overdue=False), busy(is_overdue=False, queue=LONG_QUEUE)]
    monkeypatch.setattr(runner, "_running", dict(enumerate(working)))
    assert runner.count_working() == 1


def test_silence_proves_nothing_while_the_broker_is_away_or_all_threads_work(
    impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat = Heartbeat()
    monkeypatch.setattr(hearing, "DEAF_SECONDS", 0.0)
    monkeypatch.setattr(presence._presence, "_queues", ["inference"])
    monkeypatch.setattr(presence._presence, "_threads", 1)
    assert not heartbeat.is_deaf(sent=True)
    assert heartbeat.is_deaf(sent=True)
    assert not heartbeat.is_deaf(sent=False)
    monkeypatch.setattr(runner, "_running", {1: busy(is_overdue=False)})
    assert not heartbeat.is_deaf(sent=True)
    assert not heartbeat.is_deaf(sent=True)
    monkeypatch.setattr(runner, "_running", {1: busy(is_overdue=True)})  # it is stuck
    assert not heartbeat.is_deaf(sent=True)
    assert heartbeat.is_deaf(sent=True)


# ---------------------------------------------------------------- bells
@pytest.mark.parametrize(("ours", "brokers"), [(0, 6), (1, 3), (2, 0), (9, 0), (-1, 9), (-5, 9)])
def test_the_broker_counts_the_other_way_round(ours: int, brokers: int) -> None:
    assert broker_priority(ours) == brokers


def make_queued(user: Any, count: int, **values: Any) -> None:
    past = timezone.now() - timedelta(hours=1)
    Job.objects.bulk_create(
        Job(**{"kind": "test.none", "owner": user, "lease_expires_at": past, **values})
        for _ in range(count)
    )


def test_only_bells_that_the_broker_does_not_have_are_rung_again(
    transactional_db: None, user: Any
) -> None:
    assert bells_waiting("inference") == 0
    make_queued(user, 5)
    assert sweep_jobs().rung == 5
    assert bells_waiting("inference") == 5
    Job.objects.update(lease_expires_at=timezone.now() - timedelta(hours=1))
    assert sweep_jobs().rung == 0  # a long queue is no lost bell
    make_queued(user, 2)
    assert sweep_jobs().rung == 2


def test_a_sweep_rings_for_the_most_urgent_and_for_not_too_many(
    transactional_db: None, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "BELLS_PER_SWEEP", 3)
    rung: list[int] = []
    monkeypatch.setattr(services, "ring", lambda job: rung.append(job.priority) or True)
    make_queued(user, 5)
    make_queued(user, 2, priority=1)
    assert sweep_jobs().rung == 3
    assert rung == [1, 1, 0]


def test_urgent_jobs_overtake_where_the_broker_knows_priorities(
    transactional_db: None, user: Any
) -> None:
    done: list[int] = []
    kind = f"test.priority.{next(_numbers)}"
    job_handler(kind)(lambda context: done.append(context.job.priority))
    jobs = [
        enqueue_job(kind=kind, owner=user, payload={}, priority=priority)
        for priority in (-1, 0, 1, 2)
    ]
    late = EmbeddedWorker(threads=1)
    late.start()
    try:
        for job in jobs:
            wait_for_job(job)
    finally:
        late.stop()
        runner.allow_start()
    # The broker in memory has one queue for all.
    assert done == ([2, 1, 0, -1] if settings.REDIS_URL else [-1, 0, 1, 2])


# ---------------------------------------------------------------- page and API
@pytest.fixture
def administrator(db: None) -> Any:
    return make_user("root", "administrator")


@pytest.fixture
def seen(user: Any) -> Iterator[Worker]:
    """A worker, and a job that waits."""
    row = make_worker(last_sign_at=5.0)
    row.info = {"version": "9.8.7", "memory_bytes": 500_000_000, "models": []}
    row.save()
    make_queued(user, 1, created_at=timezone.now() - timedelta(minutes=90))
    return row


def test_the_page_tells_administrators_who_works(
    client: Client, administrator: Any, seen: Worker
) -> None:
    client.force_login(administrator)
    page = client.get("/workers/").content.decode()
    for text in (ELSEWHERE, "1 process at work", "Alive", "9.8.7", "1\xa0hour, 30\xa0minutes"):
        assert text in page, text
    part = client.get("/workers/", headers={"HX-Request": "true"}).content.decode()
    assert ELSEWHERE in part
    assert "<html" not in part


def test_the_page_says_what_to_do_when_nobody_works(client: Client, administrator: Any) -> None:
    client.force_login(administrator)
    page = client.get("/workers/").content.decode()
    assert "Nobody is at work" in page
    assert "No worker was here within a day" in page


@pytest.mark.parametrize("address", ["/workers/", "/api/workers/"])
@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("operator", 403), ("administrator", 200)]
)
def test_only_administrators_see_the_workers(
    db: None, client: Client, address: str, role: str, status: int
) -> None:
    client.force_login(make_user("eve", role))
    assert client.get(address).status_code == status


def test_the_api_tells_programs_the_same(administrator: Any, seen: Worker) -> None:
    api = APIClient()
    api.force_authenticate(administrator)
    answer = api.get("/api/workers/").json()
    (found,) = answer["workers"]
    assert (found["name"], found["state"], found["running"]) == (ELSEWHERE, "alive", 0)
    (queue,) = answer["queues"]
    assert (queue["name"], queue["queued"], queue["running"]) == ("inference", 1, 0)
    assert 5000 < queue["oldest_seconds"] < 6000
    assert answer["jobs"] == {"queued": 1, "running": 0, "done": 0, "failed": 0, "cancelled": 0}


def test_jobs_are_counted_by_the_process_that_holds_them(user: Any) -> None:
    make_worker(last_sign_at=5.0)
    make_queued(user, 2, state=Job.State.RUNNING, worker=f"{ELSEWHERE}/1")
    make_queued(user, 1, state=Job.State.RUNNING, worker="other:1:aa/1")
    (found,) = list_workers()
    assert found.running == 2
    assert [(queue.queued, queue.running) for queue in list_queues()] == [(0, 3)]


def test_a_broker_that_does_not_answer_is_left_alone_for_a_while(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def away(**kwargs: Any) -> None:
        tried.append(time.monotonic())
        raise OSError("away")

    monkeypatch.setattr(bells.run_job, "apply_async", away)
    monkeypatch.setattr(bells, "_away_until", 0.0)
    job = Job(kind="test.none", owner=user)
    assert [bells.ring(job) for _ in range(5)] == [False] * 5
    assert len(tried) == 1
