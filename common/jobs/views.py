"""The page of workers and queues, for administrators."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.jobs.presence import seconds_since_sweep
from common.jobs.selectors import count_jobs_by_state, list_queues, list_workers
from common.pages import administrators_only


@require_safe
@administrators_only
def workers(request: HttpRequest) -> HttpResponse:
    """Show who works, on what, and what waits."""
    template = "jobs/_workers.html" if request.headers.get("HX-Request") else "jobs/workers.html"
    return render(request, template, overview())


def overview() -> dict[str, Any]:
    """Return what the page shows."""
    found = list_workers()
    return {
        "workers": found,
        "alive": sum(worker.is_alive for worker in found),
        "queues": list_queues(),
        "jobs": count_jobs_by_state(),
        "sweep_seconds": seconds_since_sweep(),
        "distributed": bool(settings.REDIS_URL),
        "now": timezone.now(),
    }
