"""Jobs from end to end, worked on by the real embedded worker."""

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from common.jobs import registry, runner, services
from common.jobs.context import JobContext
from common.jobs.errors import (
    JobCancelled,
    JobConflict,
    JobDeadlineExceeded,
    JobFailed,
    JobLost,
)
from common.jobs.identity import HOST, SPACE, is_certainly_dead, new_claim, process_name
from common.jobs.models import Job
from common.jobs.registry import job_handler, job_observer
from common.jobs.runner import claim_job, execute_job
from common.jobs.services import cancel_job, delete_job, enqueue_job, retry_job, sweep_jobs
from detection_project.celery import app
from detection_project.embedded import EmbeddedWorker
from integration.conftest import wait_for_job, wait_until
from vision.errors import PictureError

State = Job.State
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def no_old_bells() -> None:
    """Messages of other tests would count as bells of this one."""
    with app.connection_for_write() as broker:
        for queue in settings.SIGHTLINE_QUEUES:
            broker.default_channel.queue_purge(queue)


@pytest.fixture
def kind() -> Iterator[str]:
    """The name of a kind that only this test knows."""
    name = f"test.{next(_numbers)}"
    yield name
    registry._handlers.pop(name, None)
    registry._observers.pop(name, None)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Something for a handler to wait for; opened at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


def make_job(user: Any, kind: str, **values: Any) -> Job:
    return Job.objects.create(**{"kind": kind, "owner": user, **values})


def waits_for(gate: threading.Event) -> Callable[[JobContext], None]:
    """A handler that passes a checkpoint again and again until the gate opens."""

    def handle(context: JobContext) -> None:
        while not gate.wait(0.01):
            context.checkpoint()

    return handle


def fail_on_purpose(context: JobContext) -> None:
    raise JobFailed("picture_gone", "The picture is gone.")


def fail_in_the_engine(context: JobContext) -> None:
    raise PictureError("truncated_picture", "The picture is cut off.")


def fail_by_mistake(context: JobContext) -> None:
    raise ZeroDivisionError("nobody should see this text")


def take_too_long(context: JobContext) -> None:
    context._deadline = 0.0
    context.checkpoint(0.5)


def succeed(context: JobContext) -> None:
    context.checkpoint(0.5, "Half way")


ENDINGS = [
    (succeed, State.DONE, ""),
    (fail_on_purpose, State.FAILED, "picture_gone"),
    (fail_in_the_engine, State.FAILED, "truncated_picture"),
    (fail_by_mistake, State.FAILED, "internal_error"),
    (take_too_long, State.FAILED, "deadline_exceeded"),
]


@pytest.mark.parametrize(("handler", "state", "code"), ENDINGS)
def test_a_job_ends_as_its_handler_does(
    worker: EmbeddedWorker, user: Any, kind: str, handler: Any, state: str, code: str
) -> None:
    job_handler(kind)(handler)
    job = wait_for_job(enqueue_job(kind=kind, owner=user, payload={}))
    assert (job.state, job.error_code, job.attempt) == (state, code, 1)
    assert job.finished_at is not None
    assert job.lease_expires_at is None
    assert job.worker == ""
    assert job.progress == (1.0 if state == State.DONE else job.progress)
    assert "nobody should see" not in job.error_message


def test_a_kind_without_a_handler_fails_with_a_reason(worker: EmbeddedWorker, user: Any) -> None:
    job = wait_for_job(enqueue_job(kind="no.such.kind", owner=user, payload={}))
    assert (job.state, job.error_code) == (State.FAILED, "unknown_kind")


def test_the_worker_is_woken_only_when_the_transaction_is_committed(
    worker: EmbeddedWorker, user: Any, kind: str
) -> None:
    seen: list[dict[str, Any]] = []
    job_handler(kind)(lambda context: seen.append(context.job.payload))
    with transaction.atomic():
        job = enqueue_job(kind=kind, owner=user, payload={"n": 7})
        assert not seen
    wait_for_job(job)
    assert seen == [{"n": 7}]


def test_nothing_is_left_of_a_job_whose_transaction_failed(
    worker: EmbeddedWorker, user: Any, kind: str
) -> None:
    with transaction.atomic():
        enqueue_job(kind=kind, owner=user, payload={})
        transaction.set_rollback(True)
    assert not Job.objects.exists()


def test_a_running_job_is_cancelled_at_its_next_checkpoint(
    worker: EmbeddedWorker, user: Any, kind: str, gate: threading.Event
) -> None:
    job_handler(kind)(waits_for(gate))
    job = enqueue_job(kind=kind, owner=user, payload={})
    wait_for_job(job, State.RUNNING)
    cancel_job(job=job)
    assert wait_for_job(job).state == State.CANCELLED


def test_a_queued_job_is_cancelled_at_once(user: Any, kind: str) -> None:
    job = make_job(user, kind)
    assert cancel_job(job=job).state == State.CANCELLED
    execute_job(job.pk)
    job.refresh_from_db()
    assert job.attempt == 0


def test_a_cancel_is_heard_by_a_worker_that_gives_its_job_back(user: Any, kind: str) -> None:
    def handle(context: JobContext) -> None:
        context.interrupt()
        cancel_job(job=Job.objects.get(pk=context.job.pk))
        context.checkpoint()

    job_handler(kind)(handle)
    job = make_job(user, kind)
    execute_job(job.pk)
    job.refresh_from_db()
    assert job.state == State.CANCELLED  # and not queued for ever, since nobody may claim it
    assert job.finished_at is not None


def test_a_cancel_while_the_job_is_given_back_is_not_lost(user: Any, kind: str) -> None:
    job = make_job(user, kind, state=State.RUNNING, attempt=1)
    given_back: list[bool] = []

    def give_back(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if sql.startswith("UPDATE") and not given_back:
            given_back.append(True)
            Job.objects.filter(pk=job.pk).update(state=State.QUEUED, attempt=0)
        return result

    with connection.execute_wrapper(give_back):
        assert cancel_job(job=job).state == State.CANCELLED


def test_a_cancel_in_the_middle_of_a_sweep_is_not_lost(
    user: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    job = make_job(user, kind, state=State.RUNNING, attempt=1, lease_expires_at=past)
    judge = services._outcome_of_abandoned

    def judge_then_cancel(judged: Job) -> dict[str, Any]:
        outcome = judge(judged)
        Job.objects.filter(pk=judged.pk).update(cancel_requested=True)
        return outcome

    monkeypatch.setattr(services, "_outcome_of_abandoned", judge_then_cancel)
    sweep_jobs()
    sweep_jobs()
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_a_job_that_is_gone_cannot_be_cancelled(user: Any, kind: str) -> None:
    job = make_job(user, kind)
    Job.objects.filter(pk=job.pk).delete()
    with pytest.raises(JobConflict):
        cancel_job(job=job)


def test_the_end_of_a_lost_attempt_leaves_its_successor_known(user: Any, kind: str) -> None:
    first = claimed(user, kind)
    second = JobContext(first.job, time_limit=60.0)
    with contextlib.ExitStack() as ended:
        begun = contextlib.ExitStack()
        begun.enter_context(runner._registered(first))
        ended.enter_context(runner._registered(second))
        begun.close()
        assert runner.running_contexts() == [second]
    assert runner.running_contexts() == []


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.CANCELLED])
def test_cancelling_a_finished_job_changes_nothing(user: Any, kind: str, state: str) -> None:
    job = make_job(user, kind, state=state)
    assert cancel_job(job=job).state == state


def test_a_cancel_from_another_process_is_seen_in_the_row(user: Any, kind: str) -> None:
    context = claimed(user, kind)
    Job.objects.filter(pk=context.job.pk).update(cancel_requested=True)
    with pytest.raises(JobCancelled):
        context.checkpoint(0.1)


def test_a_failed_job_runs_again_with_all_attempts(
    worker: EmbeddedWorker, user: Any, kind: str
) -> None:
    outcomes = iter([JobFailed("disk_full", "The disk is full."), None])

    def handle(context: JobContext) -> None:
        if (error := next(outcomes)) is not None:
            raise error

    job_handler(kind)(handle)
    job = wait_for_job(enqueue_job(kind=kind, owner=user, payload={}))
    assert job.state == State.FAILED
    job = wait_for_job(retry_job(job=job), State.DONE)
    assert (job.attempt, job.error_code, job.error_message) == (1, "", "")


def test_a_retry_and_a_deletion_at_once_are_no_crash(
    transactional_db: None, user: Any, kind: str
) -> None:
    jobs = [make_job(user, kind, state=State.FAILED) for _ in range(60)]

    def retry() -> None:
        for job in jobs:
            with contextlib.suppress(JobConflict):
                retry_job(job=job)
        connection.close()

    def delete() -> None:
        for job in jobs:
            delete_job(job=job)
        connection.close()

    run_threads([retry, delete])
    assert not Job.objects.exists()


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.DONE])
def test_only_failed_or_cancelled_jobs_can_be_retried(user: Any, kind: str, state: str) -> None:
    with pytest.raises(JobConflict):
        retry_job(job=make_job(user, kind, state=state))


def test_a_job_whose_worker_died_is_taken_over(
    worker: EmbeddedWorker, user: Any, kind: str
) -> None:
    job_handler(kind)(succeed)
    job = make_job(
        user,
        kind,
        state=State.RUNNING,
        attempt=1,
        worker="elsewhere:1:abcd/1",
        lease_expires_at=timezone.now() - timedelta(seconds=1),
    )
    assert sweep_jobs().rung == 1
    assert (wait_for_job(job).state, job.attempt) == (State.DONE, 2)


def test_a_lease_that_is_still_good_is_left_alone(user: Any, kind: str) -> None:
    job = make_job(
        user,
        kind,
        state=State.RUNNING,
        attempt=1,
        worker="elsewhere:1:abcd/1",
        lease_expires_at=timezone.now() + timedelta(seconds=30),
    )
    sweep_jobs()
    job.refresh_from_db()
    assert job.state == State.RUNNING
    assert claim_job(job.pk) is None


def test_three_lost_attempts_are_enough(user: Any, kind: str) -> None:
    job = make_job(user, kind)
    for attempt in (1, 2, 3):
        claimed_job = claim_job(job.pk)
        assert claimed_job is not None
        assert claimed_job.attempt == attempt
        Job.objects.filter(pk=job.pk).update(lease_expires_at=timezone.now())
        sweep_jobs()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "worker_lost")
    assert claim_job(job.pk) is None


def test_a_cancelled_job_whose_worker_died_ends_cancelled(user: Any, kind: str) -> None:
    job = make_job(
        user,
        kind,
        state=State.RUNNING,
        attempt=1,
        cancel_requested=True,
        lease_expires_at=timezone.now() - timedelta(seconds=1),
    )
    assert sweep_jobs().cancelled == 1
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_an_attempt_that_lost_its_job_writes_nothing(user: Any, kind: str) -> None:
    first = claimed(user, kind)
    Job.objects.filter(pk=first.job.pk).update(lease_expires_at=timezone.now())
    second = claim_job(first.job.pk)
    assert second is not None
    assert not first.still_mine()
    with pytest.raises(JobLost):
        first.checkpoint(0.9)
    runner._write_outcome(first, {"state": State.DONE, "progress": 1.0})
    second.refresh_from_db()
    assert (second.state, second.attempt, second.progress) == (State.RUNNING, 2, 0.0)


def test_an_old_attempt_stays_lost_after_a_retry_counts_from_one_again(
    user: Any, kind: str
) -> None:
    old = claimed(user, kind)
    Job.objects.filter(pk=old.job.pk).update(state=State.FAILED)
    new = claim_job(retry_job(job=old.job).pk)
    assert new is not None
    assert new.attempt == old.attempt == 1
    assert not old.still_mine()


def test_two_workers_never_claim_the_same_job(transactional_db: None, user: Any, kind: str) -> None:
    jobs = [make_job(user, kind) for _ in range(20)]
    claims: list[Job] = []
    barrier = threading.Barrier(4)

    def claim_all() -> None:
        barrier.wait()
        claims.extend(got for job in jobs if (got := claim_job(job.pk)))
        connection.close()

    run_threads([claim_all] * 4)
    assert sorted(job.pk for job in claims) == sorted(job.pk for job in jobs)


def test_a_long_job_keeps_its_lease(
    worker: EmbeddedWorker, user: Any, kind: str, gate: threading.Event
) -> None:
    job_handler(kind)(lambda context: gate.wait(20) and None)
    job = enqueue_job(kind=kind, owner=user, payload={})
    first = wait_for_job(job, State.RUNNING).lease_expires_at

    def renewed() -> bool:
        job.refresh_from_db()
        return job.lease_expires_at > first

    wait_until(renewed)
    assert job.attempt == 1


def test_a_message_that_came_too_soon_after_another_is_written_all_the_same(
    worker: EmbeddedWorker, user: Any, kind: str, gate: threading.Event
) -> None:
    def handle(context: JobContext) -> None:
        context.checkpoint(0.1, "First")
        context.checkpoint(0.2, "Second")
        gate.wait(20)

    job_handler(kind)(handle)
    job = enqueue_job(kind=kind, owner=user, payload={})

    def written() -> bool:
        job.refresh_from_db()
        return (job.progress, job.message) == (0.2, "Second")

    wait_until(written)


def test_progress_is_written_a_few_times_a_second_at_most(user: Any, kind: str) -> None:
    heard: list[float] = []
    job_observer(kind)(lambda job: heard.append(job.progress))
    context = claimed(user, kind)
    for step in range(1000):
        context.checkpoint(step / 1000)
    assert 1 <= len(heard) < 50


@pytest.mark.parametrize(("given", "kept"), [(-1.0, 0.0), (0.25, 0.25), (7.0, 1.0)])
def test_progress_is_kept_between_zero_and_one(
    user: Any, kind: str, given: float, kept: float
) -> None:
    context = claimed(user, kind)
    context.checkpoint(given)
    context.job.refresh_from_db()
    assert context.job.progress == kept


def test_observers_hear_every_state_and_a_broken_one_harms_nothing(
    worker: EmbeddedWorker, user: Any, kind: str
) -> None:
    heard: list[str] = []

    def broken(job: Job) -> None:
        raise RuntimeError("broken observer")

    job_observer(kind)(broken)
    job_observer(kind)(lambda job: heard.append(job.state))
    job_handler(kind)(lambda context: None)
    wait_for_job(enqueue_job(kind=kind, owner=user, payload={}))
    wait_until(lambda: heard[-1:] == [State.DONE])
    assert heard == [State.RUNNING, State.DONE]


def test_a_stopping_worker_gives_its_jobs_back_uncounted(
    worker: EmbeddedWorker, user: Any, kind: str, gate: threading.Event
) -> None:
    job_handler(kind)(waits_for(gate))
    job = enqueue_job(kind=kind, owner=user, payload={})
    wait_for_job(job, State.RUNNING)
    assert worker.stop()
    job.refresh_from_db()
    assert (job.state, job.attempt, job.worker) == (State.QUEUED, 0, "")


def test_the_lease_of_a_job_that_does_not_stop_is_ended(
    worker: EmbeddedWorker, user: Any, kind: str, gate: threading.Event
) -> None:
    job_handler(kind)(lambda context: gate.wait(30) and None)
    job = enqueue_job(kind=kind, owner=user, payload={})
    wait_for_job(job, State.RUNNING)
    assert not worker.stop(timeout=0.2)
    sweep_jobs()
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.QUEUED, 1)
    gate.set()
    wait_until(lambda: not runner.running_contexts())
    job.refresh_from_db()
    assert job.state == State.QUEUED  # the late end of the lost attempt wrote nothing


def test_a_restart_rings_for_jobs_that_a_broker_in_memory_forgot(
    user: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bells: list[Any] = []
    monkeypatch.setattr("common.jobs.services.ring", lambda job: bells.append(job.pk) or True)
    job = make_job(user, kind, lease_expires_at=timezone.now() + timedelta(seconds=60))
    assert sweep_jobs().rung == 0
    assert sweep_jobs(starting=True).rung == 1
    assert bells == [job.pk]


def name_here(number: int) -> str:
    """The claim of another process of this machine."""
    return f"{HOST}:{number}:{SPACE}-aa/1"


WORKERS = [
    (lambda: new_claim(), False),
    (lambda: process_name().rpartition("-")[0] + "-other/1", True),  # our number, not us
    (lambda: name_here(999_999_999), True),
    (lambda: name_here(1), False),
    # Another container with the name of our host: its numbers are none of ours.
    (lambda: process_name().split(":")[0] + ":999999999:otherspace-aa/1", False),
    (lambda: "elsewhere:999999999:aa/1", False),
    (lambda: "", False),
    (lambda: "nonsense", False),
]


@pytest.mark.parametrize(("worker_name", "dead"), WORKERS)
def test_only_processes_of_this_machine_are_known_to_be_dead(worker_name: Any, dead: bool) -> None:
    assert is_certainly_dead(worker_name()) is dead


def test_a_killed_process_of_this_machine_is_not_waited_for(user: Any, kind: str) -> None:
    job = make_job(
        user,
        kind,
        state=State.RUNNING,
        attempt=1,
        worker=name_here(999_999_999),
        lease_expires_at=timezone.now() + timedelta(hours=1),
    )
    sweep_jobs()
    job.refresh_from_db()
    assert job.state == State.QUEUED


def test_threads_write_beside_a_running_job_without_lock_errors(
    worker: EmbeddedWorker, user: Any, kind: str, gate: threading.Event
) -> None:
    def report(context: JobContext) -> None:
        step = 0
        while not gate.is_set():
            step += 1
            context.checkpoint((step % 100) / 100)

    job_handler(kind)(report)
    job = enqueue_job(kind=kind, owner=user, payload={})
    wait_for_job(job, State.RUNNING)

    def write() -> None:
        for number in range(200):
            with transaction.atomic():
                row = Job.objects.create(kind=kind, owner=user, payload={"n": number})
                Job.objects.filter(pk=row.pk).update(progress=0.5)
        connection.close()

    run_threads([write] * 8)
    gate.set()
    assert wait_for_job(job).state == State.DONE
    assert Job.objects.filter(kind=kind, progress=0.5).count() == 1600


def claimed(user: Any, kind: str) -> JobContext:
    """The context of a job that this thread has claimed."""
    job = claim_job(make_job(user, kind).pk)
    assert job is not None
    return JobContext(job, time_limit=60.0)


def run_threads(functions: list[Callable[[], None]]) -> None:
    """Run functions at once, and raise what any of them raised."""
    errors: list[BaseException] = []

    def guarded(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_a_handler_that_is_stuck_does_not_keep_its_job_for_ever(user: Any, kind: str) -> None:
    make_job(user, kind)
    job = claim_job(Job.objects.get(kind=kind).pk)
    assert job is not None
    context = JobContext(job, time_limit=0.0)
    context._lease_renewed -= 1000.0  # a renewal is due
    before = job.lease_expires_at
    context.tick()
    job.refresh_from_db()
    assert job.lease_expires_at == before
    with pytest.raises(JobDeadlineExceeded):
        context.checkpoint()


def test_a_lease_is_renewed_although_its_connection_broke_once(
    worker: EmbeddedWorker,
    user: Any,
    kind: str,
    gate: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = iter([True])
    tick = JobContext.tick

    def break_once(context: JobContext) -> None:
        if next(broken, False):
            connection.ensure_connection()
            connection.connection.close()
            context._lease_renewed -= 1000.0  # a renewal is due
        tick(context)

    monkeypatch.setattr(JobContext, "tick", break_once)
    job_handler(kind)(lambda context: gate.wait(20) and None)
    job = enqueue_job(kind=kind, owner=user, payload={})
    first = wait_for_job(job, State.RUNNING).lease_expires_at

    def renewed() -> bool:
        job.refresh_from_db()
        return job.lease_expires_at > first

    wait_until(renewed, 5)
    assert job.attempt == 1


def test_a_thread_that_is_stuck_beyond_its_limit_does_not_count_as_working(
    user: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [make_job(user, kind), make_job(user, kind)]
    contexts = [JobContext(jobs[0], time_limit=60.0), JobContext(jobs[1], time_limit=-1.0)]
    monkeypatch.setattr(runner, "_running", {context.job.pk: context for context in contexts})
    assert (len(runner.running_contexts()), runner.count_working()) == (2, 1)
