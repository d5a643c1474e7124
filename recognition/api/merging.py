"""Two profiles that are one person, and taking them apart again, over REST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.schema import errors
from recognition.api.base import AuditedList, NewestPages, PeopleView, find_other, read_body
from recognition.api.people import describe
from recognition.api.serializers import MergeRequestSerializer, MergeSerializer, PersonSerializer
from recognition.models import ProfileMerge
from recognition.services.profiles import merge_profiles, undo_merge


class MergePages(NewestPages):
    """The newest first."""

    ordering = ("-merged_at", "-id")


class MergesView(AuditedList, PeopleView, generics.ListAPIView[ProfileMerge]):
    """Who became part of a person."""

    serializer_class = MergeSerializer
    pagination_class = MergePages
    filter_backends = []
    listed = "merges"

    def get_queryset(self) -> QuerySet[ProfileMerge]:
        """Those of the person in the address."""
        if getattr(self, "swagger_fake_view", False):
            return ProfileMerge.objects.none()
        return self.person(self.request, self.kwargs["pk"]).merges.all()

    @extend_schema(
        operation_id="people_merges_list",
        summary="List who became part of a person",
        tags=["people"],
        responses={200: MergeSerializer(many=True), **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One page, the newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="people_merge",
        summary="Merge another person into this one",
        description="Faces and all that is linked with them come along; it can be undone.",
        tags=["people"],
        request=MergeRequestSerializer,
        responses={201: MergeSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Merge."""
        target = self.person(request, pk, "change")
        body = read_body(MergeRequestSerializer, request)
        source = find_other(request, body["source"], field="source")
        merge = merge_profiles(actor=request.user, target=target, source=source)
        return Response(MergeSerializer(merge).data, status=status.HTTP_201_CREATED)


class UndoView(PeopleView):
    """Taking apart."""

    @extend_schema(
        operation_id="people_merge_undo",
        summary="Undo a merge",
        description="Answers with the person who is one of their own again.",
        tags=["people"],
        request=None,
        responses={200: PersonSerializer, **errors(401, 403, 404, 409, 429)},
    )
    def post(self, request: Request, pk: UUID, merge_id: UUID) -> Response:
        """Undo."""
        target = self.person(request, pk, "change")
        merge = get_object_or_404(target.merges, pk=merge_id)
        return describe(undo_merge(actor=request.user, merge=merge))
