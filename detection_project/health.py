"""Probes: is the process alive, and can it do its work?"""

import logging
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from common.inference import get_engine, is_warm, start_warm_up
from common.jobs.heartbeat import seconds_since_beat
from vision.errors import VisionError

HEARTBEAT_SECONDS = 60.0


class ExpectedAnswers(logging.Filter):
    """Keeps "not ready" out of the log: during a start it is the expected answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record is to be logged."""
        request = getattr(record, "request", None)
        return getattr(request, "path", "") != "/readyz"


async def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the event loop turns."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, worker and engine can do their work, else 503; say which."""
    checks = {"database": _database(), "worker": _worker(), "engine": _engine()}
    ready = all(check["ok"] for check in checks.values())
    answer = {"status": "ready" if ready else "not ready", "checks": checks}
    return JsonResponse(answer, status=200 if ready else 503)


def _database() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        return {"ok": False, "reason": "The database does not answer."}
    return {"ok": True}


def _worker() -> dict[str, Any]:
    age = seconds_since_beat()
    if age is None:
        return {"ok": False, "reason": "No worker has given a sign yet."}
    if age > HEARTBEAT_SECONDS:
        return {"ok": False, "reason": f"The last sign of a worker is {age:.0f} s old."}
    return {"ok": True, "seconds_since_sign": round(age, 1)}


def _engine() -> dict[str, Any]:
    if not is_warm():
        start_warm_up()
        return {"ok": False, "reason": "The default model is being loaded."}
    try:
        info = get_engine().describe(settings.SIGHTLINE_DEFAULT_MODEL)
    except VisionError as error:
        return {"ok": False, "reason": error.message}
    return {"ok": True, "model": info.model, "fallback": info.fallback}
