"""Job handlers of this app. The work itself is a service."""

from common.jobs.context import JobContext
from common.jobs.registry import job_handler, job_observer, job_retrier
from common.models import Job
from detector.services.events import publish_job_update
from detector.services.sessions import retry_session_of
from video_analysis.services.analyses import JOB_KIND
from video_analysis.services.running import run_analysis_job

TIME_LIMIT = 24 * 3600.0
"""Of one attempt. Its message has long been taken by then: the lease alone says whose it is."""


@job_handler(JOB_KIND, time_limit=TIME_LIMIT)
def analyse(context: JobContext) -> None:
    """Analyse the video of one session."""
    run_analysis_job(context)


@job_observer(JOB_KIND)
def publish_update(job: Job) -> None:
    """Pass on every change of the job to the owner's pages."""
    publish_job_update(job)


@job_retrier(JOB_KIND)
def retry(job: Job) -> None:
    """Try again what a session's job did not bring to its end."""
    retry_session_of(job=job)
