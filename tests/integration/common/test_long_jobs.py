"""Work of hours has threads of its own: as many as may run, and the next in turn when one ends."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.jobs import long, registry, runner
from common.jobs.context import JobContext
from common.jobs.errors import JobFailed
from common.jobs.long import start_long_job
from common.jobs.models import Job
from common.jobs.queues import LONG_QUEUE, STYLES_QUEUE, long_jobs_at_once
from common.jobs.registry import job_handler
from common.jobs.runner import count_working
from common.jobs.services import cancel_job, enqueue_job
from common.jobs.tasks import run_long_job
from common.jobs.turns import jobs_in_turn
from detection_project.embedded import EmbeddedWorker
from tests.integration.conftest import make_user, wait_for_job, wait_until

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
    wait_until(lambda: not long._running.total())
    registry._handlers.pop(made.kind, None)


@pytest.fixture
def quick() -> Iterator[str]:
    kind = f"test.quick.{next(_numbers)}"
    job_handler(kind)(lambda context: None)
    yield kind
    registry._handlers.pop(kind, None)


@pytest.fixture
def no_bells(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test itself says when a worker is woken."""
    monkeypatch.setattr("common.jobs.services.ring", lambda job: True)


def queue(user: Any, work: Work, lane: str = LONG_QUEUE, **payload: Any) -> Job:
    return enqueue_job(kind=work.kind, owner=user, payload=payload, queue=lane)


def in_an_hour() -> datetime:
    return timezone.now() + timedelta(hours=1)


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
    wait_until(lambda: start_long_job(LONG_QUEUE))  # the thread that gave it back may not be gone
    assert wait_for_job(job).state == State.DONE


def test_a_bell_is_dropped_while_there_is_no_room(
    no_bells: None, user: Any, work: Work, settings: Any
) -> None:
    settings.SIGHTLINE_VIDEO_JOBS = 1
    first, second = queue(user, work), queue(user, work)
    assert start_long_job(LONG_QUEUE)
    assert not start_long_job(LONG_QUEUE)
    work.gate.set()
    assert wait_for_job(second).state == State.DONE  # the row is the truth
    assert work.begun == [first.pk, second.pk]


@pytest.mark.parametrize("lane", [LONG_QUEUE, STYLES_QUEUE])
def test_a_bell_for_nothing_leaves_its_room(no_bells: None, user: Any, lane: str) -> None:
    assert start_long_job(lane)
    wait_until(lambda: not long._running.total())


def test_other_queues_have_no_room(no_bells: None, user: Any, work: Work) -> None:
    queue(user, work, "inference")
    assert [long_jobs_at_once("inference"), start_long_job("inference")] == [0, False]
    assert not start_long_job(str(uuid.uuid4()))  # the bell of a version before this one


def test_each_long_queue_has_room_of_its_own(
    worker: EmbeddedWorker, user: Any, work: Work, quick: str, settings: Any
) -> None:
    settings.SIGHTLINE_VIDEO_JOBS = 2
    jobs = [queue(user, work, lane) for lane in (LONG_QUEUE, STYLES_QUEUE) for _ in range(3)]
    wait_until(lambda: len(work.begun) == 3)
    running = Job.objects.filter(state=State.RUNNING)
    assert sorted(running.values_list("queue", flat=True)) == ["styles", "videos", "videos"]
    assert not start_long_job(LONG_QUEUE)
    assert not start_long_job(STYLES_QUEUE)
    assert wait_for_job(enqueue_job(kind=quick, owner=user, payload={})).state == State.DONE
    assert count_working() == 0  # none of them is in a thread that takes messages
    work.gate.set()
    assert [wait_for_job(job).state for job in jobs] == [State.DONE] * 6
    assert work.most == 3


@pytest.mark.parametrize("lane", [LONG_QUEUE, STYLES_QUEUE])
def test_users_take_turns(
    no_bells: None, user: Any, other_user: Any, work: Work, lane: str
) -> None:
    work.gate.set()
    third = make_user("eve")
    many = [queue(user, work, lane) for _ in range(4)]
    few, one = [queue(other_user, work, lane) for _ in range(2)], queue(third, work, lane)
    start_long_job(lane)
    wait_for_job(many[-1])
    wanted = [many[0], few[0], one, many[1], few[1], *many[2:]]
    assert work.begun == [job.pk for job in wanted]


def test_a_bell_does_not_go_before_those_who_wait(
    no_bells: None, user: Any, other_user: Any, work: Work
) -> None:
    work.gate.set()
    before = queue(user, work, STYLES_QUEUE)
    start_long_job(STYLES_QUEUE)
    wait_for_job(before)
    wait_until(lambda: not long._running.total())
    waiting, rung = queue(other_user, work, STYLES_QUEUE), queue(user, work, STYLES_QUEUE)
    Job.objects.filter(pk=rung.pk).update(queued_at=waiting.queued_at - timedelta(hours=1))
    run_long_job(rung.queue)
    wait_for_job(rung)
    assert work.begun == [before.pk, waiting.pk, rung.pk]


def test_one_that_somebody_else_took_does_not_end_the_line(
    no_bells: None, user: Any, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.gate.set()
    taken, gone, last = (queue(user, work) for _ in range(3))
    line = jobs_in_turn(LONG_QUEUE)
    Job.objects.filter(pk=taken.pk).update(state=State.RUNNING, lease_expires_at=in_an_hour())
    gone.delete()
    # What others did between the look and the claim.
    monkeypatch.setattr(long, "jobs_in_turn", lambda queue: line)
    assert start_long_job(LONG_QUEUE)
    assert wait_for_job(last).state == State.DONE
    monkeypatch.setattr(long, "jobs_in_turn", lambda queue: [])
    assert work.begun == [last.pk]


def test_one_that_nobody_can_claim_is_tried_once(no_bells: None, user: Any, work: Work) -> None:
    job = queue(user, work)
    Job.objects.filter(pk=job.pk).update(attempt=runner.MAX_ATTEMPTS)
    assert start_long_job(LONG_QUEUE)
    wait_until(lambda: not long._running.total())
    assert work.begun == []


def test_a_process_that_stops_looks_for_no_more(user: Any, work: Work) -> None:
    queue(user, work)
    queue(user, work)
    runner.request_stop()
    try:
        start_long_job(LONG_QUEUE)
        wait_until(lambda: not long._running.total())
    finally:
        runner.allow_start()
    assert work.begun == []
    assert Job.objects.filter(state=State.QUEUED).count() == 2
