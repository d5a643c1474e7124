"""The storage page: what is kept, how long, and what nobody owns any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from common.jobs.models import Job
from common.pages import administrators_only
from common.storage.disk import disk_space
from common.storage.forms import RetentionForm
from common.storage.selectors import (
    Expiry,
    current_policy,
    latest_cleanup,
    next_expiry,
    total_usage,
)
from common.storage.services import request_cleanup, set_retention

LABELS = {
    "pictures": "Pictures",
    "thumbnails": "Thumbnails",
    "results": "Annotated videos",
    "models": "Models and weights",
    "database": "Database",
    "backups": "Backups",
    "other": "Other",
}


@require_safe
@administrators_only
def storage(request: HttpRequest) -> HttpResponse:
    """The page."""
    policy = current_policy()
    form = RetentionForm(
        initial={name: getattr(policy, name) for name in RetentionForm.base_fields}
    )
    return _page(request, form)


@require_safe
@administrators_only
def preview(request: HttpRequest) -> HttpResponse:
    """What the days in the form would delete, before they are saved."""
    form = RetentionForm(request.GET)
    expiry = next_expiry(**form.cleaned_data) if form.is_valid() else None
    return render(request, "storage/_preview.html", {"form": form, "expiry": expiry})


@require_POST
@administrators_only
def retention(request: HttpRequest) -> HttpResponse:
    """Save the days."""
    form = RetentionForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    set_retention(actor=request.user, **form.cleaned_data)
    messages.success(request, "Saved. It counts from the next run on.")
    return redirect("storage:storage")


@require_POST
@administrators_only
def cleanup(request: HttpRequest) -> HttpResponse:
    """Queue a run now."""
    request_cleanup(actor=request.user)
    messages.success(request, "The run has been queued.")
    return redirect("storage:storage")


@require_safe
@administrators_only
def run_state(request: HttpRequest) -> HttpResponse:
    """The part of the page that tells of the last run; asked for again while one is at work."""
    return render(request, "storage/_run.html", _run_context())


def _page(request: HttpRequest, form: RetentionForm, *, status: int = 200) -> HttpResponse:
    usage = total_usage()
    days = form.cleaned_data if form.is_bound and form.is_valid() else form.initial
    expiry = next_expiry(**days) if days else Expiry(0, 0, 0)
    context = {
        "usage": usage,
        "kinds": _kinds(usage.kinds),
        "disk": disk_space(),
        "form": form,
        "expiry": expiry,
        **_run_context(),
    }
    return render(request, "storage/storage.html", context, status=status)


def _kinds(weights: dict[str, int]) -> list[dict[str, Any]]:
    total = sum(weights.values())
    return [
        {
            "key": kind,
            "label": LABELS[kind],
            "bytes": weight,
            "share": weight / total if total else 0.0,
        }
        for kind, weight in weights.items()
    ]


def _run_context() -> dict[str, Any]:
    # First the job, then its report: a run that ends in between is still shown as running and is
    # asked for again. The other way round the page would show no report and ask no more.
    job = latest_cleanup()
    policy = current_policy()
    began = policy.last_run.get("began_at")
    return {
        "run": policy.last_run,
        "run_began": datetime.fromisoformat(began) if began else None,
        "run_job": job,
        "is_running": job is not None and job.state in (Job.State.QUEUED, Job.State.RUNNING),
    }
