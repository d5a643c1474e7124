"""Celery tasks: they wake a worker, nothing more."""

from celery import shared_task

from common.jobs.heartbeat import beat
from common.jobs.runner import execute_job


@shared_task(name="common.jobs.run_job")
def run_job(job_id: str) -> None:
    """Work on a job if it is still to be done."""
    beat()
    execute_job(job_id)


@shared_task(name="common.jobs.heartbeat")
def heartbeat() -> None:
    """Prove that messages reach a worker."""
    beat()
