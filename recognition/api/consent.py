"""What people have agreed to, over REST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from common.accounts.roles import is_administrator
from common.api.pagination import CursorPages
from common.api.schema import errors
from recognition.api.base import AuditedList, PeopleView, read_body
from recognition.api.people import describe
from recognition.api.serializers import (
    ConsentRequestSerializer,
    ConsentSerializer,
    ConsentTextSerializer,
    PersonSerializer,
)
from recognition.models import Consent, ConsentText
from recognition.services.consent import (
    publish_consent_text,
    record_consent,
    withdraw_consent,
)


class ConsentPages(CursorPages):
    """The newest first."""

    ordering = ("-given_at", "-id")
    max_page_size = 200


class TextPages(CursorPages):
    """The newest version first."""

    ordering = ("-version",)
    max_page_size = 200


class ConsentsView(AuditedList, PeopleView, generics.ListAPIView[Consent]):
    """What a person has agreed to."""

    serializer_class = ConsentSerializer
    pagination_class = ConsentPages
    filter_backends = []
    listed = "consent"

    def get_queryset(self) -> QuerySet[Consent]:
        """That of the person in the address."""
        if getattr(self, "swagger_fake_view", False):
            return Consent.objects.none()
        return self.person(self.request, self.kwargs["pk"]).consents.select_related("text")

    @extend_schema(
        operation_id="people_consent_list",
        summary="List what a person has agreed to",
        tags=["people"],
        responses={200: ConsentSerializer(many=True), **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One page, the newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="people_consent_give",
        summary="Record that a person agrees",
        description="To the newest text; `given_at` is after they have last withdrawn.",
        tags=["people"],
        request=ConsentRequestSerializer,
        responses={201: ConsentSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Record it."""
        profile = self.person(request, pk, "change")
        given_at = read_body(ConsentRequestSerializer, request).get("given_at")
        consent = record_consent(actor=request.user, profile=profile, given_at=given_at)
        return Response(ConsentSerializer(consent).data, status=status.HTTP_201_CREATED)


class WithdrawView(PeopleView):
    """The end of an agreement."""

    @extend_schema(
        operation_id="people_consent_withdraw",
        summary="Record that a person agrees no longer",
        description="Where consent is needed they are recognised no longer, at once.",
        tags=["people"],
        request=None,
        responses={200: PersonSerializer, **errors(401, 403, 404, 409, 429)},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Withdraw it."""
        profile = self.person(request, pk, "change")
        withdraw_consent(actor=request.user, profile=profile)
        return describe(profile)


class TextsView(PeopleView, generics.ListAPIView[ConsentText]):
    """The texts that people agree to."""

    serializer_class = ConsentTextSerializer
    pagination_class = TextPages
    filter_backends = []
    queryset = ConsentText.objects.all()

    @extend_schema(
        operation_id="people_consent_texts",
        summary="List the texts that people agree to",
        tags=["people"],
        responses={200: ConsentTextSerializer(many=True), **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One page; the first is the one that counts."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="people_consent_publish",
        summary="Publish a text that people agree to",
        description="It becomes the next version. For administrators.",
        tags=["people"],
        request=ConsentTextSerializer,
        responses={201: ConsentTextSerializer, **errors(400, 401, 403, 409, 429)},
    )
    def post(self, request: Request) -> Response:
        """Publish it."""
        if not is_administrator(request.user):
            raise PermissionDenied
        body = read_body(ConsentTextSerializer, request)
        text = publish_consent_text(actor=request.user, text=body["text"])
        return Response(ConsentTextSerializer(text).data, status=status.HTTP_201_CREATED)
