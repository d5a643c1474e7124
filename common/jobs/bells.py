"""Waking workers: a message per job, which may be lost without harm.

Nobody who asks for work waits for a broker that is away: the attempt ends after a second or two,
and for a while nobody tries again. The job is queued all the same, and the sweeper rings later.
"""

import logging
import time
from typing import Any

from celery import current_app
from celery.exceptions import OperationalError as CeleryOperationalError
from kombu.exceptions import OperationalError as BrokerError

from common.jobs.models import Job
from common.jobs.queues import LONG_QUEUES
from common.jobs.tasks import run_job, run_long_job

logger = logging.getLogger(__name__)

AWAY = (BrokerError, CeleryOperationalError, OSError)
AWAY_SECONDS = 5.0  # a broker that did not answer is left alone for so long
LOWEST, MIDDLE, STEP = 9, 6, 3

_away_until = 0.0


def ring(job: Job) -> bool:
    """Wake a worker for a job; return whether the broker took the message."""
    global _away_until
    if time.monotonic() < _away_until:
        return False
    is_long = job.queue in LONG_QUEUES
    task = run_long_job if is_long else run_job
    try:
        task.apply_async(
            args=(job.queue if is_long else str(job.pk),),
            queue=job.queue,
            priority=broker_priority(job.priority),
            retry=False,
        )
    except AWAY as error:
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("The broker is away; %s waits for it: %s", job, error)
        return False
    except Exception:  # the job is stored: whoever asked for it need not suffer
        logger.exception("No worker could be woken for %s", job)
        return False
    return True


def broker_priority(priority: int) -> int:
    """Return the broker's number of a job's priority: there 0 goes first and 9 last."""
    return min(LOWEST, max(0, MIDDLE - STEP * priority))


def bells_waiting(queue: str) -> int | None:
    """Return how many messages of a queue no worker has taken yet; None when nobody can say."""
    try:
        with current_app.connection_for_write() as connection:
            channel: Any = connection.default_channel
            # Not passive: kombu looks for the queue under its name without the key prefix then.
            answer = channel.queue_declare(queue=queue)
    except AWAY as error:
        logger.warning("The broker is away: %s", error)
        return None
    return int(answer.message_count)
