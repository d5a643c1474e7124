"""The names of the queues."""

LONG_QUEUE = "videos"
"""Work of minutes or hours; see `common.jobs.long`."""
