"""The page that takes in many people at once: a ZIP with a folder for each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.errors import ServiceError
from common.jobs.models import Job
from common.jobs.services import cancel_job
from common.permissions import get_visible_or_404, visible
from recognition.models import Profile
from recognition.page_access import people_page
from recognition.services.consent import current_text
from recognition.services.import_reports import AT_WORK, JOB_KIND, report_for
from recognition.services.importing import start_import

SHOWN = 5


@require_http_methods(["GET", "HEAD", "POST"])
@people_page
def show(request: HttpRequest) -> HttpResponse:
    """Choose a ZIP; then take it in."""
    if request.method != "POST":
        jobs = visible(request.user, Job.objects.filter(kind=JOB_KIND)).order_by("-created_at")
        context = {
            "kinds": Profile.Kind.choices,
            "consent_text": current_text(),
            "max_bytes": settings.SIGHTLINE_MAX_IMPORT_BYTES,
            "jobs": jobs[:SHOWN],
        }
        return render(request, "people/import.html", context)
    file = request.FILES.get("file")
    if file is None:
        raise ServiceError("no_file", "Choose a ZIP file.")
    kind = request.POST.get("kind", "")
    job = start_import(
        actor=request.user,
        file=file,
        kind=kind if kind in Profile.Kind.values else Profile.Kind.CUSTOMER,
        consent=request.POST.get("consent") == "true",
    )
    url = reverse("people:import-job", args=[job.pk])
    return JsonResponse({"id": str(job.pk), "url": url}, status=201)


@require_safe
@people_page
def show_job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """How far an import is, and what came of it; the part asks for itself while it is at work."""
    job = _job(request, job_id)
    context = {
        "job": job,
        "is_running": job.state in AT_WORK,
        "report": _shown_report(request, job),
    }
    part = request.headers.get("HX-Target") == "import-job"
    return render(request, "people/_import_job.html" if part else "people/import_job.html", context)


@require_POST
@people_page
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """End an import; who was taken in stays."""
    job = _job(request, job_id)
    if job.state in AT_WORK:
        cancel_job(job=job)
    return redirect("people:import-job", job.pk)


def _shown_report(request: HttpRequest, job: Job) -> dict[str, Any] | None:
    if "report" not in job.payload:
        return None
    report = report_for(request.user, job)
    return report.as_data() | {"refused_count": len(report.refused) + report.more}


def _job(request: HttpRequest, job_id: UUID) -> Job:
    job = get_visible_or_404(request.user, Job.objects.all(), pk=job_id)
    if job.kind != JOB_KIND:
        raise Http404
    return job
