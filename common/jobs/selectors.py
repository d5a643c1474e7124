"""Reads about workers and queues."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min
from django.utils import timezone

from common.jobs.identity import is_certainly_dead
from common.jobs.models import Job
from common.jobs.presence import GONE_SECONDS
from common.jobs.workers import Worker

LATE_SECONDS = 60.0  # a sign that is older is no sign


@dataclass(frozen=True)
class WorkerState:
    """A worker process as people see it.

    Attributes:
        state: "alive", "starting" (no sign yet), "silent" (the sign is late), "gone" or "stopped".
        running: How many jobs it holds.
    """

    name: str
    host: str
    state: str
    queues: list[str]
    started_at: datetime
    last_sign_at: datetime | None
    stopped_at: datetime | None
    running: int
    info: Mapping[str, Any]

    @property
    def is_alive(self) -> bool:
        """Whether it can be counted on."""
        return self.state == "alive"

    @property
    def sign_seconds(self) -> float | None:
        """How old its last sign is."""
        return None if self.last_sign_at is None else seconds_since(self.last_sign_at)


@dataclass(frozen=True)
class QueueState:
    """How much of one queue is waiting or being worked on, and since when the oldest waits."""

    name: str
    queued: int
    running: int
    oldest_at: datetime | None

    @property
    def oldest_seconds(self) -> float | None:
        """For how long the oldest job has waited."""
        return None if self.oldest_at is None else seconds_since(self.oldest_at)


def list_workers() -> list[WorkerState]:
    """Return all known workers, those that live first."""
    rows = list(Worker.objects.all())
    running = _running_by_process()
    states = [_state_of(row, running[row.name]) for row in rows]
    order = {"alive": 0, "starting": 1, "silent": 2, "gone": 3, "stopped": 4}
    return sorted(states, key=lambda worker: (order[worker.state], worker.host, worker.started_at))


def list_queues() -> list[QueueState]:
    """Return the queues that have work."""
    working = (Job.State.QUEUED, Job.State.RUNNING)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(working, 0))
    oldest: dict[str, datetime] = {}
    rows = Job.objects.filter(state__in=working).order_by()
    for queue, state, count, since in rows.values_list("queue", "state").annotate(
        Count("pk"), Min("created_at")
    ):
        counts[queue][state] = count
        if state == Job.State.QUEUED:
            oldest[queue] = since
    return [
        QueueState(queue, by[Job.State.QUEUED], by[Job.State.RUNNING], oldest.get(queue))
        for queue, by in sorted(counts.items())
    ]


def count_jobs_by_state() -> dict[str, int]:
    """Return how many jobs there are in each state."""
    rows = Job.objects.order_by().values_list("state").annotate(Count("pk"))
    return {**dict.fromkeys(Job.State.values, 0), **dict(rows)}


def seconds_since_sign() -> float | None:
    """Return the age of the youngest sign of any worker, or None when there is none."""
    rows = Worker.objects.filter(stopped_at=None).exclude(last_sign_at=None)
    signs = [
        sign
        for name, sign in rows.order_by("-last_sign_at").values_list("name", "last_sign_at")[:20]
        if sign is not None and not is_certainly_dead(name)
    ]
    return seconds_since(max(signs)) if signs else None


def seconds_since(moment: datetime) -> float:
    """Return the age of a moment."""
    return max(0.0, (timezone.now() - moment) / timedelta(seconds=1))


def _running_by_process() -> Counter[str]:
    claims = Job.objects.filter(state=Job.State.RUNNING).order_by().values_list("worker", flat=True)
    return Counter(claim.partition("/")[0] for claim in claims)


def _state_of(row: Worker, running: int) -> WorkerState:
    return WorkerState(
        name=row.name,
        host=row.host,
        state=_judge(row),
        queues=list(row.queues),
        started_at=row.started_at,
        last_sign_at=row.last_sign_at,
        stopped_at=row.stopped_at,
        running=running,
        info=row.info,
    )


def _judge(row: Worker) -> str:
    if row.stopped_at is not None:
        return "stopped"
    age = seconds_since(row.last_sign_at or row.started_at)
    if age > GONE_SECONDS or is_certainly_dead(row.name):
        return "gone"
    if age > LATE_SECONDS:
        return "silent"
    return "alive" if row.last_sign_at is not None else "starting"
