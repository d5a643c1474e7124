"""Visits over REST: who was here, who is here now, figures per day, and names for visitors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.pagination import CursorPages
from common.api.schema import errors
from recognition.api.base import AuditedList, PeopleView, find_other, read_body
from recognition.api.people import describe
from recognition.api.serializers import PersonSerializer
from recognition.errors import InvalidError
from recognition.services.auditing import note_people_listed, note_person_viewed
from video_analysis.retail.api.serializers import (
    NowSerializer,
    VisitDaysSerializer,
    VisitDetailsSerializer,
    VisitorNameSerializer,
    VisitSerializer,
)
from video_analysis.retail.models import Visit
from video_analysis.retail.selectors import (
    KINDS,
    VisitFilters,
    day_figures,
    get_visit,
    get_visitor,
    here_now,
    read_filters,
    search_visits,
)
from video_analysis.services.recognising.visitors import join_visitor, name_visitor

AREA = OpenApiParameter("area", OpenApiTypes.INT, description="Id of an area.")
FILTERS = [
    AREA,
    OpenApiParameter("person", OpenApiTypes.UUID, description="Id of a person."),
    OpenApiParameter("q", description="Words that the name of the person contains."),
    OpenApiParameter("kind", enum=list(KINDS), description="Visitors are customers."),
    OpenApiParameter("from", description="A day or moment: went on then or later."),
    OpenApiParameter("to", description="A day or moment: began before its end."),
    OpenApiParameter("open", OpenApiTypes.BOOL, description="Whether they go on."),
]


class VisitPages(CursorPages):
    """The newest first."""

    ordering = ("-entry", "-id")
    max_page_size = 200


def filters_of(request: Request) -> VisitFilters:
    """Return the filters of a request.

    Raises:
        InvalidError: With a sentence for each that makes no sense.
    """
    filters, wrong = read_filters(request.query_params)
    if wrong:
        raise InvalidError(wrong)
    return filters


class VisitsView(AuditedList, PeopleView, generics.ListAPIView[Visit]):
    """Visits."""

    serializer_class = VisitSerializer
    pagination_class = VisitPages
    filter_backends = []
    listed = "visits"

    def get_queryset(self) -> QuerySet[Visit]:
        """Narrow as the query says."""
        if getattr(self, "swagger_fake_view", False):
            return Visit.objects.none()
        return search_visits(self.request.user, filters_of(self.request))

    @extend_schema(
        operation_id="visits_list",
        summary="List visits",
        description="Of areas of which one may watch a camera.",
        tags=["visits"],
        parameters=FILTERS,
        responses={200: VisitSerializer(many=True), **errors(400, 401, 403, 404, 429)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One page, the newest first."""
        return super().get(request, *args, **kwargs)


class VisitView(PeopleView):
    """One visit."""

    @extend_schema(
        operation_id="visits_read",
        summary="Look at a visit",
        tags=["visits"],
        responses={200: VisitDetailsSerializer, **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """It, with its moods over time."""
        visit = get_visit(request.user, pk)
        if visit.profile_id is not None:
            note_person_viewed(actor=request.user, profile_id=visit.profile_id, what="visit")
        return Response(VisitDetailsSerializer(visit).data)


class NowView(PeopleView):
    """Who is here now."""

    @extend_schema(
        operation_id="visits_now",
        summary="List who is here now",
        description="By area, of which one may watch a camera and which recognises people.",
        tags=["visits"],
        responses={200: NowSerializer, **errors(401, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        """All areas."""
        areas = [{"area": area, "visits": visits} for area, visits in here_now(request.user)]
        count = sum(len(there["visits"]) for there in areas)
        note_people_listed(actor=request.user, count=count, what="who is here")
        return Response(NowSerializer({"areas": areas}).data)


class DaysView(PeopleView):
    """Figures per day."""

    @extend_schema(
        operation_id="visits_days",
        summary="Count visits per day",
        description="Of customers and of visitors without a name, of the last two weeks.",
        tags=["visits"],
        parameters=[AREA],
        responses={200: VisitDaysSerializer, **errors(400, 401, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        """The newest day first."""
        figures = day_figures(request.user, area=filters_of(request).area)
        return Response(VisitDaysSerializer({"days": figures}).data)


class VisitorNameView(PeopleView):
    """A name for somebody who has none."""

    @extend_schema(
        operation_id="visitors_name",
        summary="Say who a visitor is",
        description="With name and kind the visitor becomes a new person, with person a part of "
        "somebody who is known (undone as a merge). Sightings and visits are theirs from then on, "
        "and they are recognised by the faces that are still there; where all have been "
        "forgotten it is 409.",
        tags=["visits"],
        request=VisitorNameSerializer,
        responses={200: PersonSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Name them; answers with the person."""
        visitor = get_visitor(request.user, pk, "change")
        body = read_body(VisitorNameSerializer, request)
        person, name = body.pop("person", None), body.pop("name", "")
        if (person is None) == (not name):
            raise InvalidError({"name": "Give either a name or a person."})
        if person is None:
            return describe(name_visitor(actor=request.user, visitor=visitor, name=name, **body))
        profile = find_other(request, person, field="person")
        return describe(join_visitor(actor=request.user, visitor=visitor, profile=profile))
