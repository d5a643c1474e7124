"""Job handlers of this app. The work itself is a service."""

from common.broadcast import publish, user_group
from common.jobs.context import JobContext
from common.jobs.registry import job_handler, job_observer
from common.models import Job
from recognition.services.import_reports import JOB_KIND
from recognition.services.importing import drop_file_of, run_import_job

TIME_LIMIT = 6 * 3600.0
"""Of one attempt."""
ENDED = (Job.State.DONE, Job.State.FAILED, Job.State.CANCELLED)


@job_handler(JOB_KIND, time_limit=TIME_LIMIT)
def import_people(context: JobContext) -> None:
    """Enrol the people of one ZIP."""
    run_import_job(context)


@job_observer(JOB_KIND)
def publish_update(job: Job) -> None:
    """Tell the owner's pages how far an import is, and drop its file when it has ended."""
    if job.state in ENDED:
        drop_file_of(job)
    error = {"code": job.error_code, "message": job.error_message} if job.error_code else None
    publish(
        user_group(job.owner_id),
        {
            "type": "people.import",
            "id": str(job.pk),
            "status": str(job.state),
            "progress": round(float(job.progress), 3),
            "message": job.message,
            "error": error,
        },
    )
