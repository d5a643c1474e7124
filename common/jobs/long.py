"""Work that takes minutes or hours, in threads of its own.

The threads that a worker takes messages in are for short work; one video in each of them would keep
every picture waiting. So a bell for long work only says that there is some: a thread beside the
worker's takes the job, and when it has ended it, the next one of the queue. When as many run as
may, a bell is dropped, since the row is the truth.
"""

import logging
import threading
from uuid import UUID

from django.conf import settings
from django.db import Error, connection

from common.jobs.models import Job
from common.jobs.queues import LONG_QUEUE
from common.jobs.runner import execute_job

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_running = 0


def start_long_job(job_id: str | UUID) -> bool:
    """Work on a job of the long queue in a thread; return whether there was room for one."""
    global _running
    with _lock:
        if _running >= settings.SIGHTLINE_VIDEO_JOBS:
            return False
        _running += 1
    thread = threading.Thread(target=_work, args=(job_id,), name=f"long-{job_id}", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the system has no thread left
        _leave()
        raise
    return True


def _work(job_id: str | UUID | None) -> None:
    try:
        # What cannot be claimed, since the process stops or somebody else has it, is left to the
        # sweeper.
        while job_id is not None and execute_job(job_id):
            job_id = _next_job()
    except Error as error:
        logger.warning("The next long job was not looked for: %s", error)
    except Exception:
        logger.exception("A long job failed")
    finally:
        connection.close()
        _leave()


def _leave() -> None:
    global _running
    with _lock:
        _running -= 1


def _next_job() -> UUID | None:
    queued = Job.objects.filter(queue=LONG_QUEUE, state=Job.State.QUEUED)
    return queued.order_by("-priority", "created_at").values_list("pk", flat=True).first()
