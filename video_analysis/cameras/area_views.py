"""The dialog in which areas are made, renamed and deleted; every answer is the dialog anew."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from common.errors import ServiceError
from common.pages import administrators_only
from video_analysis.cameras.presenting import area_rows
from video_analysis.cameras.selectors import get_area, list_areas
from video_analysis.cameras.services import areas


@require_POST
@administrators_only
@never_cache
def create(request: HttpRequest) -> HttpResponse:
    """Make an area."""
    name = request.POST.get("name", "")
    try:
        areas.create_area(actor=request.user, name=name)
    except ServiceError as error:
        return _show(request, error=error.message, typed=name[:100])
    return _show(request)


@require_POST
@administrators_only
@never_cache
def rename(request: HttpRequest, area_id: int) -> HttpResponse:
    """Rename an area."""
    area = get_area(request.user, area_id, "change")
    try:
        name = request.POST.get("name", "")
        areas.rename_area(actor=request.user, area=area, name=name)
    except ServiceError as error:
        return _show(request, wrong=area.pk, error=error.message)
    return _show(request)


@require_POST
@administrators_only
@never_cache
def delete(request: HttpRequest, area_id: int) -> HttpResponse:
    """Delete an area; its cameras stay."""
    area = get_area(request.user, area_id, "delete")
    areas.delete_area(actor=request.user, area=area)
    return _show(request)


def _show(
    request: HttpRequest, *, wrong: int | None = None, error: str = "", typed: str = ""
) -> HttpResponse:
    # Always 200: htmx shows nothing of an answer that is an error, and this one says what is wrong.
    rows = area_rows(list_areas(request.user))
    context = {"area_rows": rows, "wrong": wrong, "area_error": error, "typed": typed}
    return render(request, "cameras/_areas.html", context)
