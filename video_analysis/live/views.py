"""The live pages. A view reads through selectors and renders; what moves comes over sockets."""

from __future__ import annotations

import datetime as dt

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from common.accounts.roles import require_may_create
from common.permissions import can, visible
from detector.views import page_view
from recognition.services.auditing import note_people_listed
from video_analysis.cameras.models import Camera
from video_analysis.live.pages import day_counts, list_data, page_data
from video_analysis.live.people import recognised_people
from video_analysis.live.selectors import get_watched_camera, list_watched_cameras

NO_STORE = "private, no-store"
NOTED_SECONDS = 3600


@require_safe
@page_view
def wall(request: HttpRequest) -> HttpResponse:
    """All cameras that one may watch, what happens before them, and how they do."""
    data = page_data(request.user, list_watched_cameras(request.user))
    context = {
        "page_data": data,
        "cameras": data["cameras"],
        "stats": data["stats"],
        "some_are_off": visible(request.user, Camera.objects.filter(enabled=False)).exists(),
    }
    return _fresh(render(request, "live/wall.html", context))


@require_safe
@page_view
def cameras(request: HttpRequest) -> JsonResponse:
    """The cameras of the wall as they are now; asked for when they have changed."""
    return _json(list_data(request.user, list_watched_cameras(request.user)))


@require_safe
@page_view
def camera(request: HttpRequest, camera_id: int) -> HttpResponse:
    """One camera, large, with its events, its counts over a day and its figures."""
    found = get_watched_camera(request.user, camera_id)
    data = page_data(request.user, [found], camera=found)
    context = {
        "page_data": data,
        "camera": found,
        "setup": data["cameras"][0],
        "facts": data["stats"]["cameras"][0],
        "today": timezone.localdate(),
        "may_change": can(request.user, "change", found),
    }
    return _fresh(render(request, "live/camera.html", context))


@require_safe
@page_view
def setup(request: HttpRequest, camera_id: int) -> JsonResponse:
    """One camera as it is now; asked for when it has changed."""
    return _json(list_data(request.user, [get_watched_camera(request.user, camera_id)]))


@require_safe
@page_view
def people(request: HttpRequest, camera_id: int | None = None) -> JsonResponse:
    """Who was recognised before the cameras, or before one; for those who may see people.

    Pages ask every few seconds: the audit log says once an hour who looks.
    """
    found = get_watched_camera(request.user, camera_id) if camera_id is not None else None
    require_may_create(request.user)
    told = recognised_people(request.user, camera=found)
    if cache.add(f"live.people.{request.user.pk}.{camera_id or ''}", 1, timeout=NOTED_SECONDS):
        shown = {person["url"] for person in (*told["now"], *told["events"].values())}
        note_people_listed(actor=request.user, count=len(shown), what="people of cameras")
    return _json(told)


@require_safe
@page_view
def counts(request: HttpRequest, camera_id: int) -> JsonResponse:
    """How often each line of a camera was crossed in each hour of ``?day=``; today by default."""
    found = get_watched_camera(request.user, camera_id)
    return _json(day_counts(found, _day(request.GET.get("day", ""))))


def _day(text: str) -> dt.date:
    try:
        day = parse_date(text)
    except ValueError:  # such as 2026-02-31
        day = None
    today = timezone.localdate()
    # The first and the last days of the calendar have no neighbours to be counted between.
    return day if day is not None and dt.date(2000, 1, 1) <= day <= today else today


def _json(data: object) -> JsonResponse:
    response = JsonResponse(data)
    response["Cache-Control"] = NO_STORE
    return response


def _fresh(response: HttpResponse) -> HttpResponse:
    # The back button must not show who was before the camera an hour ago as if it were now.
    response["Cache-Control"] = NO_STORE
    return response
