"""Live events over REST: listed, looked at, their pictures."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.negotiation import AnyNegotiation
from common.api.pagination import CursorPages
from common.api.schema import errors
from common.media import serve_file
from video_analysis.live.api.serializers import LiveEventSerializer
from video_analysis.live.filters import parse_event_filters
from video_analysis.live.presenting import event_facts
from video_analysis.live.selectors import NEWEST_FIRST, get_event, list_events
from video_analysis.models import CameraEvent

FILTERS = [
    OpenApiParameter("camera", description="Number or name of a camera."),
    OpenApiParameter("label", description="Class of the object, e.g. person."),
    OpenApiParameter("zone", description="Number or name of a zone."),
    OpenApiParameter("line", description="Number or name of a counting line."),
    OpenApiParameter("kind", enum=CameraEvent.Kind.values, description="What happened."),
    OpenApiParameter("direction", description="Name of a direction of a line."),
    OpenApiParameter("after", description="Began then or later: ISO 8601, or seconds since 1970."),
    OpenApiParameter("before", description="Began before: ISO 8601, or seconds since 1970."),
    OpenApiParameter(
        "since",
        OpenApiTypes.INT,
        description="Changed after this sequence number; the latest change comes first.",
    ),
    OpenApiParameter("ongoing", OpenApiTypes.BOOL, description="Only what goes on, or has ended."),
]


class NewestEvents(CursorPages):
    """Cursor pages, newest first; with ``since`` the latest change first."""

    ordering = NEWEST_FIRST
    page_size = 50
    max_page_size = 500

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        """The order that the list comes in."""
        return tuple(queryset.query.order_by)


class EventListView(GenericAPIView[CameraEvent]):
    """What happened before the cameras."""

    queryset = CameraEvent.objects.none()
    serializer_class = LiveEventSerializer
    pagination_class = NewestEvents
    filter_backends: list[Any] = []

    @extend_schema(
        operation_id="events_list",
        summary="List events of live cameras",
        description="Who entered, left, stayed, crossed a line, how many there were; newest first.",
        tags=["live"],
        parameters=FILTERS,
        responses={200: LiveEventSerializer(many=True), **errors(400, 401, 404, 429)},
    )
    def get(self, request: Request) -> Response:
        """One page."""
        filters = parse_event_filters(request.query_params, strict=True)
        page = self.paginate_queryset(list_events(request.user, filters)) or []
        return self.get_paginated_response([event_facts(event) for event in page])


class EventView(APIView):
    """One event."""

    @extend_schema(
        operation_id="events_retrieve",
        summary="Look at an event",
        tags=["live"],
        responses={200: LiveEventSerializer, **errors(401, 404, 429)},
    )
    def get(self, request: Request, pk: Any) -> Response:
        """The event as it is now."""
        return Response(event_facts(get_event(request.user, pk)))


class EventSnapshotView(APIView):
    """The picture of one event."""

    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="events_snapshot",
        summary="Download the picture of a live event",
        tags=["live"],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 404, 429)},
    )
    def get(self, request: Request, pk: Any) -> HttpResponseBase:
        """A JPEG; Range is honoured."""
        event = get_event(request.user, pk)
        if not event.picture:
            raise Http404("There is no picture of it.")
        return serve_file(
            request, file=event.picture, media_type="image/jpeg", filename=f"event-{event.pk}.jpg"
        )
