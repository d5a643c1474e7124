"""The pages. A view reads through selectors, acts through services, and renders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST, require_safe

from common.accounts.groups import groups_to_share_with
from common.accounts.roles import require_may_create
from common.api.errors import MESSAGES, error_json
from common.audit.looks import note_exported, note_viewed
from common.errors import ServiceError
from common.media import serve_file
from common.pages import wants_json
from common.uploads.errors import PictureRemoved, UploadRejected
from common.uploads.services import require_picture
from detector.analytics.selectors import models_seen
from detector.display import shown_picture
from detector.errors import DetectorError
from detector.filters import parse_filters
from detector.forms import new_preset, options_config, read_group, read_options, session_preset
from detector.kinds import page_of
from detector.models import DetectionSession
from detector.paging import LimitedPaginator
from detector.selectors import (
    get_session,
    home_totals,
    list_sessions,
    session_overlay,
)
from detector.services.examples import create_example_session
from detector.services.exports import EXPORTS, export_session, file_response
from detector.services.sessions import (
    cancel_session,
    delete_session,
    delete_sessions,
    gone,
    queue_picture,
    refuse_video,
    rename_session,
    rerun_session,
    retry_session,
)
from detector.services.sharing import (
    share_session,
    share_sessions,
)
from vision.weights.cards import COCO_CLASSES

View = Callable[..., HttpResponseBase]

RECENT = 12
PAGE_SIZE = 24
STEPS = ("decode", "preprocess", "queue", "inference", "postprocess", "total")


def page_view(view: View) -> View:
    """Only for people who are signed in; a script is told so instead of being sent to a form.

    What the services refuse becomes the error shape for scripts, and a message for people.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated and wants_json(request):
            return error_json("not_authenticated", MESSAGES["not_authenticated"], status=401)
        try:
            response = login_required(view)(request, *args, **kwargs)
        except PermissionDenied:
            if not wants_json(request):
                raise
            message = MESSAGES["permission_denied"]
            response = error_json("permission_denied", message, status=403)
        except (ServiceError, UploadRejected) as error:
            response = _refusal(request, error)
        patch_vary_headers(response, ["Accept", "HX-Request"])
        return response

    return inner


def _refusal(request: HttpRequest, error: ServiceError | UploadRejected) -> HttpResponse:
    # What an <img> or a download asked for is not led to a page.
    if wants_json(request) or isinstance(error, PictureRemoved):
        fields = getattr(error, "fields", {})
        return error_json(error.code, str(error), status=error.status, fields=fields)
    if error.status == 403:
        return render(request, "403.html", {"sentence": str(error)}, status=403)
    messages.error(request, str(error))
    session_id = request.resolver_match.kwargs.get("session_id") if request.resolver_match else None
    if session_id and error.status != 404:
        return redirect("detector:session", session_id)
    return redirect("detector:sessions" if session_id else "detector:home")


@require_safe
@page_view
def home(request: HttpRequest) -> HttpResponse:
    """Totals, the uploader and the newest sessions."""
    context = {
        "totals": home_totals(request.user),
        "recent": list_sessions(request.user)[:RECENT],
        "options_config": options_config(),
        "options_preset": new_preset(),
        "example_button": True,
    }
    return render(request, "detector/home.html", context)


@require_safe
@page_view
def upload(request: HttpRequest) -> HttpResponse:
    """The uploader alone, with its options open."""
    require_may_create(request.user)
    context = {
        "options_config": options_config(),
        "options_preset": new_preset(),
        "options_open": True,
    }
    return render(request, "detector/upload.html", context)


@require_POST
@page_view
def create(request: HttpRequest) -> HttpResponse:
    """Take one picture and queue its session: 201 with its address, or the reason why not."""
    require_may_create(request.user)
    file = request.FILES.get("image")
    if file is None:
        message = "Send a picture as multipart field image."
        raise DetectorError("missing_image", message, fields={"image": message})
    options = read_options(request.POST)
    made = queue_picture(
        owner=request.user, data=file.read(), file_name=file.name or "", options=options
    )
    if not wants_json(request):
        return redirect("detector:session", made.pk)
    answer = {
        "id": str(made.pk),
        "url": reverse("detector:session", args=[made.pk]),
        "status": made.status,
        "name": made.name,
        "thumbnail": reverse("detector:thumbnail", args=[made.pk]),
        "cancel": reverse("detector:cancel", args=[made.pk]),
        "retry": reverse("detector:retry", args=[made.pk]),
    }
    return JsonResponse(answer, status=201)


@require_POST
@page_view
def example(request: HttpRequest) -> HttpResponse:
    """Make a session of the picture that comes with the installation."""
    require_may_create(request.user)
    return redirect("detector:session", create_example_session(owner=request.user).pk)


@require_GET
@page_view
def sessions(request: HttpRequest) -> HttpResponse:
    """The list: searched, filtered, in pages; htmx gets the list alone."""
    filters = parse_filters(request.GET)
    page = LimitedPaginator(list_sessions(request.user, filters), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {"page": page, "is_filtered": filters.is_active}
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        return render(request, "detector/_session_list.html", context)
    context |= {
        "query": request.GET,
        "filters": filters,
        # On a phone they are folded away, except when one of them explains what is missing.
        "filters_open": replace(filters, q="").is_active,
        "kind_choices": DetectionSession.Kind.choices,
        "status_choices": DetectionSession.Status.choices,
        "class_choices": sorted(COCO_CLASSES),
        "model_choices": models_seen(request.user),
        "group_choices": groups_to_share_with(request.user),
    }
    return render(request, "detector/sessions.html", context)


@require_GET
@page_view
def session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The result page, whatever state the session is in; other kinds have pages of their own."""
    shown = get_session(request.user, session_id)
    if shown.kind not in DetectionSession.PICTURES:
        return redirect(page_of(shown))
    context = {
        "session": shown,
        "overlay": session_overlay(shown) if shown.status == "done" else None,
        "floor_percent": min(round(shown.confidence * 100), 98),
        "timings": [
            (name.capitalize(), shown.timings_ms[name])
            for name in STEPS
            if name in shown.timings_ms
        ],
        "shared_upload": shown.upload.sessions.exclude(pk=shown.pk).exists(),
        "options_config": options_config(),
        "options_preset": session_preset(shown),
        "group_choices": groups_to_share_with(request.user),
    }
    return render(request, "detector/session.html", context)


@require_GET
@page_view
def card(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """One card of the list, asked for when its job has finished."""
    context = {
        "session": get_session(request.user, session_id),
        "selectable": "selectable" in request.GET,
    }
    return render(request, "detector/_session_card.html", context)


@require_safe
@page_view
def picture(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    """The picture: as it came where browsers can show it, otherwise (or turned) as a JPEG."""
    session = get_session(request.user, session_id)
    refuse_video(session)
    shown = require_picture(session.upload)
    download = "download" in request.GET
    if download:
        note_exported(obj=session, user=request.user, form="picture")
    else:
        note_viewed(obj=session, user=request.user)
        converted = shown_picture(request, upload=shown)
        if converted is not None:
            return converted
    return serve_file(
        request,
        file=shown.file,
        media_type=shown.media_type,
        filename=shown.name,
        download=download,
    )


@require_safe
@page_view
def thumbnail(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    """A small JPEG of the picture."""
    shown = require_picture(get_session(request.user, session_id).upload)
    return serve_file(
        request, file=shown.thumbnail, media_type="image/jpeg", filename="thumbnail.jpg"
    )


@require_safe
@page_view
def export(request: HttpRequest, session_id: UUID, form: str) -> HttpResponseBase:
    """The result as a file."""
    if form not in EXPORTS:
        raise Http404
    session = get_session(request.user, session_id)
    refuse_video(session)
    file = export_session(session=session, form=form)
    note_exported(obj=session, user=request.user, form=form)
    return file_response(file)


@require_POST
@page_view
def rename(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Give the session another name."""
    renamed = rename_session(
        session=get_session(request.user, session_id, "change"), name=request.POST.get("name", "")
    )
    return _done(request, renamed, {"id": str(renamed.pk), "name": renamed.name})


@require_POST
@page_view
def delete(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Delete the session; its picture goes with the last session on it."""
    doomed = get_session(request.user, session_id, "delete")
    if not delete_session(session=doomed, user=request.user):
        raise gone()
    if wants_json(request):
        return HttpResponse(status=204)
    messages.success(request, f"“{doomed.name}” is deleted.")
    return redirect("detector:sessions")


@require_POST
@page_view
def delete_many(request: HttpRequest) -> HttpResponse:
    """Delete the selected sessions, as far as they are the user's."""
    count = delete_sessions(user=request.user, ids=_uuids(request.POST.getlist("id")))
    messages.success(request, f"{count} session{'' if count == 1 else 's'} deleted.")
    return redirect("detector:sessions")


@require_POST
@page_view
def share(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Share the session with a group, or with nobody any more."""
    shared = share_session(
        session=get_session(request.user, session_id, "share"),
        group=read_group(request.POST),
        user=request.user,
    )
    group = shared.shared_with
    message = f"Shared with {group.name}." if group else "Only you can see it now."
    if not wants_json(request):
        messages.success(request, message)
    return _done(request, shared, {"id": str(shared.pk), "message": message})


@require_POST
@page_view
def share_many(request: HttpRequest) -> HttpResponse:
    """Share the selected sessions, as far as they are the user's."""
    require_may_create(request.user)
    group = read_group(request.POST)
    count = share_sessions(ids=_uuids(request.POST.getlist("id")), group=group, user=request.user)
    how = "made private" if group is None else "shared"
    messages.success(request, f"{count} session{'' if count == 1 else 's'} {how}.")
    return redirect("detector:sessions")


@require_POST
@page_view
def rerun(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Run other options over the same picture, as a new session."""
    before = get_session(request.user, session_id, "change")
    options = read_options(request.POST, iou=before.iou)
    again = rerun_session(session=before, owner=request.user, options=options)
    return redirect("detector:session", again.pk)


@require_POST
@page_view
def cancel(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Stop the session's job."""
    return _done(request, cancel_session(session=get_session(request.user, session_id, "change")))


@require_POST
@page_view
def retry(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Run a failed or cancelled session again."""
    return _done(request, retry_session(session=get_session(request.user, session_id, "change")))


def _done(
    request: HttpRequest, changed: DetectionSession, answer: dict[str, Any] | None = None
) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(answer or {"id": str(changed.pk), "status": changed.status})
    return HttpResponseRedirect(reverse("detector:session", args=[changed.pk]))


def _uuids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
