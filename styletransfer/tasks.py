"""Job handlers of this app. The work itself is a service."""

from common.jobs.context import JobContext
from common.jobs.registry import job_handler, job_observer, job_retrier
from common.models import Job
from styletransfer.services.events import publish_job_update
from styletransfer.services.queueing import publish_places
from styletransfer.services.restylings import (
    FAST_JOB,
    SLOW_JOB,
    VIDEO_JOB,
    retry_restyling,
)
from styletransfer.services.running import run_fast_job, run_slow_job, run_video_job

SLOW_SECONDS = 12 * 3600.0
VIDEO_SECONDS = 24 * 3600.0


@job_handler(SLOW_JOB, time_limit=SLOW_SECONDS)
def paint_slowly(context: JobContext) -> None:
    """Paint one picture step by step."""
    run_slow_job(context)


@job_handler(FAST_JOB)
def paint_fast(context: JobContext) -> None:
    """Paint one picture in a single pass."""
    run_fast_job(context)


@job_handler(VIDEO_JOB, time_limit=VIDEO_SECONDS)
def paint_video(context: JobContext) -> None:
    """Paint every frame of one video."""
    run_video_job(context)


@job_observer(SLOW_JOB)
@job_observer(FAST_JOB)
@job_observer(VIDEO_JOB)
def publish_update(job: Job) -> None:
    """Pass on every change of the job to the pages that may see it."""
    publish_job_update(job)


@job_observer(SLOW_JOB)
def publish_queue(job: Job) -> None:
    """Tell those who wait of their places when one begins, ends or comes."""
    publish_places(job)


@job_retrier(SLOW_JOB, FAST_JOB, VIDEO_JOB)
def retry(job: Job) -> None:
    """Paint again what a job did not bring to its end."""
    retry_restyling(restyling=job.restyling)
