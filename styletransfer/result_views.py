"""The page of a painting, while it waits, is painted and is done, and what can be done with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from common.accounts.groups import groups_to_share_with
from common.audit.looks import note_exported, note_viewed
from common.media import keep_private, serve_file
from common.models import Upload
from common.permissions import can
from common.uploads.services import decoded_picture, read_upload, require_picture
from styletransfer.errors import InvalidError, gone
from styletransfer.models import Restyling
from styletransfer.page_access import by_script, styles_page
from styletransfer.presenting import (
    facts_of,
    frames_per_second,
    may_paint_again,
    painted_by,
    remedy_of,
    state_of,
)
from styletransfer.selectors import get_restyling
from styletransfer.services.deleting import delete_restyling
from styletransfer.services.restylings import cancel_restyling, rename_restyling, retry_restyling
from styletransfer.services.sharing import share_restyling
from styletransfer.services.stored import preview_of, require_result, result_name
from vision.encoding.images import encode_jpeg
from vision.errors import PictureError
from vision.style.framing import reduce_picture

# What browsers show as the painter sees it: no animations, and no formats that few know.
SHOWN_AS_IT_IS = {"image/jpeg", "image/png", "image/webp", "image/bmp", "image/avif"}
LARGEST_SHOWN = 2048
NO_STORE = "private, no-store"


@require_GET
@styles_page
@never_cache
def result(request: HttpRequest, restyling_id: UUID) -> HttpResponse:
    """The page, whatever state the painting is in."""
    shown = get_restyling(request.user, restyling_id)
    context = {
        "restyling": shown,
        "state": state_of(shown),
        "may_see_style": shown.style is not None and can(request.user, "view", shown.style),
        "is_video": shown.kind == Restyling.Kind.VIDEO,
        "is_removed": shown.upload.removed_at is not None,
        "is_random": shown.model == "random-vgg19",
        "painted_by": painted_by(shown),
        "facts": facts_of(shown),
        "remedy": remedy_of(shown),
        "frames_per_second": frames_per_second(shown),
        "may_paint_again": may_paint_again(shown, request.user),
        "shared_upload": shown.upload.restylings.exclude(pk=shown.pk).exists(),
        "group_choices": groups_to_share_with(request.user),
    }
    return render(request, "styles/result.html", context)


@require_GET
@styles_page
@never_cache
def state(request: HttpRequest, restyling_id: UUID) -> HttpResponse:
    """How far it is, for a page that has heard nothing for a while."""
    return JsonResponse(state_of(get_restyling(request.user, restyling_id)))


@require_safe
@styles_page
def result_picture(request: HttpRequest, restyling_id: UUID) -> HttpResponseBase:
    """The painted picture or video."""
    restyling = get_restyling(request.user, restyling_id)
    derived = require_result(restyling)
    download = "download" in request.GET
    if download:
        note_exported(obj=restyling, user=request.user, form="painting")
    else:
        note_viewed(obj=restyling, user=request.user)
    return serve_file(
        request,
        file=derived.file,
        media_type=derived.media_type,
        filename=result_name(restyling),
        download=download,
    )


@require_safe
@styles_page
def before(request: HttpRequest, restyling_id: UUID) -> HttpResponseBase:
    """The file as it came; a picture that browsers do not show as it is, as a JPEG."""
    restyling = get_restyling(request.user, restyling_id)
    upload = require_picture(restyling.upload)
    download = "download" in request.GET
    if download:
        note_exported(obj=restyling, user=request.user, form="original")
    else:
        note_viewed(obj=restyling, user=request.user)
        converted = _converted(request, restyling, upload)
        if converted is not None:
            return converted
    return serve_file(
        request,
        file=upload.file,
        media_type=upload.media_type,
        filename=upload.name,
        download=download,
    )


def _converted(request: HttpRequest, restyling: Restyling, upload: Upload) -> HttpResponse | None:
    """A JPEG where the file itself will not do; None also when it cannot be read."""
    if restyling.kind == Restyling.Kind.VIDEO or upload.media_type in SHOWN_AS_IT_IS:
        return None
    etag = f'"{upload.sha256[:32]}-before"'
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        try:
            with decoded_picture(read_upload(upload=upload)) as image:
                content = encode_jpeg(reduce_picture(image, LARGEST_SHOWN))
        except (PictureError, OSError):
            return None
        response = HttpResponse(content, content_type="image/jpeg")
    keep_private(response, etag)
    return response


@require_safe
@styles_page
def result_thumbnail(request: HttpRequest, restyling_id: UUID) -> HttpResponseBase:
    """A small JPEG of the result; of the file as it came with ?before, or when there is none."""
    restyling = get_restyling(request.user, restyling_id)
    small = None if "before" in request.GET else restyling.thumbnail
    file = small.file if small is not None else require_picture(restyling.upload).thumbnail
    return serve_file(request, file=file, media_type="image/jpeg", filename="thumbnail.jpg")


@require_GET
@styles_page
def live(request: HttpRequest, restyling_id: UUID) -> HttpResponse:
    """The newest picture of what is being painted; 204 while there is none."""
    restyling = get_restyling(request.user, restyling_id)
    newest = None if restyling.is_finished else preview_of(restyling)
    if newest is None:
        response = HttpResponse(status=204)
    else:
        note_viewed(obj=restyling, user=request.user)
        response = HttpResponse(newest.jpeg, content_type="image/jpeg")
        response["X-Preview"] = str(newest.number)
        response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = NO_STORE
    return response


@require_POST
@styles_page
def result_cancel(request: HttpRequest, restyling_id: UUID) -> HttpResponse:
    """Stop it; the best so far is kept."""
    restyling = get_restyling(request.user, restyling_id, "change")
    cancel_restyling(restyling=restyling)
    return _done(request, restyling)


@require_POST
@styles_page
def result_retry(request: HttpRequest, restyling_id: UUID) -> HttpResponse:
    """Paint it once more from the beginning, with the same options."""
    restyling = get_restyling(request.user, restyling_id, "change")
    retry_restyling(restyling=restyling)
    return _done(request, restyling)


@require_POST
@styles_page
def result_rename(request: HttpRequest, restyling_id: UUID) -> HttpResponse:
    """Give it another name."""
    restyling = get_restyling(request.user, restyling_id, "change")
    renamed = rename_restyling(restyling=restyling, name=request.POST.get("name", ""))
    return _done(request, renamed, name=renamed.name)


@require_POST
@styles_page
def result_share(request: HttpRequest, restyling_id: UUID) -> HttpResponse:
    """Share it with a group, or with nobody any more."""
    restyling = get_restyling(request.user, restyling_id, "share")
    shared = share_restyling(
        restyling=restyling, group=_read_group(request.POST.get("group", "")), user=request.user
    )
    group = shared.shared_with
    message = f"Shared with {group.name}." if group else "Only you can see it now."
    if not by_script(request):
        messages.success(request, message)
    return _done(request, shared, message=message)


@require_POST
@styles_page
def result_delete(request: HttpRequest, restyling_id: UUID) -> HttpResponse:
    """Delete it; the picture goes with the last painting of it."""
    doomed = get_restyling(request.user, restyling_id, "delete")
    if not delete_restyling(restyling=doomed, user=request.user):
        raise gone("painting")
    if by_script(request):
        return HttpResponse(status=204)
    messages.success(request, f"“{doomed.name}” is deleted.")
    return redirect("styles:results")


def _done(request: HttpRequest, restyling: Restyling, **answer: Any) -> HttpResponse:
    if by_script(request):
        return JsonResponse({"id": str(restyling.pk), **answer})
    return redirect(reverse("styles:result", args=[restyling.pk]))


def _read_group(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidError({"group": "Choose a group that you are in."}, "unknown_group")
    return int(text)
