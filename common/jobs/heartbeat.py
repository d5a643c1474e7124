"""Whether a worker is alive: the time of its last sign, in the cache.

A worker process can be up and deaf. So the sign is given by a task that went through the broker,
and by every lease that a busy worker renews.
"""

import time

from django.core.cache import cache

KEY = "common.jobs.heartbeat"


def beat() -> None:
    """Note that a worker has just worked."""
    cache.set(KEY, time.time(), timeout=None)


def seconds_since_beat() -> float | None:
    """Return the age of the last sign in seconds, or None when there has been none."""
    last = cache.get(KEY)
    return None if last is None else max(0.0, time.time() - float(last))
