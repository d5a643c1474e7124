"""Work of hours has threads of its own: as many as may run, and the next one when one has ended."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from common.jobs import long, registry, runner
from common.jobs.context import JobContext
from common.jobs.errors import JobFailed
from common.jobs.long import start_long_job
from common.jobs.models import Job
from common.jobs.queues import LONG_QUEUE
from common.jobs.registry import job_handler
from common.jobs.runner import count_working
from common.jobs.services import cancel_job, enqueue_job
from detection_project.embedded import EmbeddedWorker
from tests.integration.conftest import wait_for_job, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
State = Job.State
_numbers = itertools.count()


class Work:
    """A kind of work that goes on until the gate opens."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.gate = threading.Event()
        self.begun: list[Any] = []
        self.at_once = 0
        self.most = 0
        self._lock = threading.Lock()

    def handle(self, context: JobContext) -> None:
        with self._lock:
            self.begun.append(context.job.pk)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            while not self.gate.wait(0.01):
                context.checkpoint()
            if context.job.payload.get("fails"):
                raise JobFailed("on_purpose", "It was meant to.")
        finally:
            with self._lock:
                self.at_once -= 1


@pytest.fixture
def work() -> Iterator[Work]:
    made = Work(f"test.long.{next(_numbers)}")
    job_handler(made.kind)(made.handle)
    yield made
    made.gate.set()
    wait_until(lambda: long._running == 0)
    registry._handlers.pop(made.kind, None)


@pytest.fixture
def quick() -> Iterator[str]:
    kind = f"test.quick.{next(_numbers)}"
    job_handler(kind)(lambda context: None)
    yield kind
    registry._handlers.pop(kind, None)


def queue(user: Any, work: Work, **payload: Any) -> Job:
    return enqueue_job(kind=work.kind, owner=user, payload=payload, queue=LONG_QUEUE)


@pytest.mark.parametrize("most", [1, 2])
def test_as_many_run_as_may_and_the_others_follow(
    worker: EmbeddedWorker, user: Any, work: Work, settings: Any, most: int
) -> None:
    settings.SIGHTLINE_VIDEO_JOBS = most
    jobs = [queue(user, work) for _ in range(4)]
    wait_until(lambda: len(work.begun) == most)
    work.gate.set()
    for job in jobs:
        assert wait_for_job(job).state == State.DONE
    assert (work.most, sorted(map(str, work.begun))) == (most, sorted(str(job.pk) for job in jobs))


def test_short_work_is_done_beside_it(
    worker: EmbeddedWorker, user: Any, work: Work, quick: str
) -> None:
    long_ones = [queue(user, work) for _ in range(6)]  # more than the worker has threads
    wait_until(lambda: len(work.begun) == 1)
    for _ in range(5):
        assert wait_for_job(enqueue_job(kind=quick, owner=user, payload={})).state == State.DONE
    assert count_working() == 0  # nobody who takes messages is busy
    assert len(runner.running_contexts()) == 1
    work.gate.set()
    for job in long_ones:
        wait_for_job(job)


def test_the_oldest_of_the_most_important_is_next(
    worker: EmbeddedWorker, user: Any, work: Work
) -> None:
    first = queue(user, work)
    wait_until(lambda: work.begun == [first.pk])
    plain = [queue(user, work) for _ in range(2)]
    urgent = enqueue_job(kind=work.kind, owner=user, payload={}, queue=LONG_QUEUE, priority=5)
    work.gate.set()
    for job in (*plain, urgent):
        wait_for_job(job)
    assert work.begun == [first.pk, urgent.pk, *(job.pk for job in plain)]


def test_one_that_fails_or_is_cancelled_makes_room(
    worker: EmbeddedWorker, user: Any, work: Work
) -> None:
    cancelled = queue(user, work)
    wait_until(lambda: work.begun == [cancelled.pk])
    failing, last = queue(user, work, fails=True), queue(user, work)
    cancel_job(job=cancelled)
    wait_until(lambda: len(work.begun) == 2)
    work.gate.set()
    states = [wait_for_job(job).state for job in (cancelled, failing, last)]
    assert states == [State.CANCELLED, State.FAILED, State.DONE]


def test_a_stopping_worker_gives_a_long_job_back(
    worker: EmbeddedWorker, user: Any, work: Work
) -> None:
    job = queue(user, work)
    wait_until(lambda: work.begun == [job.pk])
    runner.request_stop()
    wait_for_job(job, State.QUEUED)
    assert job.attempt == 0
    runner.allow_start()
    work.gate.set()
    wait_until(lambda: start_long_job(job.pk))  # the thread that gave it back may not be gone yet
    assert wait_for_job(job).state == State.DONE


def test_a_bell_is_dropped_while_there_is_no_room(
    transactional_db: None,
    user: Any,
    work: Work,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("common.jobs.services.ring", lambda job: True)
    settings.SIGHTLINE_VIDEO_JOBS = 1
    first, second = queue(user, work), queue(user, work)
    assert start_long_job(first.pk)
    assert not start_long_job(second.pk)
    assert not start_long_job(first.pk)
    work.gate.set()
    assert wait_for_job(second).state == State.DONE  # the row is the truth
    assert work.begun == [first.pk, second.pk]


def test_a_job_that_is_gone_leaves_its_room(
    transactional_db: None, user: Any, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.jobs.services.ring", lambda job: True)
    job = queue(user, work)
    pk = job.pk
    job.delete()
    assert start_long_job(pk)
    wait_until(lambda: long._running == 0)
    assert work.begun == []


def test_a_process_that_stops_looks_for_no_more(user: Any, work: Work) -> None:
    first, _ = queue(user, work), queue(user, work)
    runner.request_stop()
    try:
        start_long_job(first.pk)
        wait_until(lambda: long._running == 0)
    finally:
        runner.allow_start()
    assert work.begun == []
    assert Job.objects.filter(state=State.QUEUED).count() == 2
