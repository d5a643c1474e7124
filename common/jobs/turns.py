"""Whose turn it is in a long queue: fair between users, whoever has how many jobs in it."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from common.jobs.models import Job

__all__ = ["Waiting", "fair_order", "jobs_in_turn"]

_REMEMBERED: Final = timedelta(days=1)
_NEVER: Final = -1


class Waiting(NamedTuple):
    """What decides about the turn of a job."""

    pk: UUID
    owner_id: int
    priority: int
    queued_at: datetime


def jobs_in_turn(queue: str) -> list[Waiting]:
    """Return the waiting jobs of a queue, the next one first; two queries at most.

    Who was served more than a day ago counts as never served.
    """
    jobs = Job.objects.filter(queue=queue).order_by()
    rows = jobs.filter(state=Job.State.QUEUED, cancel_requested=False)
    waiting = list(map(Waiting._make, rows.values_list(*Waiting._fields)))
    owners = {job.owner_id for job in waiting}
    served: dict[int, datetime] = {}
    if len(owners) > 1:
        begun = jobs.filter(owner__in=owners, started_at__gt=timezone.now() - _REMEMBERED)
        # What was given back had begun, too, but nobody has been served by it.
        begun = begun.exclude(state=Job.State.QUEUED)
        served = dict(begun.values_list("owner").annotate(Max("started_at")))
    return fair_order(waiting, served)


def fair_order(waiting: Iterable[Waiting], served: Mapping[int, datetime]) -> list[Waiting]:
    """Return jobs in the order in which they are to be worked on.

    The most important go first; among these the owner's who was served least recently; then the
    oldest. Whoever is served is the last in turn: owners take turns as long as they have jobs.

    Args:
        waiting: The jobs, in any order.
        served: When the newest job of an owner was begun; who is missing was never served.
    """
    by_priority: dict[int, dict[int, deque[Waiting]]] = defaultdict(lambda: defaultdict(deque))
    for job in sorted(waiting, key=lambda job: (job.queued_at, job.pk)):
        by_priority[job.priority][job.owner_id].append(job)
    numbers = itertools.count()
    last_turn = {owner: next(numbers) for owner in sorted(served, key=lambda owner: served[owner])}
    order: list[Waiting] = []
    for _, jobs_of in sorted(by_priority.items(), reverse=True):
        heap = [_turn(last_turn.get(owner, _NEVER), jobs) for owner, jobs in jobs_of.items()]
        heapq.heapify(heap)
        while heap:
            *_, owner = heapq.heappop(heap)
            order.append(jobs_of[owner].popleft())
            last_turn[owner] = next(numbers)
            if jobs_of[owner]:
                heapq.heappush(heap, _turn(last_turn[owner], jobs_of[owner]))
    return order


def _turn(last_turn: int, jobs: deque[Waiting]) -> tuple[int, datetime, UUID, int]:
    """Return what an owner's jobs are ordered by, and the owner."""
    return last_turn, jobs[0].queued_at, jobs[0].pk, jobs[0].owner_id
