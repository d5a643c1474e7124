"""What the installation may do with faces, and proof of what it has forgotten, over REST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.pagination import CursorPages
from common.api.permissions import IsAdministrator
from common.api.schema import errors
from recognition.api.serializers import ErasureSerializer, PrivacySerializer
from recognition.models import ErasureReport
from recognition.services.privacy import change_privacy, current_privacy


class PrivacyView(APIView):
    """The settings."""

    permission_classes = [IsAuthenticated, IsAdministrator]

    @extend_schema(
        operation_id="people_privacy",
        summary="Look at the privacy settings",
        description="For administrators.",
        tags=["people"],
        responses={200: PrivacySerializer, **errors(401, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        """What may be done with faces."""
        return Response(PrivacySerializer(current_privacy()).data)

    @extend_schema(
        operation_id="people_privacy_change",
        summary="Change the privacy settings",
        description="What is left out stays as it is; null days never end. For administrators.",
        tags=["people"],
        request=PrivacySerializer,
        responses={200: PrivacySerializer, **errors(400, 401, 403, 413, 415, 429)},
    )
    def patch(self, request: Request) -> Response:
        """Change them; every change is a line of the audit log."""
        body = PrivacySerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        row = change_privacy(actor=request.user, **body.validated_data)
        return Response(PrivacySerializer(row).data)


class ErasurePages(CursorPages):
    """The newest first."""

    ordering = ("-started_at", "-id")
    max_page_size = 200


class ErasuresView(generics.ListAPIView[ErasureReport]):
    """Reports of who was forgotten."""

    permission_classes = [IsAuthenticated, IsAdministrator]
    serializer_class = ErasureSerializer
    pagination_class = ErasurePages
    filter_backends = []
    queryset = ErasureReport.objects.all()

    @extend_schema(
        operation_id="people_erasures",
        summary="List reports of erased people",
        description="They name nobody. For administrators.",
        tags=["people"],
        responses={200: ErasureSerializer(many=True), **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One page, the newest first."""
        return super().get(request, *args, **kwargs)


class ErasureView(APIView):
    """One report."""

    permission_classes = [IsAuthenticated, IsAdministrator]

    @extend_schema(
        operation_id="people_erasure",
        summary="Look at the report of an erased person",
        description="For administrators.",
        tags=["people"],
        responses={200: ErasureSerializer, **errors(401, 403, 404, 429)},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """What was erased, and what was found afterwards."""
        return Response(ErasureSerializer(get_object_or_404(ErasureReport, pk=pk)).data)
