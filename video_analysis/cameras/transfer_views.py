"""The pages that take cameras in as a document, and give them out again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.errors import ServiceError
from common.pages import administrators_only
from video_analysis.cameras.documents.blanking import blank_document
from video_analysis.cameras.errors import DocumentError
from video_analysis.cameras.selectors import list_cameras
from video_analysis.cameras.services.transfer import export_cameras, import_cameras

YAML = "application/yaml; charset=utf-8"
EXAMPLE = """\
cameras:
  - name: Entrance
    area: Shop
    inputs: rtsp://192.168.1.20/stream1
    fps: 10
    zones:
      - name: Doorway
        threshold_sec: 5
        polygon: [[0.2, 0.5], [0.8, 0.5], [0.8, 1.0], [0.2, 1.0]]
    lines:
      - name: Doorstep
        points: [[0.2, 0.7], [0.8, 0.7]]
        forward: in
        backward: out
"""


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@administrators_only
@never_cache
def show_import(request: HttpRequest) -> HttpResponse:
    """Paste or choose a document; then take it in."""
    context: dict[str, object] = {"example": EXAMPLE, "text": ""}
    if request.method == "GET":
        return render(request, "cameras/import.html", context)
    text = _text(request)
    try:
        report = import_cameras(actor=request.user, text=text)
    except ServiceError as error:
        context |= _refusal(error) | {"text": blank_document(text)}
        return render(request, "cameras/import.html", context, status=error.status)
    changed = len(report.changed) + len(report.changed_areas)
    messages.success(
        request,
        f"{len(report.created)} added, {changed} changed."
        if report.anything
        else "Everything was as the document says already.",
    )
    return redirect("cameras:list")


@sensitive_post_parameters()
@require_POST
@administrators_only
@never_cache
def check_import(request: HttpRequest) -> HttpResponse:
    """Say what taking a document in would change; nothing is written."""
    try:
        report = import_cameras(actor=request.user, text=_text(request), dry_run=True)
    except ServiceError as error:
        # 200: htmx shows nothing of an answer that is an error, and this one says what is wrong.
        return render(request, "cameras/_plan.html", _refusal(error))
    return render(request, "cameras/_plan.html", {"report": report})


@require_GET
@administrators_only
@never_cache
def export(request: HttpRequest) -> HttpResponse:
    """All cameras as a document; without credentials."""
    text = export_cameras(actor=request.user, cameras=list_cameras(request.user))
    response = HttpResponse(text, content_type=YAML)
    name = f"cameras-{timezone.localdate():%Y-%m-%d}.yaml"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _text(request: HttpRequest) -> str:
    # Browsers send line ends as CRLF.
    return request.POST.get("text", "").replace("\r\n", "\n")


def _refusal(error: ServiceError) -> dict[str, object]:
    problems = error.problems if isinstance(error, DocumentError) else ()
    more = error.more if isinstance(error, DocumentError) else 0
    return {"problems": problems, "more": more, "error": error.message}
