"""Working on one job: claim, handler, end."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import Error, InterfaceError, OperationalError, connection
from django.db.models import F, Q
from django.utils import timezone

from common.jobs import presence
from common.jobs.context import WRITE_INTERVAL, JobContext, lease_end, lease_seconds
from common.jobs.errors import (
    JobCancelled,
    JobDeadlineExceeded,
    JobFailed,
    JobInterrupted,
    JobLost,
)
from common.jobs.identity import new_claim
from common.jobs.models import Job
from common.jobs.queues import LONG_QUEUES
from common.jobs.registry import DEFAULT_TIME_LIMIT, Registration, find_handler, notify
from common.logs.context import job_logged
from common.metrics.work import observe_attempt, observe_wait
from vision.errors import VisionError

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
RETRY_SECONDS = 0.5
_running: dict[UUID, JobContext] = {}
_stopping = threading.Event()


def execute_job(job_id: str | UUID) -> bool:
    """Claim a job and work on it; does nothing when it is done, gone or somebody else's.

    Returns:
        Whether it was this process's to work on.
    """
    if _stopping.is_set():
        return False
    job = claim_job(job_id)
    if job is None:
        return False
    registration = find_handler(job.kind)
    context = JobContext(
        job, time_limit=registration.time_limit if registration else DEFAULT_TIME_LIMIT
    )
    notify(job)
    observe_wait(job)
    with job_logged(job.pk), _registered(context), _kept(context):
        outcome = _work(registration, context)
    observe_attempt(job, outcome)
    if outcome is not None:
        _insist_on_outcome(context, outcome)
    return True


def claim_job(job_id: str | UUID) -> Job | None:
    """Take a job for this process, or return None when it cannot be had.

    One conditional UPDATE decides, so two workers never hold the same attempt.
    """
    now = timezone.now()
    free = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, lease_expires_at__lt=now)
    worker = new_claim()
    claimed = Job.objects.filter(
        free, pk=job_id, attempt__lt=MAX_ATTEMPTS, cancel_requested=False
    ).update(
        state=Job.State.RUNNING,
        attempt=F("attempt") + 1,
        worker=worker,
        lease_expires_at=lease_end(),
        started_at=now,
        progress=0.0,
        message="",
        error_code="",
        error_message="",
    )
    return Job.objects.filter(pk=job_id, worker=worker).first() if claimed else None


def running_contexts() -> list[JobContext]:
    """Return what this process is working on."""
    return list(_running.values())


def count_working() -> int:
    """Return how many threads that take messages work; one that is stuck in a handler does not."""
    return sum(
        not context.is_overdue and context.job.queue not in LONG_QUEUES
        for context in running_contexts()
    )


def stop_locally(job_id: UUID) -> None:
    """Let a job of this process see at once that it is cancelled."""
    context = _running.get(job_id)
    if context is not None:
        context.stop(JobCancelled)


def request_stop() -> None:
    """Take no more jobs, and have the running ones give theirs back at the next checkpoint."""
    _stopping.set()
    for context in running_contexts():
        context.interrupt()


def is_stopping() -> bool:
    """Return whether this process takes no more jobs."""
    return _stopping.is_set()


def allow_start() -> None:
    """Take jobs again after `request_stop`."""
    _stopping.clear()


def release_leases() -> int:
    """Let the leases end of jobs whose handlers did not stop in time; return how many.

    The next sweep picks them up. Their attempt stays counted: the old thread may still compute.
    """
    released = 0
    for context in running_contexts():
        context.stop(JobLost)
        mine = Job.objects.filter(pk=context.job.pk, **context.claim)
        released += mine.update(lease_expires_at=timezone.now())
    return released


@contextmanager
def _registered(context: JobContext) -> Iterator[None]:
    _running[context.job.pk] = context
    if _stopping.is_set():  # it was set between the first look and the registration
        context.interrupt()
    try:
        yield
    finally:
        # After a lost lease a later attempt may have taken the place.
        if _running.get(context.job.pk) is context:
            del _running[context.job.pk]


@contextmanager
def _kept(context: JobContext) -> Iterator[None]:
    """Keep the lease of a job while its handler works, from a thread beside it."""
    over = threading.Event()
    keeper = threading.Thread(
        target=_keep, args=(context, over), name=f"lease-{context.job.pk}", daemon=True
    )
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _keep(context: JobContext, over: threading.Event) -> None:
    try:
        while not over.wait(WRITE_INTERVAL):
            try:
                context.tick()
                presence.note_work(count_working())
            except Error as error:
                logger.warning("The lease of %s was not renewed: %s", context.job, error)
                connection.close()  # one that is broken stays broken
    finally:
        connection.close()


def _work(registration: Registration | None, context: JobContext) -> dict[str, Any] | None:
    """Run the handler; return the fields that end the job, or None when it is lost."""
    job = context.job
    if registration is None:
        return _failure("unknown_kind", f"This version does not know work of the kind {job.kind}.")
    try:
        registration.handler(context)
    except JobLost:
        logger.warning("%s is owned by another attempt now", job)
        return None
    except JobCancelled:
        return {"state": Job.State.CANCELLED}
    except JobInterrupted:
        # The handler has ended and has written nothing: this attempt does not count.
        return {"state": Job.State.QUEUED, "attempt": job.attempt - 1, "progress": 0.0}
    except JobDeadlineExceeded:
        limit = round(context.time_limit)
        return _failure("deadline_exceeded", f"The work took longer than {limit} seconds.")
    except (JobFailed, VisionError) as error:
        return _failure(error.code, error.message)
    except (OperationalError, InterfaceError) as error:
        return _database_away(job, error)
    except Exception as error:
        logger.exception("%s failed", job)
        name = type(error).__name__
        return _failure(
            "internal_error", f"An unexpected error ended the work ({name}); the log has more."
        )
    return {"state": Job.State.DONE, "progress": 1.0, "message": ""}


def _database_away(job: Job, error: Error) -> dict[str, Any]:
    """Let a job that met a lost database connection run again, three times in all."""
    logger.warning("%s lost the database: %s", job, error)
    if job.attempt < MAX_ATTEMPTS:
        return {"state": Job.State.QUEUED, "progress": 0.0}
    return _failure("database_unavailable", "The database could not be used. Try again later.")


def _failure(code: str, message: str) -> dict[str, Any]:
    return {
        "state": Job.State.FAILED,
        "error_code": code[:64],
        "error_message": message[:500],
    }


def _insist_on_outcome(context: JobContext, outcome: dict[str, Any]) -> None:
    """Write the end of a job, also when the database is away for a moment.

    After the length of a lease another attempt may have the job, and there is nothing to insist on.
    """
    until = time.monotonic() + lease_seconds()
    while True:
        try:
            _write_outcome(context, outcome)
            return
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > until:
                raise
            logger.warning("The end of %s is written again: %s", context.job, error)
            connection.close()
            time.sleep(RETRY_SECONDS)


def _write_outcome(context: JobContext, outcome: dict[str, Any]) -> None:
    if outcome["state"] != Job.State.QUEUED:
        outcome = {**outcome, "finished_at": timezone.now()}
    outcome = {**outcome, "lease_expires_at": None, "worker": ""}
    mine = Job.objects.filter(pk=context.job.pk, **context.claim)
    if outcome["state"] == Job.State.QUEUED:
        # Nobody would ever take a job that is to be cancelled.
        mine = mine.filter(cancel_requested=False)
    if mine.update(**outcome):
        for name, value in outcome.items():
            setattr(context.job, name, value)
        notify(context.job)
    elif outcome["state"] == Job.State.QUEUED:
        _write_outcome(context, {"state": Job.State.CANCELLED})
