"""Tracks of a video: listed, looked at, their trajectories and best pictures."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.negotiation import AnyNegotiation
from common.api.pagination import CursorPages
from common.api.schema import errors
from common.audit.looks import note_exported, note_viewed
from detector.errors import OptionsError
from detector.models import DetectionSession
from video_analysis.api.base import VideoPart
from video_analysis.api.serializers import TrackSerializer, TrajectorySerializer
from video_analysis.models import Track
from video_analysis.selectors import get_track, get_trajectory, list_tracks
from video_analysis.services.facts import track_facts
from video_analysis.services.snapshots import snapshot_response
from video_analysis.services.streams import ExportStream
from video_analysis.services.trajectory_exports import TRAJECTORY_EXPORTS, export_trajectory


class NumberPagination(CursorPages):
    """By number, in the order of the video."""

    page_size = 100
    max_page_size = 1000
    ordering = "number"


class TrackListView(VideoPart, GenericAPIView[Track]):
    """All tracks of a video."""

    queryset = Track.objects.none()
    serializer_class = TrackSerializer
    pagination_class = NumberPagination
    filter_backends: list[Any] = []

    @extend_schema(
        operation_id="videos_tracks_list",
        summary="List the tracks of a video",
        tags=["videos"],
        parameters=[
            OpenApiParameter("class", description="Only tracks of this class."),
            OpenApiParameter(
                "min_seconds", OpenApiTypes.DOUBLE, description="Only tracks that last so long."
            ),
        ],
        responses={200: TrackSerializer(many=True), **errors(400, 401, 404, 429)},
    )
    def get(self, request: Request, pk: Any) -> Response:
        """Tracks by number."""
        session = self.video(request, pk)
        rows = _narrow(list_tracks(session.video), request)
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([track_json(track, session) for track in page])


class TrackView(VideoPart):
    """One track of a video."""

    @extend_schema(
        operation_id="videos_tracks_retrieve",
        summary="Look at a track",
        tags=["videos"],
        responses={200: TrackSerializer, **errors(401, 404, 429)},
    )
    def get(self, request: Request, pk: Any, number: int) -> Response:
        """The track and its figures."""
        session = self.video(request, pk)
        return Response(track_json(get_track(session.video, number), session))


class TrajectoryView(VideoPart):
    """The way of one track."""

    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="videos_tracks_trajectory",
        summary="Download a trajectory",
        tags=["videos"],
        parameters=[
            OpenApiParameter(
                "format",
                enum=list(TRAJECTORY_EXPORTS),
                default="json",
                description="json, csv (one row per point) or mot (lines of the MOTChallenge).",
            )
        ],
        responses={
            (200, "application/json"): TrajectorySerializer,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "text/plain"): OpenApiTypes.STR,
            **errors(400, 401, 404, 429),
        },
    )
    def get(self, request: Request, pk: Any, number: int) -> HttpResponseBase:
        """Where it was, and when."""
        form = request.query_params.get("format") or "json"
        session = self.video(request, pk)
        track = get_track(session.video, number)
        export = export_trajectory(session, track, get_trajectory(track), form)
        note_exported(obj=session, user=request.user, form=f"trajectory, {form}")
        return ExportStream(export)


class TrackSnapshotView(VideoPart):
    """The best look of one track."""

    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="videos_tracks_snapshot",
        summary="Download the best picture of a track",
        tags=["videos"],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 404, 410, 429)},
    )
    def get(self, request: Request, pk: Any, number: int) -> HttpResponseBase:
        """A JPEG."""
        session = self.video(request, pk)
        track = get_track(session.video, number)
        note_viewed(obj=session, user=request.user)
        return snapshot_response(request, session, track)


def track_json(track: Track, session: DetectionSession) -> dict[str, Any]:
    """One track in the shape of the API."""
    at = [session.pk, track.number]
    snapshot = track.snapshot_offset is not None and session.video.snapshots_id is not None
    return {
        **track_facts(track, session.video),
        "trajectory": reverse("videos-api:trajectory", args=at),
        "snapshot": reverse("videos-api:track-snapshot", args=at) if snapshot else None,
    }


def _narrow(rows: QuerySet[Track], request: Request) -> QuerySet[Track]:
    name = request.query_params.get("class")
    if name:
        rows = rows.filter(class_name=name.replace("\x00", ""))
    least = request.query_params.get("min_seconds")
    if least:
        rows = rows.filter(end__gte=F("start") + _seconds("min_seconds", least))
    return rows


def _seconds(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1e9:
        raise OptionsError({name: f"{name} must be a number of seconds, 0 or more."})
    return number
