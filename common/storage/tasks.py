"""The run as a job."""

from django.contrib.auth import get_user_model

from common.jobs.context import JobContext
from common.jobs.registry import job_handler
from common.storage.selectors import JOB_KIND
from common.storage.services import run_cleanup

HOUR = 3600.0


@job_handler(JOB_KIND, time_limit=HOUR)
def clean_up(context: JobContext) -> None:
    """Delete what is older than it may be and what belongs to nobody."""
    asked = "by" in context.job.payload
    actor = get_user_model().objects.filter(pk=context.job.owner_id).first() if asked else None
    run_cleanup(actor=actor, checkpoint=context.checkpoint)
