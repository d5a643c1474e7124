"""The dialog in which areas are made, changed and deleted; every answer is the dialog anew."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from common.errors import ServiceError
from common.pages import administrators_only
from video_analysis.cameras.forms import AreaFacesForm
from video_analysis.cameras.models import Area
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
def change(request: HttpRequest, area_id: int) -> HttpResponse:
    """Rename an area, or say what may be done with faces there: two forms, told apart by a name."""
    area = get_area(request.user, area_id, "change")
    if "name" not in request.POST:
        return _set_faces(request, area)
    try:
        areas.rename_area(actor=request.user, area=area, name=request.POST["name"])
    except ServiceError as error:
        return _show(request, wrong=area.pk, error=error.message)
    return _show(request)


def _set_faces(request: HttpRequest, area: Area) -> HttpResponse:
    form = AreaFacesForm(request.POST)
    if not form.is_valid():
        text = " ".join(f"{name}: {' '.join(said)}" for name, said in form.errors.items())
        return _show(request, wrong=area.pk, error=text, shown=area.pk)
    try:
        areas.update_area(actor=request.user, area=area, **form.cleaned_data)
    except ServiceError as error:
        return _show(request, wrong=area.pk, error=error.message, shown=area.pk)
    return _show(request, shown=area.pk, saved=True)


@require_POST
@administrators_only
@never_cache
def delete(request: HttpRequest, area_id: int) -> HttpResponse:
    """Delete an area; its cameras stay."""
    area = get_area(request.user, area_id, "delete")
    areas.delete_area(actor=request.user, area=area)
    return _show(request)


def _show(
    request: HttpRequest,
    *,
    wrong: int | None = None,
    error: str = "",
    typed: str = "",
    shown: int | None = None,
    saved: bool = False,
) -> HttpResponse:
    # Always 200: htmx shows nothing of an answer that is an error, and this one says what is wrong.
    rows = area_rows(list_areas(request.user))
    context = {
        "area_rows": rows,
        "wrong": wrong,
        "area_error": error,
        "typed": typed,
        "faces_shown": shown,
        "faces_saved": saved,
    }
    return render(request, "cameras/_areas.html", context)
