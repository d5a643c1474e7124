"""Who is painted next, and how long that may take."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final
from uuid import UUID

from django.db import transaction

from common.jobs.queues import LONG_QUEUES, STYLES_QUEUE
from common.jobs.selectors import seconds_since
from common.jobs.turns import Waiting, jobs_in_turn
from common.models import Job
from styletransfer.models import Restyling
from styletransfer.services.events import publish_place
from vision.style.framing import fitted_size
from vision.style.levels import levels, share_done

MOST_TOLD: Final = 50
_RECENT: Final = 20
_LEAST_STEPS: Final = 5  # fewer are mostly loading
_LEAST_SHARE: Final = 0.05  # of a painting, before its own pace says anything


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands in a queue.

    Attributes:
        place: 1 is the next one.
        seconds: Until it begins; None when nobody can say.
    """

    place: int
    seconds: float | None


def queue_place(restyling: Restyling) -> Place | None:
    """Return the place of a painting; None when it does not wait, or only for a moment."""
    job = restyling.job
    if job.state != Job.State.QUEUED or job.queue not in LONG_QUEUES:
        return None
    return queue_places(job.queue).get(job.pk)


def queue_places(queue: str) -> dict[UUID, Place]:
    """Return the places of all that wait in a long queue, by their jobs' ids; five queries.

    How long others' videos take nobody here knows: in their queue there are no seconds.
    """
    line = jobs_in_turn(queue)
    if queue != STYLES_QUEUE:
        return {job.pk: Place(place, None) for place, job in enumerate(line, 1)}
    return {
        restyling.job_id: Place(place, seconds)
        for place, (restyling, seconds) in enumerate(_beginnings(line), 1)
    }


def seconds_left(restyling: Restyling, *, step: int) -> float | None:
    """Return the seconds until a slow painting is done; None when nobody can say.

    At first they are those that others took, then those of its own pace.

    Args:
        restyling: One that is being painted.
        step: How many steps are made.
    """
    if not restyling.steps:  # a fast one
        return None
    height, width = _size_of(restyling)
    share = share_done(levels(restyling.steps, height, width), step)
    return _said(_rest(restyling, share, math.inf if share >= _LEAST_SHARE else _pace()))


def estimate_seconds(*, width: int, height: int, steps: int) -> float | None:
    """Return the seconds that a slow painting of so many pixels will take here.

    None as long as nothing has been painted from which that could be known.
    """
    return _said(_pace() * _work(width, height, steps))


def publish_places(job: Job) -> None:
    """Tell those who wait of their places, when one has come, begun or ended.

    It is called for every progress, too: that of a job has a share or a message, which it has not
    when it begins.
    """
    if job.state == Job.State.RUNNING and (job.progress or job.message):
        return
    line = jobs_in_turn(STYLES_QUEUE)[:MOST_TOLD]
    for place, (restyling, seconds) in enumerate(_beginnings(line), 1):
        publish_place(
            owner_id=restyling.owner_id, restyling_id=restyling.pk, place=place, seconds=seconds
        )


def move_line(job: Job) -> None:
    """Tell those who wait of their places when a job has come or is gone, after the commit."""
    if job.queue == STYLES_QUEUE:
        transaction.on_commit(lambda: publish_places(job), robust=True)


def _beginnings(line: Sequence[Waiting]) -> Iterator[tuple[Restyling, float | None]]:
    """Yield the paintings of a line, and the seconds until each of them begins; two queries.

    Machines paint beside each other, what is on one of them one after the other.
    """
    if not line:
        return
    unfinished = Restyling.objects.filter(
        job__queue=STYLES_QUEUE, job__state__in=Restyling.UNFINISHED
    )
    rows = {row.job_id: row for row in unfinished.select_related("job", "upload").defer("losses")}
    pace = _pace()
    busy: dict[str, float] = defaultdict(float)
    for row in rows.values():
        if row.job.state == Job.State.RUNNING:
            busy[row.job.worker.partition(":")[0]] += _rest(row, row.job.progress, pace)
    free_in = list(busy.values()) or [0.0]
    heapq.heapify(free_in)
    for waiting in line:
        restyling = rows.get(waiting.pk)
        if restyling is None:  # deleted meanwhile
            continue
        yield restyling, _said(free_in[0])
        height, width = _size_of(restyling)
        heapq.heapreplace(free_in, free_in[0] + pace * _work(width, height, restyling.steps))


def _rest(restyling: Restyling, share: float, pace: float) -> float:
    """Return the seconds that are left of a painting of which a share is done; inf for unknown."""
    begun = restyling.job.started_at
    if share >= _LEAST_SHARE and begun is not None:
        return seconds_since(begun) * (1 - share) / share
    height, width = _size_of(restyling)
    return pace * _work(width, height, restyling.steps) * (1 - share)


def _pace() -> float:
    """Return the seconds of a step over a million pixels, as they were lately; inf for unknown.

    What was stopped early counts as far as it came. One query.
    """
    finished = Restyling.objects.filter(
        way=Restyling.Way.SLOW,
        steps_made__gte=_LEAST_STEPS,
        seconds__gt=0,
        width__gt=0,
        height__gt=0,
    ).exclude(job__state__in=Restyling.UNFINISHED)
    newest = finished.values_list("seconds", "width", "height", "steps", "steps_made")[:_RECENT]
    paces = [
        seconds / _work(width, height, steps, made)
        for seconds, width, height, steps, made in newest
    ]
    return median(paces) if paces else math.inf


def _work(width: int, height: int, steps: int, made: int | None = None) -> float:
    """Return how many steps over a million pixels the first steps are; None for all of them.

    Coarse steps count as much less as they have fewer pixels.
    """
    plan = levels(steps, height, width)
    whole = sum(scale**2 * count for scale, count in plan) * width * height / 1e6
    return whole if made is None else whole * share_done(plan, made)


def _size_of(restyling: Restyling) -> tuple[int, int]:
    """Return (height, width) of what will come of it."""
    upload = restyling.upload
    return fitted_size(upload.height, upload.width, restyling.size)


def _said(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None
