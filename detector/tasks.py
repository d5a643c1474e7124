"""Job handlers of this app. The work itself is a service."""

from common.jobs.context import JobContext
from common.jobs.registry import job_handler, job_observer, job_retrier
from common.models import Job
from detector.services.detection import run_session_job
from detector.services.events import publish_job_update
from detector.services.sessions import JOB_KIND, retry_session_of


@job_handler(JOB_KIND)
def detect(context: JobContext) -> None:
    """Find the objects of one session."""
    run_session_job(context)


@job_observer(JOB_KIND)
def publish_update(job: Job) -> None:
    """Pass on every change of the job to the owner's pages."""
    publish_job_update(job)


@job_retrier(JOB_KIND)
def retry(job: Job) -> None:
    """Try again what a session's job did not bring to its end."""
    retry_session_of(job=job)
