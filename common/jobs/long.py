"""Work that takes minutes or hours, in threads of its own.

The threads that a worker takes messages in are for short work; one video in each of them would keep
every picture waiting. So a bell for long work only says that there is some: a thread beside the
worker's takes the job whose turn it is, and when it has ended it, the next one of the same queue.
Each long queue has threads of its own. When as many run as may, a bell is dropped, since the row
is the truth.
"""

import logging
import threading
from collections import Counter
from uuid import UUID

from django.db import Error, connection

from common.jobs.queues import long_jobs_at_once
from common.jobs.runner import execute_job, is_stopping
from common.jobs.turns import jobs_in_turn

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_running: Counter[str] = Counter()


def start_long_job(queue: str) -> bool:
    """Work on the jobs of a long queue in a thread; return whether there was room for one."""
    with _lock:
        if _running[queue] >= long_jobs_at_once(queue):
            return False
        _running[queue] += 1
    thread = threading.Thread(target=_work, args=(queue,), name=f"long-{queue}", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system has no thread left
        _leave(queue)
        raise
    return True


def _work(queue: str) -> None:
    taken: set[UUID] = set()  # by somebody else, or gone, when we wanted to begin
    try:
        while not is_stopping() and (job_id := _next_job(queue, taken)) is not None:
            if execute_job(job_id):
                taken.clear()  # some may have been given back
            else:
                taken.add(job_id)
    except Error as error:
        logger.warning("The next job of %s was not looked for: %s", queue, error)
    except Exception:
        logger.exception("A long job failed")
    finally:
        connection.close()
        _leave(queue)


def _leave(queue: str) -> None:
    with _lock:
        _running[queue] -= 1


def _next_job(queue: str, taken: set[UUID]) -> UUID | None:
    return next((job.pk for job in jobs_in_turn(queue) if job.pk not in taken), None)
