"""The page on which somebody has something painted, and its fast preview."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    QueryDict,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.filters import plain_text
from common.inference import StyleQuery, paint_fast
from common.uploads.errors import UploadRejected
from styletransfer.errors import InvalidError, StyleError
from styletransfer.forms import read_uuid
from styletransfer.models import Restyling, Style
from styletransfer.page_access import by_script, makers_page
from styletransfer.presenting import (
    form_limits,
    has_example,
    networks,
    new_preset,
    offered,
    preset_of,
)
from styletransfer.selectors import find_style, get_restyling, get_style
from styletransfer.services.examples import restyle_example
from styletransfer.services.options import RestyleOptions, parse_options
from styletransfer.services.restylings import repeat_restyling, restyle_picture, restyle_video
from styletransfer.services.styles import style_on_trial
from vision.sources.examples import find_example

MIB = 1024 * 1024
PREVIEW_SIDE = 320
PREVIEW_BYTES = 2 * MIB  # a reduced picture has a few hundred kilobytes


@require_http_methods(["GET", "HEAD", "POST"])
@makers_page
def create(request: HttpRequest) -> HttpResponse:
    """The form; sent, it answers 201 with the address of what is being painted.

    htmx gets the styles alone that a search has found.
    """
    if request.method == "POST":
        return _answer(request, _paint(request))
    again = _again(request.user, request.GET)
    before = str(again.style_id) if again else ""
    chosen = _seen_style(request.user, request.GET.get("style", before))
    query = plain_text(request.GET.get("q", ""), 100)
    context = offered(request.user, query=query, chosen=chosen)
    if request.headers.get("HX-Request"):
        return render(request, "styles/_style_choices.html", context)
    context |= {
        "again": again,
        "session_id": read_uuid(request.GET.get("session", "")),
        "preset": _preset(again, request.GET),
        "limits": form_limits(),
        "networks": networks(),
        "has_example": has_example(),
    }
    return render(request, "styles/create.html", context)


@require_safe
@makers_page
def example(request: HttpRequest) -> HttpResponse:
    """The picture for who has none at hand."""
    path = find_example()
    if path is None:
        raise Http404("The example picture is not installed.")
    response = HttpResponse(path.read_bytes(), content_type="image/jpeg")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response


@require_POST
@makers_page
def preview(request: HttpRequest) -> HttpResponse:
    """What a fast style makes of a picture that the browser has reduced; nothing is kept."""
    style = find_style(request.user, request.POST.get("style", ""))
    if not style.is_fast:
        raise InvalidError({"style": "Only fast styles can be tried out."}, "no_preview")
    file = request.FILES.get("image")
    if file is None:
        raise _missing_picture()
    painted = paint_fast(
        _read(file, most=PREVIEW_BYTES),
        StyleQuery(style.network, PREVIEW_SIDE, keep_colours=_ticked(request, "keep_colours")),
    )
    response = HttpResponse(painted.jpeg, content_type="image/jpeg")
    response["X-Worked-Ms"] = f"{painted.worked_ms:.0f}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _paint(request: HttpRequest) -> Restyling:
    """Have painted what the form asks for; a style that came with it goes if that is refused."""
    file = request.FILES.get("style_image")
    if file is None:
        if not request.POST.get("style"):
            raise InvalidError({"style": "Choose a style."}, "missing_style")
        style = find_style(request.user, request.POST["style"])
        return _restyle(request, style, _options(request, style))
    parse_options(request.POST, is_fast=False)
    with ExitStack() as stack:
        with _refused_as("style_image"):
            trial = style_on_trial(owner=request.user, data=_read(file), file_name=file.name or "")
            style = stack.enter_context(trial)
        return _restyle(request, style, _options(request, style))


def _options(request: HttpRequest, style: Style) -> RestyleOptions:
    wishes = request.POST.dict()
    if style.is_fast and _ticked(request, "full_size"):
        wishes.pop("size", None)
    return parse_options(wishes, is_fast=style.is_fast)


def _restyle(request: HttpRequest, style: Style, options: RestyleOptions) -> Restyling:
    wanted: dict[str, Any] = {"owner": request.user, "style": style, "options": options}
    video, picture = request.FILES.get("video"), request.FILES.get("image")
    if video is not None:
        with _refused_as("image"):
            return restyle_video(chunks=video.chunks(), file_name=video.name or "", **wanted)
    if picture is not None:
        with _refused_as("image"):
            return restyle_picture(data=_read(picture), file_name=picture.name or "", **wanted)
    if _ticked(request, "example"):
        return restyle_example(**wanted)
    before = read_uuid(request.POST.get("again", ""))
    if before is None:
        raise _missing_picture()
    restyling = get_restyling(request.user, before, "change")
    return repeat_restyling(restyling=restyling, **wanted)


def _answer(request: HttpRequest, made: Restyling) -> HttpResponse:
    address = reverse("styles:result", args=[made.pk])
    if not by_script(request):
        return redirect(address)
    answer = {"id": str(made.pk), "url": address, "status": made.status, "name": made.name}
    return JsonResponse(answer, status=201)


def _read(file: UploadedFile, *, most: int | None = None) -> bytes:
    """Return the bytes of a picture; judged before they are read, as a video may be far larger."""
    limit = settings.SIGHTLINE_MAX_UPLOAD_BYTES if most is None else most
    size = file.size or 0
    if size > limit:
        raise UploadRejected(
            "file_too_large",
            f"The file has {size / MIB:.3g} MiB; at most {limit / MIB:.3g} MiB are accepted.",
        )
    data: bytes = file.read()
    return data


def _ticked(request: HttpRequest, name: str) -> bool:
    return request.POST.get(name, "").lower() in ("1", "true", "on")


@contextmanager
def _refused_as(field: str) -> Iterator[None]:
    """Say beside which field a refused file is meant."""
    try:
        yield
    except UploadRejected as error:
        raise StyleError(
            error.code, error.message, status=error.status, fields={field: error.message}
        ) from error


def _missing_picture() -> InvalidError:
    return InvalidError({"image": "Choose a picture."}, "missing_image")


def _again(user: Any, query: QueryDict) -> Restyling | None:
    """What is to be painted again, as the address says; None where it cannot be."""
    before = read_uuid(query.get("again", ""))
    if before is None:
        return None
    try:
        restyling = get_restyling(user, before, "change")
    except (Http404, PermissionDenied):
        return None
    return restyling if restyling.upload.removed_at is None else None


def _seen_style(user: Any, text: str) -> Style | None:
    style_id = read_uuid(text)
    if style_id is None:
        return None
    try:
        return get_style(user, style_id)
    except (Http404, PermissionDenied):
        return None


def _preset(again: Restyling | None, query: Mapping[str, str]) -> dict[str, Any]:
    preset = preset_of(again) if again else new_preset()
    size = query.get("size", "")
    if size.isascii() and size.isdigit() and len(size) < 6:
        preset |= {"size": int(size), "full_size": False}
    return preset
