"""What can be done with every session over REST, whatever it is over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from common.api.pagination import NewestFirstPagination
from common.api.parsers import BoundedJSONParser
from common.permissions import Verb, can
from detector.api.serializers import SessionChangeSerializer
from detector.filters import ORDERS, SessionFilters, parse_filters
from detector.models import DetectionSession
from detector.services.sessions import (
    cancel_session,
    delete_session,
    gone,
    rename_session,
    retry_session,
)
from detector.services.sharing import share_session

VERBS: Mapping[str, Verb] = {"POST": "change", "PATCH": "change", "DELETE": "delete"}


class SessionPagination(NewestFirstPagination):
    """Cursor pages in the order that the query names."""

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        """Order as the filters say."""
        return ORDERS[parse_filters(request.query_params, strict=True).order]


class SessionResource(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[DetectionSession],
    ABC,
):
    """Sessions that are listed, looked at, renamed, shared, cancelled, retried and deleted.

    Who derives from it says which sessions in ``list_visible``, and how they are described.
    """

    queryset = DetectionSession.objects.none()
    pagination_class = SessionPagination
    filter_backends: list[Any] = []
    parser_classes = [BoundedJSONParser, MultiPartParser, FormParser]
    lookup_value_converter = "uuid"

    @abstractmethod
    def list_visible(self, filters: SessionFilters | None = None) -> QuerySet[DetectionSession]:
        """Only what the caller may see: anything else is not there."""

    def get_queryset(self) -> QuerySet[DetectionSession]:
        """What is visible; in lists, what the query asks for."""
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        if self.action == "list":
            return self.list_visible(parse_filters(self.request.query_params, strict=True))
        return self.list_visible()

    def check_object_permissions(self, request: Request, obj: Any) -> None:
        """What may be seen may not always be changed or deleted."""
        super().check_object_permissions(request, obj)
        verb = VERBS.get(request.method or "", "view")
        if not can(request.user, verb, obj):
            self.permission_denied(request)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give a session another name or group; nothing else of it can be changed."""
        session = self.get_object()
        body = SessionChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        change = body.validated_data
        with transaction.atomic():
            if "shared_with" in change:
                if not can(request.user, "share", session):
                    self.permission_denied(request)
                session = share_session(
                    session=session, group=change["shared_with"], user=request.user
                )
            if "name" in change:
                session = rename_session(session=session, name=change["name"])
        return self.answer(session)

    def perform_destroy(self, instance: DetectionSession) -> None:
        """Delete with everything that belongs to it."""
        if not delete_session(session=instance, user=self.request.user):
            raise gone()

    @action(detail=True, methods=["post"], pagination_class=None)
    def cancel(self, request: Request, pk: Any = None) -> Response:
        """Stop a session that is queued or running."""
        return self.answer(cancel_session(session=self.get_object()))

    @action(detail=True, methods=["post"], pagination_class=None)
    def retry(self, request: Request, pk: Any = None) -> Response:
        """Run a failed or cancelled session again, with the same options."""
        return self.answer(retry_session(session=self.get_object()))

    def answer(self, session: DetectionSession, code: int = status.HTTP_200_OK) -> Response:
        """Describe a session; one that is new says where it is."""
        serializer: BaseSerializer[DetectionSession] = self.get_serializer(session)
        headers = {}
        if code == status.HTTP_201_CREATED:
            headers["Location"] = serializer.data["links"]["self"]
        return Response(serializer.data, status=code, headers=headers)
