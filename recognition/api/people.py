"""People over REST: list, add, look at, change, erase, export."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.negotiation import AnyNegotiation
from common.api.pagination import CursorPages
from common.api.schema import errors
from common.media import PieceStream
from recognition.api.base import AuditedList, PeopleView, read_body, send_face
from recognition.api.serializers import (
    LARGEST,
    ErasureSerializer,
    PersonChangeSerializer,
    PersonSerializer,
    PersonSettingsSerializer,
)
from recognition.errors import InvalidError
from recognition.models import Consent, Profile
from recognition.selectors import search_profiles
from recognition.services.auditing import note_person_viewed
from recognition.services.erasing import erase_person
from recognition.services.exporting import export_name, export_person
from recognition.services.profiles import create_profile, update_profile

ORDERS = {"name": ("name", "id"), "newest": ("-created_at", "-id")}
LONGEST_QUERY = 200
FILTERS = [
    OpenApiParameter("q", description="Words that name or e-mail address contain."),
    OpenApiParameter("kind", enum=Profile.Kind.values),
    OpenApiParameter("order", enum=list(ORDERS), default="name"),
]
IF_MATCH = OpenApiParameter(
    "If-Match",
    location=OpenApiParameter.HEADER,
    description="The ETag that the change is meant for; another one is answered with 409.",
)
ORIGINALS = OpenApiParameter(
    "originals",
    OpenApiTypes.BOOL,
    default=False,
    description="Whether uploaded pictures and videos that show the person go, too.",
)


class PersonPages(CursorPages):
    """Cursor pages in the order that the query names."""

    max_page_size = 200

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        """Order by name or by age."""
        return ORDERS[choice(request, "order", list(ORDERS), "name")]


class PeopleListView(AuditedList, PeopleView, generics.ListAPIView[Profile]):
    """Everybody who is known."""

    serializer_class = PersonSerializer
    pagination_class = PersonPages
    filter_backends = []

    def get_queryset(self) -> QuerySet[Profile]:
        """Narrow as the query says."""
        if getattr(self, "swagger_fake_view", False):
            return Profile.objects.none()
        query = str(self.request.query_params.get("q") or "").replace("\0", "").strip()
        if len(query) > LONGEST_QUERY:
            raise InvalidError({"q": f"q has at most {LONGEST_QUERY} characters."})
        kind = choice(self.request, "kind", Profile.Kind.values, "")
        return with_consent(search_profiles(self.request.user, query, kind))

    @extend_schema(
        operation_id="people_list",
        summary="List people",
        tags=["people"],
        parameters=FILTERS,
        responses={200: PersonSerializer(many=True), **errors(400, 401, 403, 404, 429)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One page."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="people_create",
        summary="Add a person",
        description="Without faces; see the samples.",
        tags=["people"],
        request=PersonSettingsSerializer,
        responses={201: PersonSerializer, **errors(400, 401, 403, 429)},
    )
    def post(self, request: Request) -> Response:
        """Add somebody."""
        profile = create_profile(actor=request.user, **read_body(PersonSettingsSerializer, request))
        return describe(profile, status.HTTP_201_CREATED)


class PersonView(PeopleView):
    """One person."""

    @extend_schema(
        operation_id="people_read",
        summary="Look at a person",
        tags=["people"],
        responses={200: PersonSerializer, **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """What is noted of them."""
        profile = self.person(request, pk)
        note_person_viewed(actor=request.user, profile_id=profile.pk)
        return describe(profile)

    @extend_schema(
        operation_id="people_change",
        summary="Change a person",
        description="What is left out stays as it was.",
        tags=["people"],
        parameters=[IF_MATCH],
        request=PersonChangeSerializer,
        responses={200: PersonSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change what is noted of them."""
        profile = self.person(request, pk, "change")
        fields = read_body(PersonChangeSerializer, request)
        revision = fields.pop("revision", None)
        meant = _read_if_match(request)
        changed = update_profile(
            actor=request.user,
            profile=profile,
            revision=meant if revision is None else revision,
            **fields,
        )
        return describe(changed)

    @extend_schema(
        operation_id="people_erase",
        summary="Erase a person",
        description="Faces, crops, consent, visits, links, and what else is known of them, for "
        "good. The report says what was erased, what was found afterwards, and which backups "
        "still have them. For administrators.",
        tags=["people"],
        parameters=[ORIGINALS],
        responses={200: ErasureSerializer, **errors(400, 401, 403, 404, 429, 503)},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Forget them."""
        profile = self.person(request, pk, "delete")
        originals = _read_flag(request, "originals")
        report = erase_person(
            actor=request.user, profile_id=profile.pk, reason="request", originals=originals
        )
        return Response(ErasureSerializer(report).data)


class PhotoView(PeopleView):
    """The photo of a person."""

    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="people_photo",
        summary="Download the photo of a person",
        tags=["people"],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """A JPEG."""
        profile = self.person(request, pk)
        note_person_viewed(actor=request.user, profile_id=profile.pk, what="photo")
        return send_face(request, profile.photo, "photo.jpg")


class ExportView(PeopleView):
    """Everything about a person."""

    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="people_export",
        summary="Export everything about a person",
        description="A ZIP with JSON and files: also of cameras and videos that others watch. For "
        "administrators.",
        tags=["people"],
        responses={(200, "application/zip"): OpenApiTypes.BINARY, **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """The file."""
        profile = self.person(request, pk, "delete")
        return PieceStream(
            export_person(actor=request.user, profile=profile),
            media_type="application/zip",
            filename=export_name(profile),
        )


def describe(profile: Profile, code: int = status.HTTP_200_OK) -> Response:
    """Return a person, with their revision as ETag."""
    answer = Response(PersonSerializer(profile).data, status=code)
    answer["ETag"] = f'"{profile.revision}"'
    answer["Cache-Control"] = "no-store"
    return answer


def with_consent(rows: QuerySet[Profile]) -> QuerySet[Profile]:
    """Fetch what people agree to, with one query for all of them."""
    given = Consent.objects.filter(withdrawn_at=None).select_related("text")
    return rows.prefetch_related(Prefetch("consents", given, to_attr="current_consents"))


def choice(request: Request, name: str, choices: list[str], default: str) -> str:
    value = request.query_params.get(name) or default
    if value and value not in choices:
        raise InvalidError({name: f"{name} must be one of {', '.join(choices)}."})
    return value


def _read_flag(request: Request, name: str) -> bool:
    value = (request.query_params.get(name) or "false").strip().lower()
    if value not in ("true", "1", "false", "0"):
        raise InvalidError({name: f"{name} must be true or false."})
    return value in ("true", "1")


def _read_if_match(request: Request) -> int | None:
    """Return the revision of the header; None where there is none, or any is meant."""
    text = request.headers.get("If-Match", "").strip()
    if text in ("", "*"):
        return None
    number = text.removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit() and len(number) < 11 and int(number) <= LARGEST):
        raise InvalidError({"If-Match": "If-Match must be an ETag of this person."})
    return int(number)
