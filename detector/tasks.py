"""Job handlers of this app. The work itself is a service."""

from common.jobs.context import JobContext
from common.jobs.registry import job_handler, job_observer
from common.models import Job
from detector.services.detection import run_session_job
from detector.services.events import publish_job_update
from detector.services.sessions import JOB_KIND


@job_handler(JOB_KIND)
def detect(context: JobContext) -> None:
    """Find the objects of one session."""
    run_session_job(context)


@job_observer(JOB_KIND)
def publish_update(job: Job) -> None:
    """Pass on every change of the job to the owner's pages."""
    publish_job_update(job)
