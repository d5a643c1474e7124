"""The names of the queues, and which of them are for work of minutes or hours."""

from django.conf import settings

LONG_QUEUE = "videos"
STYLES_QUEUE = "styles"
LONG_QUEUES = (LONG_QUEUE, STYLES_QUEUE)
"""Each has threads of its own; see `common.jobs.long`."""


def long_jobs_at_once(queue: str) -> int:
    """Return how many jobs of a long queue one process works on at once; 0 for any other queue."""
    return {LONG_QUEUE: settings.SIGHTLINE_VIDEO_JOBS, STYLES_QUEUE: 1}.get(queue, 0)
