"""What the installation may do with faces, and the reports about people who were forgotten."""

from __future__ import annotations

import re
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.errors import ServiceError
from common.media import PieceStream
from recognition.forms import PrivacyForm, privacy_values
from recognition.models import ConsentText, ErasureReport
from recognition.page_access import administrators_page, people_page
from recognition.person_views import what_goes
from recognition.selectors import get_profile
from recognition.services.consent import current_text, publish_consent_text
from recognition.services.erasing import erase_person
from recognition.services.exporting import export_name, export_person
from recognition.services.privacy import change_privacy, current_privacy

REPORTS = 20


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_page
def privacy(request: HttpRequest) -> HttpResponseBase:
    """What may be done with faces."""
    if request.method != "POST":
        return _show(request, PrivacyForm(initial=privacy_values(current_privacy())))
    form = PrivacyForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=400)
    try:
        change_privacy(actor=request.user, **form.cleaned_data)
    except ServiceError as error:
        form.take(error)
        return _show(request, form, status=error.status)
    messages.success(request, "Saved. It counts from now on.")
    return redirect("people:privacy")


@require_POST
@administrators_page
def publish(request: HttpRequest) -> HttpResponseBase:
    """Publish another version of the text that people agree to."""
    text = re.sub(r"\r\n?", "\n", request.POST.get("text", "")).strip()
    try:
        publish_consent_text(actor=request.user, text=text)
    except ServiceError as error:
        form = PrivacyForm(initial=privacy_values(current_privacy()))
        return _show(request, form, status=error.status, typed=text, text_error=error.message)
    messages.success(request, "Published. Who agrees from now on agrees to this version.")
    return redirect("people:privacy")


def _show(
    request: HttpRequest,
    form: PrivacyForm,
    *,
    status: int = 200,
    typed: str | None = None,
    text_error: str = "",
) -> HttpResponse:
    texts = list(ConsentText.objects.select_related("created_by"))
    current = current_text()
    context = {
        "form": form,
        "texts": texts,
        "current_text": current,
        "typed": typed if typed is not None else (current.text if current else ""),
        "text_error": text_error,
        "reports": ErasureReport.objects.all()[:REPORTS],
    }
    return render(request, "people/privacy.html", context, status=status)


@require_safe
@people_page
def export(request: HttpRequest, person_id: UUID) -> HttpResponseBase:
    """Everything about one person, as a file; for administrators."""
    profile = get_profile(request.user, person_id, "delete")
    return PieceStream(
        export_person(actor=request.user, profile=profile),
        media_type="application/zip",
        filename=export_name(profile),
    )


@require_http_methods(["GET", "POST"])
@people_page
def erase(request: HttpRequest, person_id: UUID) -> HttpResponseBase:
    """Ask whether to forget somebody, naming what goes with them; then forget them."""
    profile = get_profile(request.user, person_id, "delete")
    if request.method == "GET":
        context = {"person": profile, "goes": what_goes(profile)}
        return render(request, "people/_erase.html", context)
    report = erase_person(
        actor=request.user,
        profile_id=profile.pk,
        reason="request",
        originals=request.POST.get("originals") == "true",
    )
    return redirect("people:erasure", report.pk)


@require_safe
@administrators_page
def erasure(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """What was forgotten of somebody, and what was looked at afterwards."""
    report = get_object_or_404(ErasureReport, pk=report_id)
    found = [check for check in report.checks if "what" in check]
    must = [check for check in found if check["must"]]
    context = {
        "report": report,
        "must": must,
        "may": [check for check in found if not check["must"]],
        "clean": bool(report.finished_at) and not any(check["found"] for check in must),
    }
    return render(request, "people/erasure.html", context)
