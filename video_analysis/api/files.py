"""The files of a video: as it came, annotated, small pictures of it, exports."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.negotiation import AnyNegotiation
from common.api.schema import errors
from common.audit.looks import note_exported, note_viewed
from common.media import serve_file
from common.previews import read_preview
from common.uploads.services import require_picture
from video_analysis.api.base import VideoPart
from video_analysis.api.serializers import OverlaySerializer
from video_analysis.services.exports import EXPORTS, export_video, stem_of
from video_analysis.services.files import require_derived, require_done
from video_analysis.services.hiding import require_original
from video_analysis.services.presenting import MOST_SECONDS, overlay_window, read_span
from video_analysis.services.streams import ExportStream


class _FileView(VideoPart):
    content_negotiation_class = AnyNegotiation


class OriginalView(_FileView):
    """The video as it came."""

    @extend_schema(
        operation_id="videos_original",
        summary="Download the video as it was uploaded",
        tags=["videos"],
        responses={(200, "video/*"): OpenApiTypes.BINARY, **errors(401, 403, 404, 410, 429)},
    )
    def get(self, request: Request, pk: Any) -> HttpResponseBase:
        """The file, or the part that a Range header asks for."""
        session = self.video(request, pk)
        upload = require_original(session, request.user)
        note_viewed(obj=session, user=request.user)
        return serve_file(
            request, file=upload.file, media_type=upload.media_type, filename=upload.name
        )


class ThumbnailView(_FileView):
    """A small picture of the video."""

    @extend_schema(
        operation_id="videos_thumbnail",
        summary="Download the thumbnail of a video",
        tags=["videos"],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 404, 410, 429)},
    )
    def get(self, request: Request, pk: Any) -> HttpResponseBase:
        """A small JPEG of its first picture."""
        upload = require_picture(self.video(request, pk).upload)
        return serve_file(
            request, file=upload.thumbnail, media_type="image/jpeg", filename="thumbnail.jpg"
        )


class AnnotatedView(_FileView):
    """The video with what was found drawn in."""

    @extend_schema(
        operation_id="videos_annotated",
        summary="Download the annotated video",
        description="H.264 in MP4 that plays while it loads; Range is honoured.",
        tags=["videos"],
        responses={(200, "video/mp4"): OpenApiTypes.BINARY, **errors(401, 404, 409, 410, 429)},
    )
    def get(self, request: Request, pk: Any) -> HttpResponseBase:
        """The file, or the part that a Range header asks for."""
        session = self.video(request, pk)
        derived = require_derived(session, session.video.annotated)
        note_viewed(obj=session, user=request.user)
        return serve_file(
            request,
            file=derived.file,
            media_type=derived.media_type,
            filename=f"{stem_of(session.name)}-annotated.mp4",
        )


class HeatView(_FileView):
    """Where objects have been."""

    @extend_schema(
        operation_id="videos_heat",
        summary="Download the heat map of a video",
        description="A PNG with transparency, to be laid over the video.",
        tags=["videos"],
        responses={(200, "image/png"): OpenApiTypes.BINARY, **errors(401, 404, 409, 410, 429)},
    )
    def get(self, request: Request, pk: Any) -> HttpResponseBase:
        """A PNG."""
        session = self.video(request, pk)
        derived = require_derived(session, session.video.heat)
        return serve_file(
            request, file=derived.file, media_type=derived.media_type, filename="heat.png"
        )


class PreviewView(_FileView):
    """The newest annotated frame of work in progress."""

    @extend_schema(
        operation_id="videos_preview",
        summary="Look at the work on a video",
        description="The newest annotated frame, its number in X-Frame; 204 while there is none. "
        "Frames are made while somebody asks for them.",
        tags=["videos"],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, 204: None, **errors(401, 404, 429)},
    )
    def get(self, request: Request, pk: Any) -> HttpResponseBase:
        """A JPEG, or nothing."""
        session = self.video(request, pk)
        newest = read_preview(str(session.pk))
        if newest is None:
            response = HttpResponse(status=204)
        else:
            note_viewed(obj=session, user=request.user)
            response = HttpResponse(newest.jpeg, content_type="image/jpeg")
            response["X-Frame"] = str(newest.number)
            response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response


class OverlayView(VideoPart):
    """What is to be drawn over a part of the video."""

    @extend_schema(
        operation_id="videos_overlay",
        summary="Read all tracks in a span of time",
        tags=["videos"],
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DOUBLE, required=True, description="Seconds."),
            OpenApiParameter(
                "to",
                OpenApiTypes.DOUBLE,
                required=True,
                description=f"Seconds; at most {MOST_SECONDS:.0f} after from.",
            ),
        ],
        responses={200: OverlaySerializer, **errors(400, 401, 404, 409, 429)},
    )
    def get(self, request: Request, pk: Any) -> Response:
        """The points of every track from one second to another."""
        session = self.video(request, pk)
        require_done(session)
        since, until = read_span(request.query_params)
        return Response(overlay_window(session.video, since, until))


class ExportView(_FileView):
    """The result as a file."""

    @extend_schema(
        operation_id="videos_export",
        summary="Download the result of a video",
        tags=["videos"],
        parameters=[
            OpenApiParameter(
                "format",
                enum=list(EXPORTS),
                default="json",
                description="json (a log of every frame that shows something), csv (one row per "
                "point), mot (MOTChallenge) or statistics (totals, tracks and events as JSON).",
            )
        ],
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "text/plain"): OpenApiTypes.STR,
            **errors(400, 401, 404, 409, 429),
        },
    )
    def get(self, request: Request, pk: Any) -> HttpResponseBase:
        """The file, written while it is sent."""
        form = request.query_params.get("format") or "json"
        session = self.video(request, pk)
        export = export_video(session, form)
        note_exported(obj=session, user=request.user, form=form)
        return ExportStream(export)
