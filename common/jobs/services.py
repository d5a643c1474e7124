"""Asking for work, cancelling it, trying again, and picking up what was left behind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from common.jobs.bells import bells_waiting, ring
from common.jobs.errors import JobConflict
from common.jobs.identity import is_certainly_dead
from common.jobs.models import Job
from common.jobs.registry import notify
from common.jobs.runner import MAX_ATTEMPTS, stop_locally

BELL_SECONDS = 15.0  # a queued job whose bell is older may be rung for again
BELLS_PER_SWEEP = 500


@dataclass(frozen=True)
class SweepResult:
    """How many jobs a sweep rang for, gave up, or ended because they were to be cancelled."""

    rung: int = 0
    failed: int = 0
    cancelled: int = 0


def enqueue_job(
    *,
    kind: str,
    owner: Any,
    payload: Mapping[str, Any],
    queue: str = "inference",
    priority: int = 0,
) -> Job:
    """Store a job; a worker is woken when the transaction is committed.

    Args:
        kind: A kind with a registered handler.
        owner: The user it is done for.
        payload: JSON values that the handler needs.
        queue: "inference", "default", or one of `queues.LONG_QUEUES`.
        priority: Higher goes first where the broker knows priorities.
    """
    job = Job.objects.create(
        kind=kind,
        owner=owner,
        payload=dict(payload),
        queue=queue,
        priority=priority,
        lease_expires_at=_bell_end(),
    )
    _ring_on_commit(job)
    return job


def cancel_job(*, job: Job) -> Job:
    """End a queued job now, or a running one at its next checkpoint; a finished one stays.

    Raises:
        JobConflict: It has been deleted.
    """
    mine = Job.objects.filter(pk=job.pk)
    with transaction.atomic():
        # First the wish, then the state: a worker that gives the job back in between sees it.
        if mine.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING]).update(
            cancel_requested=True
        ):
            transaction.on_commit(lambda: stop_locally(job.pk))
        ended = mine.filter(state=Job.State.QUEUED).update(
            state=Job.State.CANCELLED, finished_at=timezone.now()
        )
    try:
        job.refresh_from_db()
    except Job.DoesNotExist:
        raise JobConflict("The work has been deleted.") from None
    if ended:
        transaction.on_commit(lambda: notify(job))
    return job


def delete_job(*, job: Job) -> None:
    """Delete a job; one that is running stops at its next checkpoint and can write nothing."""
    job_id = job.pk
    Job.objects.filter(pk=job_id).delete()
    transaction.on_commit(lambda: stop_locally(job_id))


def retry_job(*, job: Job) -> Job:
    """Queue a failed or cancelled job again, with all its attempts.

    Raises:
        JobConflict: It is queued, running or done.
    """
    ended = Job.objects.filter(pk=job.pk, state__in=[Job.State.FAILED, Job.State.CANCELLED])
    # One transaction: what is updated is still there when it is read.
    with transaction.atomic():
        if not ended.update(
            state=Job.State.QUEUED,
            attempt=0,
            progress=0.0,
            message="",
            error_code="",
            error_message="",
            cancel_requested=False,
            worker="",
            lease_expires_at=_bell_end(),
            queued_at=timezone.now(),
            started_at=None,
            finished_at=None,
        ):
            raise JobConflict("Only failed or cancelled work can be tried again.")
        job.refresh_from_db()
        _ring_on_commit(job)
        transaction.on_commit(lambda: notify(job))
    return job


def sweep_jobs(*, starting: bool = False) -> SweepResult:
    """Pick up jobs whose worker is gone and jobs whose bell was lost.

    Every change is a conditional UPDATE, so any number of sweepers may run at once.

    Args:
        starting: Ring for every queued job: a broker in memory has forgotten them.
    """
    rung = failed = cancelled = 0
    for job in _abandoned():
        outcome = _outcome_of_abandoned(job)
        still = Job.objects.filter(
            pk=job.pk,
            state=job.state,
            worker=job.worker,
            attempt=job.attempt,
            cancel_requested=job.cancel_requested,
        )
        with transaction.atomic():
            if not still.update(**outcome):
                continue
            job.refresh_from_db()
        failed += job.state == Job.State.FAILED
        cancelled += job.state == Job.State.CANCELLED
        notify(job)
    rung = _ring_again(everything=starting)
    return SweepResult(rung=rung, failed=failed, cancelled=cancelled)


def _abandoned() -> list[Job]:
    expired = Q(lease_expires_at__lt=timezone.now()) | Q(lease_expires_at=None)
    running = Job.objects.filter(state=Job.State.RUNNING)
    dead: list[UUID] = [
        pk for pk, worker in running.values_list("pk", "worker") if is_certainly_dead(worker)
    ]
    return list(running.filter(expired | Q(pk__in=dead)))


def _outcome_of_abandoned(job: Job) -> dict[str, Any]:
    ended = {"lease_expires_at": None, "worker": "", "finished_at": timezone.now()}
    if job.cancel_requested:
        return {**ended, "state": Job.State.CANCELLED}
    if job.attempt >= MAX_ATTEMPTS:
        return {
            **ended,
            "state": Job.State.FAILED,
            "error_code": "worker_lost",
            "error_message": (
                f"The worker stopped in the middle of the work {MAX_ATTEMPTS} times; the server "
                "may be short of memory. Try again, or with a smaller file."
            ),
        }
    return {"state": Job.State.QUEUED, "lease_expires_at": None, "worker": "", "progress": 0.0}


def _ring_again(*, everything: bool) -> int:
    """Ring for queued jobs whose bells are missing, the most urgent and oldest first.

    A long queue is no lost bell: only as many are rung as the broker has too few.

    Args:
        everything: Also for jobs whose bell is young.
    """
    queued = Job.objects.filter(state=Job.State.QUEUED)
    lost = Q(lease_expires_at=None) | Q(lease_expires_at__lt=timezone.now())
    unheard = queued if everything else queued.filter(lost)
    rung = 0
    for queue in unheard.order_by().values_list("queue", flat=True).distinct():
        waiting = bells_waiting(queue)
        if waiting is None:
            break
        missing = min(queued.filter(queue=queue).count() - waiting, BELLS_PER_SWEEP)
        if missing > 0:
            oldest = unheard.filter(queue=queue).order_by("-priority", "created_at")
            rung += _ring_each(oldest[:missing])
    return rung


def _ring_each(jobs: Iterable[Job]) -> int:
    rung = 0
    for job in jobs:
        # Whoever moves the end of the bell is the one who rings.
        mine = Job.objects.filter(
            pk=job.pk, state=Job.State.QUEUED, lease_expires_at=job.lease_expires_at
        )
        if mine.update(lease_expires_at=_bell_end()):
            if not ring(job):
                break
            rung += 1
    return rung


def _bell_end() -> Any:
    return timezone.now() + timedelta(seconds=BELL_SECONDS)


def _ring_on_commit(job: Job) -> None:
    transaction.on_commit(lambda: ring(job))
