"""Who was recognised in a video."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from common.accounts.roles import require_may_create
from common.api.pagination import CursorPages
from common.api.schema import errors
from recognition.models import Profile
from recognition.services.auditing import note_people_listed
from video_analysis.api.base import VideoPart
from video_analysis.models import Sighting
from video_analysis.selectors import list_sightings


class TrackPagination(CursorPages):
    """By the number of the track."""

    page_size = 100
    max_page_size = 1000
    ordering = "track_number"


class SightedPersonSerializer(serializers.Serializer[Any]):
    """Somebody who is known."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Profile.Kind.choices)
    url = serializers.CharField()


class VideoSightingSerializer(serializers.Serializer[Any]):
    """The decision who a track is."""

    track = serializers.IntegerField(help_text="Number of the track.")
    state = serializers.CharField(help_text="known, or uncertain: it waits for a review.")
    person = SightedPersonSerializer(allow_null=True)
    start = serializers.FloatField(help_text="Seconds of the video.")
    end = serializers.FloatField(help_text="Seconds of the video.")
    faces = serializers.IntegerField(help_text="How many faces the decision is from.")
    confidence = serializers.FloatField(allow_null=True, help_text="0 to 1.")
    distance = serializers.FloatField(allow_null=True)
    runner_up_distance = serializers.FloatField(allow_null=True)


class PeopleListView(VideoPart, GenericAPIView[Sighting]):
    """Who was recognised in a video."""

    queryset = Sighting.objects.none()
    serializer_class = VideoSightingSerializer
    pagination_class = TrackPagination
    filter_backends: list[Any] = []

    @extend_schema(
        operation_id="videos_people_list",
        summary="List the people in a video",
        tags=["videos"],
        responses={200: VideoSightingSerializer(many=True), **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: Any) -> Response:
        """People by the number of their track; for operators and administrators."""
        session = self.video(request, pk)
        require_may_create(request.user)
        rows = list_sightings(request.user, session.video)
        page = self.paginate_queryset(rows) or []
        note_people_listed(actor=request.user, count=len(page), what="people of a video")
        return self.get_paginated_response([sighting_json(row) for row in page])


def sighting_json(row: Sighting) -> dict[str, Any]:
    """One decision in the shape of the API."""
    person = row.profile
    return {
        "track": row.track_number,
        "state": row.state,
        "person": None
        if person is None
        else {
            "id": str(person.pk),
            "name": person.name,
            "kind": person.kind,
            "url": reverse("people:person", args=[person.pk]),
        },
        "start": row.start_seconds,
        "end": row.end_seconds,
        "faces": row.faces,
        "confidence": row.probability,
        "distance": row.distance,
        "runner_up_distance": row.runner_up_distance,
    }
