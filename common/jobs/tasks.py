"""Celery tasks: they wake a worker, nothing more."""

from celery import shared_task

from common.jobs import presence
from common.jobs.long import start_long_job
from common.jobs.runner import execute_job


@shared_task(name="common.jobs.run_job")
def run_job(job_id: str) -> None:
    """Work on a job if it is still to be done."""
    execute_job(job_id)


@shared_task(name="common.jobs.run_long_job")
def run_long_job(queue: str) -> None:
    """Work on what a long queue has in a thread beside this one, if there is room for it."""
    start_long_job(queue)


@shared_task(name="common.jobs.heartbeat")
def heartbeat(worker: str = "") -> None:
    """Prove that messages reach this worker."""
    presence.note_sign(worker)
