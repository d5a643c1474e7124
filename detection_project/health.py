"""Probes: is the process alive, and can it do its work?"""

import logging

from django.http import HttpRequest, JsonResponse


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
    """Answer 200 when all that this process leans on can do its work, else 503; say which."""
    # Imported here: the filter above is made before there are models.
    from detection_project.readiness import run_checks

    checks = run_checks()
    ready = all(check["ok"] for check in checks.values())
    answer = {"status": "ready" if ready else "not ready", "checks": checks}
    return JsonResponse(answer, status=200 if ready else 503)
