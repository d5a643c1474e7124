"""The pages of videos. A view reads through selectors, acts through services, and renders."""

from __future__ import annotations

from uuid import UUID

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST, require_safe

from common.accounts.groups import groups_to_share_with
from common.accounts.roles import require_may_create
from common.audit.looks import note_exported, note_viewed
from common.media import serve_file
from common.pages import wants_json
from common.previews import read_preview
from detector.errors import DetectorError
from detector.forms import options_config
from detector.models import DetectionSession
from detector.views import page_view
from recognition.services.auditing import note_people_listed
from video_analysis.forms import (
    new_video_preset,
    read_video_options,
    video_choices,
    video_preset,
)
from video_analysis.selectors import get_video, list_sightings
from video_analysis.services.analyses import queue_video, rerun_video
from video_analysis.services.exports import EXPORTS, export_video, stem_of
from video_analysis.services.files import require_derived, require_done
from video_analysis.services.hiding import may_have_original, require_original
from video_analysis.services.presenting import (
    hides_people,
    overlay_window,
    page_data,
    read_span,
    summary_figures,
    tracks_and_events,
)
from video_analysis.services.snapshots import snapshot_response
from video_analysis.services.streams import ExportStream

NO_STORE = "private, no-store"


@require_safe
@page_view
def upload(request: HttpRequest) -> HttpResponse:
    """The uploader of videos with its options."""
    require_may_create(request.user)
    context = {
        "options_config": options_config(),
        "choices": video_choices(),
        "preset": new_video_preset(),
    }
    return render(request, "video_analysis/upload.html", context)


@require_POST
@page_view
def create(request: HttpRequest) -> HttpResponse:
    """Take one video and queue its analysis: 201 with its address, or the reason why not."""
    require_may_create(request.user)
    file = request.FILES.get("video")
    if file is None:
        message = "Send a video as multipart field video."
        raise DetectorError("missing_video", message, fields={"video": message})
    options = read_video_options(request.POST)
    made = queue_video(
        owner=request.user, chunks=file.chunks(), file_name=file.name or "", options=options
    )
    if not wants_json(request):
        return redirect("videos:video", made.pk)
    answer = {
        "id": str(made.pk),
        "url": reverse("videos:video", args=[made.pk]),
        "status": made.status,
        "name": made.name,
        "thumbnail": reverse("detector:thumbnail", args=[made.pk]),
        "cancel": reverse("detector:cancel", args=[made.pk]),
        "retry": reverse("detector:retry", args=[made.pk]),
    }
    return JsonResponse(answer, status=201)


@require_GET
@page_view
def video(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The page of a video: its progress with a live picture, or its result."""
    session = get_video(request.user, session_id)
    done = session.status == DetectionSession.Status.DONE
    sightings = list(list_sightings(request.user, session.video)) if done else []
    if sightings:
        note_people_listed(actor=request.user, count=len(sightings), what="people of a video")
    context = {
        "session": session,
        "video": session.video,
        "page_data": page_data(session),
        "hides_people": hides_people(session.video),
        "may_have_original": may_have_original(session, request.user),
        "sightings": sightings,
        "figures": summary_figures(session.video) if done else [],
        "shared_upload": session.upload.sessions.exclude(pk=session.pk).exists(),
        "options_config": options_config(),
        "choices": video_choices(),
        "preset": video_preset(session),
        "group_choices": groups_to_share_with(request.user),
    }
    return render(request, "video_analysis/video.html", context)


@require_safe
@page_view
def original(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    """The video as it came; players ask for it part by part."""
    session = get_video(request.user, session_id)
    stored = require_original(session, request.user)
    download = "download" in request.GET
    if download:
        note_exported(obj=session, user=request.user, form="original")
    else:
        note_viewed(obj=session, user=request.user)
    return serve_file(
        request,
        file=stored.file,
        media_type=stored.media_type,
        filename=stored.name,
        download=download,
    )


@require_safe
@page_view
def annotated(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    """The video with what was found drawn in it."""
    session = get_video(request.user, session_id)
    derived = require_derived(session, session.video.annotated)
    download = "download" in request.GET
    if download:
        note_exported(obj=session, user=request.user, form="annotated video")
    else:
        note_viewed(obj=session, user=request.user)
    return serve_file(
        request,
        file=derived.file,
        media_type=derived.media_type,
        filename=f"{stem_of(session.name)}-annotated.mp4",
        download=download,
    )


@require_safe
@page_view
def heat(request: HttpRequest, session_id: UUID) -> HttpResponseBase:
    """Where objects have been, as a picture to be laid over the video."""
    session = get_video(request.user, session_id)
    derived = require_derived(session, session.video.heat)
    return serve_file(
        request, file=derived.file, media_type=derived.media_type, filename="heat.png"
    )


@require_GET
@page_view
def preview(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The newest annotated frame of a running analysis; 204 while there is none."""
    session = get_video(request.user, session_id)
    newest = read_preview(str(session.pk))
    if newest is None:
        response = HttpResponse(status=204)
    else:
        note_viewed(obj=session, user=request.user)
        response = HttpResponse(newest.jpeg, content_type="image/jpeg")
        response["X-Frame"] = str(newest.number)
        response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = NO_STORE
    return response


# Packed: positions are long rows of digits, and nothing secret is among them.
@require_GET
@gzip_page
@page_view
def overlay(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Where every track is in some seconds of the video."""
    session = require_done(get_video(request.user, session_id))
    since, until = read_span(request.GET)
    return _kept(JsonResponse(overlay_window(session.video, since, until)))


@require_GET
@gzip_page
@page_view
def tracks(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """All tracks with their figures, and what happened."""
    session = require_done(get_video(request.user, session_id))
    note_viewed(obj=session, user=request.user)
    return _kept(JsonResponse(tracks_and_events(session.video)))


@require_safe
@page_view
def snapshot(request: HttpRequest, session_id: UUID, number: int) -> HttpResponse:
    """The best look at a track."""
    session = get_video(request.user, session_id)
    track = get_object_or_404(session.video.tracks, number=number)
    return snapshot_response(request, session, track)


@require_safe
@page_view
def moment(request: HttpRequest, session_id: UUID, number: int) -> HttpResponse:
    """The picture of an event."""
    session = get_video(request.user, session_id)
    event = get_object_or_404(session.video.events, number=number)
    return snapshot_response(request, session, event)


@require_safe
@page_view
def export(request: HttpRequest, session_id: UUID, form: str) -> HttpResponseBase:
    """The result as a file."""
    if form not in EXPORTS:
        raise Http404
    session = get_video(request.user, session_id)
    file = export_video(session, form)
    note_exported(obj=session, user=request.user, form=form)
    return ExportStream(file)


@require_POST
@page_view
def rerun(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Analyse the same video with other options, as a new session."""
    before = get_video(request.user, session_id, "change")
    options = read_video_options(request.POST, iou=before.iou)
    again = rerun_video(session=before, owner=request.user, options=options)
    return redirect("videos:video", again.pk)


def _kept(response: JsonResponse) -> JsonResponse:
    # What was found never changes; who may see it does.
    response["Cache-Control"] = "private, no-cache"
    return response
