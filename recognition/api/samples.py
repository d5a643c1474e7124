"""Faces of people over REST: list, add, move, split off, delete; and those that are not theirs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.negotiation import AnyNegotiation
from common.api.schema import errors
from recognition.api.base import (
    AuditedList,
    NewestPages,
    PeopleView,
    find_other,
    find_samples,
    read_body,
    read_picture,
    send_face,
)
from recognition.api.people import describe
from recognition.api.recognise import FILE, PICTURE_FORM
from recognition.api.serializers import (
    MoveSerializer,
    NegativeSerializer,
    PersonSerializer,
    SampleSerializer,
    SplitSerializer,
)
from recognition.errors import InvalidError
from recognition.models import FaceSample
from recognition.services.auditing import note_person_viewed
from recognition.services.denying import deny_picture
from recognition.services.profiles import split_profile
from recognition.services.samples import delete_sample, enrol_picture, move_samples

ENROL_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": FILE,
        "confirm": {
            "type": "boolean",
            "default": False,
            "description": "Enrol it although the face looks like somebody else's, or unlike the "
            "others of this person.",
        },
    },
}
DENY_FORM: dict[str, Any] = {
    **PICTURE_FORM,
    "properties": {
        "image": FILE,
        "face": {
            "type": "integer",
            "minimum": 0,
            "maximum": 9999,
            "description": "Which face, as numbered from 0 in the answer of /api/recognize/. Can "
            "be left out where there is only one.",
        },
    },
}


class SamplesView(AuditedList, PeopleView, generics.ListAPIView[FaceSample]):
    """The faces of a person."""

    serializer_class = SampleSerializer
    pagination_class = NewestPages
    filter_backends = []
    parser_classes = [MultiPartParser]
    listed = "samples"

    def get_queryset(self) -> QuerySet[FaceSample]:
        """Those of the person in the address."""
        if getattr(self, "swagger_fake_view", False):
            return FaceSample.objects.none()
        return self.person(self.request, self.kwargs["pk"]).samples.defer("embedding")

    @extend_schema(
        operation_id="people_samples_list",
        summary="List the faces of a person",
        tags=["people"],
        responses={200: SampleSerializer(many=True), **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One page, the newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="people_samples_add",
        summary="Enrol a face",
        description="The picture shows one face, seen well; it is not kept, only the face is. "
        "422 says what is wrong: `no_face`, `several_faces`, `too_small`, `blurred`, `turned`, "
        "`upside_down`, `covered`, `unsure`. 409: `same_photo`, it is somebody else's already; "
        "`looks_like`, the face looks like somebody else's; `differs`, it looks unlike all others "
        "of this person; `confirm` enrols it all the same.",
        tags=["people"],
        request={"multipart/form-data": ENROL_FORM},
        responses={
            201: SampleSerializer,
            **errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503, 507),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Enrol."""
        profile = self.person(request, pk, "change")
        data, _ = read_picture(request)
        sample = enrol_picture(
            actor=request.user,
            profile=profile,
            data=data,
            source=FaceSample.Source.API,
            confirm=_read_flag(request, "confirm"),
        )
        return Response(SampleSerializer(sample).data, status=status.HTTP_201_CREATED)


class SampleView(PeopleView):
    """One face of a person."""

    @extend_schema(
        operation_id="people_samples_delete",
        summary="Delete a face",
        tags=["people"],
        responses={204: None, **errors(401, 403, 404, 429)},
    )
    def delete(self, request: Request, pk: UUID, sample_id: UUID) -> Response:
        """Delete it; the person stays."""
        profile = self.person(request, pk, "change")
        sample = get_object_or_404(profile.samples, pk=sample_id)
        delete_sample(actor=request.user, sample=sample)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CropView(PeopleView):
    """The picture of one face."""

    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="people_samples_crop",
        summary="Download the picture of a face",
        tags=["people"],
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: UUID, sample_id: UUID) -> HttpResponseBase:
        """A JPEG, 150 x 150."""
        profile = self.person(request, pk)
        sample = get_object_or_404(profile.samples, pk=sample_id)
        note_person_viewed(actor=request.user, profile_id=profile.pk, what="face")
        return send_face(request, sample.crop, "face.jpg")


class MoveView(PeopleView):
    """Faces that are somebody else's."""

    @extend_schema(
        operation_id="people_samples_move",
        summary="Give faces to another person",
        tags=["people"],
        request=MoveSerializer,
        responses={200: PersonSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Move them; answers with the person who has them now."""
        profile = self.person(request, pk, "change")
        body = read_body(MoveSerializer, request)
        target = find_other(request, body["to"], field="to")
        samples = find_samples(profile, body["samples"])
        move_samples(actor=request.user, samples=samples, target=target)
        target.refresh_from_db()
        return describe(target)


class SplitView(PeopleView):
    """Faces that are a person of their own."""

    @extend_schema(
        operation_id="people_split",
        summary="Make a new person of some faces",
        tags=["people"],
        request=SplitSerializer,
        responses={201: PersonSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Split them off; answers with the new person."""
        profile = self.person(request, pk, "change")
        body = read_body(SplitSerializer, request)
        samples = find_samples(profile, body["samples"])
        made = split_profile(
            actor=request.user, profile=profile, samples=samples, name=body["name"]
        )
        return describe(made, status.HTTP_201_CREATED)


class NegativesView(PeopleView):
    """Faces of which somebody says that they are not this person's."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="people_negatives_add",
        summary="Say that a face is not this person",
        description="It is remembered, so that the same mistake is not made again. The picture "
        "is not kept.",
        tags=["people"],
        request={"multipart/form-data": DENY_FORM},
        responses={
            201: NegativeSerializer,
            **errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Remember it."""
        profile = self.person(request, pk, "change")
        data, _ = read_picture(request)
        noted = deny_picture(
            actor=request.user, profile=profile, data=data, face=_read_face(request)
        )
        return Response(NegativeSerializer(noted).data, status=status.HTTP_201_CREATED)


def _read_flag(request: Request, name: str) -> bool:
    value = str(request.POST.get(name) or "false").strip().lower()
    if value not in ("true", "1", "on", "false", "0", "off"):
        raise InvalidError({name: f"{name} must be true or false."})
    return value in ("true", "1", "on")


def _read_face(request: Request) -> int | None:
    text = str(request.POST.get("face") or "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise InvalidError({"face": "face must be a number from 0 on."})
    return int(text)
