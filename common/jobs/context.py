"""What a handler holds while it works: its job, and the checkpoint that it must pass often."""

import logging
import threading
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from common.jobs.errors import (
    JobCancelled,
    JobDeadlineExceeded,
    JobInterrupted,
    JobLost,
    JobStopped,
)
from common.jobs.models import Job
from common.jobs.registry import notify

logger = logging.getLogger(__name__)

WRITE_INTERVAL = 0.2  # seconds between progress writes: five a second are enough for eyes


class JobContext:
    """One attempt at one job.

    Thread safe: the handler's thread calls `checkpoint`, the lease keeper's thread `tick`, and
    whoever cancels or stops the process calls `stop`.

    Attributes:
        job: The row as this attempt knows it.
        attempt: Number of the attempt, from 1.
        time_limit: Seconds that the attempt may take.
    """

    def __init__(self, job: Job, *, time_limit: float) -> None:
        self.job = job
        self.attempt = job.attempt
        self.time_limit = time_limit
        self.stopped = threading.Event()
        self._stop_error: type[JobStopped] = JobCancelled
        self._lock = threading.Lock()
        self._pending = False
        self._last_write = 0.0
        self._lease_renewed = time.monotonic()
        self._deadline = time.monotonic() + time_limit

    def checkpoint(self, progress: float | None = None, message: str = "") -> None:
        """Report progress, and stop here when the job should not go on.

        Cheap enough for every frame: the row is written at most five times a second.

        Args:
            progress: 0..1, or None to leave it.
            message: What is being done now; empty leaves it.

        Raises:
            JobCancelled: Somebody cancelled the job.
            JobInterrupted: The process is stopping.
            JobLost: The lease ran out and another attempt owns the job.
            JobDeadlineExceeded: The time limit is over.
        """
        if self.is_overdue:
            raise JobDeadlineExceeded
        with self._lock:
            if progress is not None:
                self.job.progress = min(max(float(progress), 0.0), 1.0)
                self._pending = True
            if message:
                self.job.message = message[:200]
                self._pending = True
            if time.monotonic() - self._last_write >= WRITE_INTERVAL:
                self._write_if_possible()
        if self.stopped.is_set():
            raise self._stop_error

    def still_mine(self) -> bool:
        """Tell whether this attempt owns the job: ask inside the transaction that writes results.

        In a transaction the row stays locked until its end, so that the answer stays true.
        """
        rows = Job.objects.filter(pk=self.job.pk, **self.claim)
        if connection.in_atomic_block:
            rows = rows.select_for_update()
        return rows.first() is not None

    @property
    def is_overdue(self) -> bool:
        """Whether the time limit is over; a handler that goes on all the same is stuck."""
        return self.seconds_left < 0

    @property
    def seconds_left(self) -> float:
        """Seconds until the time limit is over; below 0 afterwards."""
        return self._deadline - time.monotonic()

    def restart_time_limit(self) -> None:
        """Let the time limit begin now: waiting for others was no work."""
        self._deadline = time.monotonic() + self.time_limit

    @property
    def claim(self) -> dict[str, object]:
        """What the row must match to be still owned by this attempt."""
        return {
            "state": Job.State.RUNNING,
            "attempt": self.attempt,
            "worker": self.job.worker,
        }

    def stop(self, error: type[JobStopped]) -> None:
        """Make the next checkpoint raise `error`; the first reason given stays."""
        if not self.stopped.is_set():
            self._stop_error = error
            self.stopped.set()

    def interrupt(self) -> None:
        """Make the next checkpoint give the job back."""
        self.stop(JobInterrupted)

    def tick(self) -> None:
        """Write what a checkpoint left unwritten, and renew the lease when a third is over.

        Beyond its time limit an attempt keeps its job no longer: a handler that is stuck passes no
        checkpoint, and the job would be its own for ever.
        """
        if self.is_overdue:
            self.stop(JobDeadlineExceeded)
        renewal_due = time.monotonic() - self._lease_renewed > lease_seconds() / 3
        with self._lock:
            if not self.stopped.is_set() and (self._pending or renewal_due):
                self._write()

    def _write_if_possible(self) -> None:
        """Write, and let a database that is away for a moment not end the work of hours.

        While the lease holds, nobody else can have the job; beyond it the error counts.
        """
        try:
            self._write()
        except (OperationalError, InterfaceError) as error:
            lost = time.monotonic() - self._lease_renewed > lease_seconds()
            if lost or connection.in_atomic_block:
                raise
            logger.warning("The progress of %s was not written: %s", self.job, error)
            self._pending = True
            connection.close()  # one that is broken stays broken

    def _write(self) -> None:
        self._last_write = time.monotonic()
        changed, self._pending = self._pending, False
        fields: dict[str, object] = {"lease_expires_at": lease_end()}
        if changed:
            fields |= {"progress": self.job.progress, "message": self.job.message}
        mine = Job.objects.filter(pk=self.job.pk, **self.claim)
        if not mine.filter(cancel_requested=False).update(**fields):
            self.stop(JobCancelled if mine.exists() else JobLost)
            return
        self._lease_renewed = self._last_write
        if changed:
            notify(self.job)


def lease_seconds() -> float:
    """Return how long a job stays owned without a renewal."""
    return float(settings.SIGHTLINE_JOB_LEASE_SECONDS)


def lease_end() -> datetime:
    """Return when a lease that is given now runs out."""
    return timezone.now() + timedelta(seconds=lease_seconds())
