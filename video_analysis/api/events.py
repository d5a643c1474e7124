"""What happened in a video: motion, activities, and their pictures."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.negotiation import AnyNegotiation
from common.api.schema import errors
from common.audit.looks import note_viewed
from common.filters import plain_text
from detector.models import DetectionSession
from video_analysis.api.base import VideoPart
from video_analysis.api.serializers import ActivitySerializer, MotionSerializer
from video_analysis.api.tracks import NumberPagination
from video_analysis.models import Event
from video_analysis.selectors import list_events
from video_analysis.services.facts import event_facts
from video_analysis.services.snapshots import snapshot_response


class _EventListView(VideoPart, GenericAPIView[Event]):
    queryset = Event.objects.none()
    pagination_class = NumberPagination
    filter_backends: list[Any] = []

    def page(self, session: DetectionSession, rows: QuerySet[Event]) -> Response:
        """One page of events in the shape of the API."""
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([event_json(event, session) for event in page])


class MotionListView(_EventListView):
    """When something moved."""

    serializer_class = MotionSerializer

    @extend_schema(
        operation_id="videos_motion_list",
        summary="List the motion in a video",
        tags=["videos"],
        responses={200: MotionSerializer(many=True), **errors(401, 404, 429)},
    )
    def get(self, request: Request, pk: Any) -> Response:
        """Motion in the order of the video."""
        session = self.video(request, pk)
        return self.page(session, list_events(session.video, Event.Kind.MOTION))


class ActivityListView(_EventListView):
    """What people did."""

    serializer_class = ActivitySerializer

    @extend_schema(
        operation_id="videos_activities_list",
        summary="List the activities in a video",
        description="What somebody did (kind activity), and what people did together (group).",
        tags=["videos"],
        parameters=[OpenApiParameter("label", description="Only these, e.g. walking or meeting.")],
        responses={200: ActivitySerializer(many=True), **errors(401, 404, 429)},
    )
    def get(self, request: Request, pk: Any) -> Response:
        """Activities in the order of the video."""
        session = self.video(request, pk)
        rows = list_events(session.video, Event.Kind.ACTIVITY, Event.Kind.GROUP)
        label = plain_text(request.query_params.get("label", ""), 64)
        return self.page(session, rows.filter(label=label) if label else rows)


class EventSnapshotView(VideoPart):
    """The picture of one event."""

    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="videos_events_snapshot",
        summary="Download the picture of an event",
        tags=["videos"],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 404, 410, 429)},
    )
    def get(self, request: Request, pk: Any, number: int) -> HttpResponseBase:
        """A JPEG."""
        session = self.video(request, pk)
        event = get_object_or_404(session.video.events, number=number)
        note_viewed(obj=session, user=request.user)
        return snapshot_response(request, session, event)


def event_json(event: Event, session: DetectionSession) -> dict[str, Any]:
    """One event in the shape of the API."""
    facts = event_facts(event)
    if event.kind == Event.Kind.MOTION:
        there = event.snapshot_offset is not None and session.video.snapshots_id is not None
        address = reverse("videos-api:event-snapshot", args=[session.pk, event.number])
        facts["snapshot"] = address if there else None
    return facts
