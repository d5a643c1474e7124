"""Whether everything that this process leans on can do its work, each part with its reason."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from django.db import Error, connection

from common.inference import get_engine, is_warm, needs_engine, start_warm_up
from common.jobs.identity import HOST
from common.jobs.presence import seconds_since_sweep
from common.jobs.selectors import LATE_SECONDS, list_workers, seconds_since_sign
from vision.errors import VisionError

Check = dict[str, Any]
REDIS_SECONDS = 1.0


def run_checks(*, engine: bool = True) -> dict[str, Check]:
    """Return what database, worker, engine and Redis answer, each with its reason if it fails.

    Args:
        engine: Also judge the engine of this process, if it needs one.
    """
    checks: dict[str, Callable[[], Check]] = {"database": check_database, "worker": check_worker}
    if engine and needs_engine():  # otherwise the workers' engines answer
        checks["engine"] = check_engine
    if settings.REDIS_URL:
        checks["redis"] = check_redis
    return {name: check() for name, check in checks.items()}


def check_database() -> Check:
    """Ask the database for an answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except Error:
        return {"ok": False, "reason": "The database does not answer."}
    return {"ok": True}


def check_worker() -> Check:
    """Look for a sign of any worker that is not too old."""
    try:
        age = seconds_since_sign()
    except Error:
        return {"ok": False, "reason": "The signs of the workers cannot be read."}
    if age is None:
        return {"ok": False, "reason": "No worker has given a sign yet."}
    if age > LATE_SECONDS:
        return {"ok": False, "reason": f"The last sign of a worker is {age:.0f} s old."}
    return {"ok": True, "seconds_since_sign": round(age, 1)}


def check_local_worker() -> Check:
    """Look for a worker of this machine, or container, that gives signs."""
    try:
        here = [worker for worker in list_workers() if worker.host == HOST and worker.is_alive]
    except Error:
        return {"ok": False, "reason": "The signs of the workers cannot be read."}
    return {"ok": True} if here else {"ok": False, "reason": "No worker of this machine is alive."}


def check_beat() -> Check:
    """Look whether lost jobs have been looked for lately."""
    age = seconds_since_sweep()
    if age is None or age > LATE_SECONDS:
        return {"ok": False, "reason": "Nobody has looked for lost jobs for a minute."}
    return {"ok": True, "seconds_since_sweep": round(age, 1)}


def check_engine() -> Check:
    """Say whether the default model is loaded in this process; begin to load it if not."""
    if not is_warm():
        start_warm_up()
        return {"ok": False, "reason": "The default model is being loaded."}
    try:
        info = get_engine().describe(settings.SIGHTLINE_DEFAULT_MODEL)
    except VisionError as error:
        return {"ok": False, "reason": error.message}
    return {"ok": True, "model": info.model, "fallback": info.fallback}


def check_redis() -> Check:
    """Ask Redis for an answer."""
    try:
        _redis().ping()
    except (redis.RedisError, OSError):
        return {"ok": False, "reason": "Redis does not answer."}
    return {"ok": True}


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS
    )
