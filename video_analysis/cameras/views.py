"""The pages that set cameras up. A view reads through selectors, acts through services, renders."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.api.errors import error_json
from common.errors import ServiceError
from common.pages import administrators_only
from video_analysis.cameras.errors import ChangedMeanwhileError, ConfigurationError
from video_analysis.cameras.forms import (
    EXAMPLES,
    FACES,
    STORED,
    CameraForm,
    initial_values,
    looking_choices,
    tracker_choices,
)
from video_analysis.cameras.models import Camera
from video_analysis.cameras.presenting import (
    STATES,
    area_rows,
    read_filters,
    region_limits,
    shown_cameras,
    state_of,
    stored_regions,
    what_goes_with,
)
from video_analysis.cameras.selectors import get_camera, list_areas, list_cameras
from video_analysis.cameras.services.cameras import create_camera, delete_camera, update_camera
from video_analysis.cameras.services.probing import CameraPicture, test_camera
from video_analysis.cameras.services.regions import replace_regions

View = Callable[..., HttpResponseBase]
PAGE_SIZE = 50
LONGEST_NUMBER = 9  # digits


def answers_scripts(view: View) -> View:
    """Only for administrators' scripts: what a service refuses is told in the errors' shape."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except ServiceError as error:
            response = error_json(
                error.code, error.message, status=error.status, fields=error.fields
            )
            if error.retry_after is not None:
                response["Retry-After"] = str(round(error.retry_after))
            return response

    return administrators_only(never_cache(inner))


@require_GET
@administrators_only
@never_cache
def show_list(request: HttpRequest) -> HttpResponse:
    """All cameras and how they do."""
    filters = read_filters(request.GET)
    every = list_cameras(request.user).select_related("area", "state")
    shown = shown_cameras(every, filters)
    page = Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "filters": filters,
        "areas": list_areas(request.user),
        "area_rows": area_rows(list_areas(request.user)),
        "states": [(kind, label) for kind, (label, _) in STATES.items()],
        "live": sum(state.kind == "live" for _, state in shown),
        "areas_open": "areas" in request.GET,
    }
    part = request.headers.get("HX-Target") == "camera-list"
    template = "cameras/_list.html" if part else "cameras/list.html"
    response = render(request, template, context)
    response["Vary"] = "HX-Target, Cookie"
    return response


@sensitive_post_parameters("username", "password", "address")
@require_http_methods(["GET", "POST"])
@administrators_only
@never_cache
def create(request: HttpRequest) -> HttpResponse:
    """Add a camera."""
    if request.method == "GET":
        return _show_form(request, CameraForm(initial=initial_values(Camera())))
    form = CameraForm(request.POST)
    if not form.is_valid():
        return _show_form(request, form, status=400)
    try:
        camera = create_camera(actor=request.user, **form.values())
    except ServiceError as error:
        form.take(error)
        return _show_form(request, form, status=error.status)
    messages.success(request, f"“{camera.name}” is added. Now draw where to look, if you like.")
    return redirect("cameras:regions", camera.pk)


@sensitive_post_parameters("username", "password", "address")
@require_http_methods(["GET", "POST"])
@administrators_only
@never_cache
def edit(request: HttpRequest, camera_id: int) -> HttpResponse:
    """Change a camera."""
    camera = get_camera(request.user, camera_id, "change")
    if request.method == "GET":
        return _show_form(request, CameraForm(initial=initial_values(camera)), camera)
    form = CameraForm(request.POST)
    if not form.is_valid():
        return _show_form(request, form, camera, status=400)
    revision = form.cleaned_data["revision"]
    try:
        update_camera(actor=request.user, camera=camera, revision=revision, **form.changes())
    except ChangedMeanwhileError as error:
        again = request.POST.copy()
        again["revision"] = str(error.revision)
        form.data = again
        return _show_form(request, form, camera, status=error.status, conflict=True)
    except ServiceError as error:
        form.take(error)
        return _show_form(request, form, camera, status=error.status)
    messages.success(request, "Saved. The camera uses it from now on.")
    return redirect("cameras:edit", camera.pk)


def _show_form(
    request: HttpRequest,
    form: CameraForm,
    camera: Camera | None = None,
    *,
    status: int = 200,
    conflict: bool = False,
) -> HttpResponse:
    if form.is_bound:
        form.forget_secrets()
    has_credentials = camera is not None and bool(camera.credentials)
    chosen = form["groups"].value() or []
    test_url = reverse("cameras:test")
    context = {
        "form": form,
        "camera": camera,
        "shown": state_of(camera) if camera else None,
        "conflict": conflict,
        "has_credentials": has_credentials,
        "username_hint": STORED if has_credentials else "Where the camera asks for one.",
        "password_hint": STORED if has_credentials else "Stored encrypted, never shown again.",
        "areas": list_areas(request.user),
        "groups": Group.objects.order_by("name"),
        "chosen_groups": {int(text) for text in map(str, chosen) if _is_number(text)},
        "trackers": tracker_choices(),
        "looking": looking_choices(),
        "examples": EXAMPLES,
        "faces": FACES,
        "test_url": f"{test_url}?camera={camera.pk}" if camera else test_url,
    }
    return render(request, "cameras/camera.html", context, status=status)


@sensitive_post_parameters("username", "password", "address")
@require_POST
@answers_scripts
def test(request: HttpRequest) -> HttpResponse:
    """Connect to a camera that is being set up, and answer with its picture or the reason."""
    number = request.GET.get("camera", "")
    camera = get_camera(request.user, int(number), "change") if _is_number(number) else None
    shown = test_camera(
        camera=camera,
        address=request.POST.get("address", "")[:1000],
        username=request.POST.get("username", ""),
        password=request.POST.get("password", ""),
        hide_people=request.POST["hide_people"] == "true"
        if "hide_people" in request.POST
        else None,
        hide_faces=bool(request.POST["faces"]) if "faces" in request.POST else None,
    )
    return JsonResponse(_picture(shown))


# pytest would take it for a test wherever it is imported.
test.__test__ = False  # type: ignore[attr-defined]


def _picture(shown: CameraPicture) -> dict[str, Any]:
    picture = base64.b64encode(shown.jpeg).decode() if shown.jpeg else ""
    return {
        "picture": f"data:image/jpeg;base64,{picture}" if picture else "",
        "codec": shown.codec,
        "width": shown.width,
        "height": shown.height,
        "rate": shown.rate,
        "seconds": shown.seconds,
    }


@require_http_methods(["GET", "POST"])
@answers_scripts
def regions(request: HttpRequest, camera_id: int) -> HttpResponse:
    """Draw zones and lines; a script reads them as they are stored, and stores all of them."""
    camera = get_camera(request.user, camera_id, "change")
    if request.method == "POST":
        return _store_regions(request, camera)
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse(stored_regions(camera))
    shown = state_of(camera)
    data = {
        "stored": stored_regions(camera),
        "limits": region_limits(),
        "url": reverse("cameras:regions", args=[camera.pk]),
        "pictures": {
            "latest": f"/api/cameras/{camera.pk}/latest.jpg" if shown.kind == "live" else "",
            "test": f"{reverse('cameras:test')}?camera={camera.pk}",
        },
    }
    context = {"camera": camera, "shown": shown, "regions_data": data}
    response = render(request, "cameras/regions.html", context)
    response["Vary"] = "Accept, Cookie"
    return response


def _store_regions(request: HttpRequest, camera: Camera) -> HttpResponse:
    revision = request.POST.get("revision", "")
    try:
        drawn = json.loads(request.POST.get("regions", ""))
        zones, lines = drawn["zones"], drawn["lines"]
        readable = _are_objects(zones) and _are_objects(lines) and _is_number(revision)
    except (ValueError, KeyError, TypeError, RecursionError):
        readable = False
    if not readable:
        message = "Send revision, and regions as a JSON object with the lists zones and lines."
        raise ConfigurationError({"regions": message})
    stored = replace_regions(
        actor=request.user, camera=camera, zones=zones, lines=lines, revision=int(revision)
    )
    return JsonResponse(stored_regions(stored))


def _are_objects(items: Any) -> bool:
    return isinstance(items, list) and all(isinstance(item, dict) for item in items)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


@require_POST
@answers_scripts
def switch(request: HttpRequest, camera_id: int) -> HttpResponse:
    """Switch a camera on or off."""
    camera = get_camera(request.user, camera_id, "change")
    enabled = request.POST.get("enabled") == "true"
    changed = update_camera(actor=request.user, camera=camera, enabled=enabled)
    return JsonResponse({"enabled": changed.enabled})


@require_http_methods(["GET", "POST"])
@administrators_only
@never_cache
def delete(request: HttpRequest, camera_id: int) -> HttpResponse:
    """Ask whether to delete a camera, saying what goes with it; then delete it."""
    camera = get_camera(request.user, camera_id, "delete")
    if request.method == "GET":
        context = {"camera": camera, "goes": what_goes_with(camera)}
        return render(request, "cameras/_delete.html", context)
    delete_camera(actor=request.user, camera=camera)
    messages.success(request, f"“{camera.name}” is deleted.")
    return redirect("cameras:list")
