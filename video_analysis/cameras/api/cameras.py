"""Cameras over REST."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

from common.api.schema import errors
from detector.services.options import parse_flag
from video_analysis.cameras import services
from video_analysis.cameras.api.areas import ByName
from video_analysis.cameras.api.base import (
    MayConfigureOrRead,
    describe,
    reread,
    what_may_be_seen,
)
from video_analysis.cameras.api.serializers import (
    CameraChangeSerializer,
    CameraSerializer,
    CameraSettingsSerializer,
)
from video_analysis.cameras.models import Camera
from video_analysis.cameras.selectors import get_camera, list_cameras

FILTERS = [
    OpenApiParameter("area", OpenApiTypes.INT, description="Only those of the area of this id."),
    OpenApiParameter("enabled", OpenApiTypes.BOOL, description="Only those switched on, or off."),
]


@extend_schema_view(
    list=extend_schema(
        summary="List cameras",
        description="Those that the caller may watch, by name, with zones and lines.",
        parameters=FILTERS,
        responses={200: CameraSerializer(many=True), **errors(400, 401, 404, 429)},
    ),
    retrieve=extend_schema(
        summary="Look at a camera", responses={200: CameraSerializer, **errors(401, 404, 429)}
    ),
)
@extend_schema(tags=["cameras"])
class CameraViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Camera]
):
    """Sources of live pictures."""

    queryset = Camera.objects.none()
    serializer_class = CameraSerializer
    permission_classes = [IsAuthenticated, MayConfigureOrRead]
    pagination_class = ByName
    filter_backends: list[Any] = []
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Camera]:
        """Only what the caller may see."""
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        if self.action != "list":
            return list_cameras(self.request.user)
        query = self.request.query_params
        return list_cameras(
            self.request.user,
            area=_number(query.get("area")),
            enabled=parse_flag("enabled", query["enabled"], True) if query.get("enabled") else None,
        )

    def get_serializer_context(self) -> dict[str, Any]:
        """What the caller may see of a camera."""
        return {**super().get_serializer_context(), **what_may_be_seen(self.request)}

    @extend_schema(
        summary="Add a camera",
        description="For administrators. Whether it can be reached is not tried; see the test of "
        "an address.",
        request=CameraSettingsSerializer,
        responses={201: CameraSerializer, **errors(400, 401, 403, 429)},
    )
    def create(self, request: Request) -> Response:
        """Add a camera."""
        body = CameraSettingsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        camera = services.create_camera(actor=request.user, **body.validated_data)
        return Response(describe(request, reread(camera)), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a camera",
        description="What is left out stays as it was. It takes effect within seconds. For "
        "administrators.",
        request=CameraChangeSerializer,
        responses={200: CameraSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        """Change a camera."""
        camera = get_camera(request.user, pk, "change")
        body = CameraChangeSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        camera = services.update_camera(actor=request.user, camera=camera, **body.validated_data)
        return Response(describe(request, reread(camera)))

    @extend_schema(
        summary="Delete a camera",
        description="With its zones, its lines and all that was recorded of it. For "
        "administrators.",
        responses={204: None, **errors(401, 403, 404, 429)},
    )
    def destroy(self, request: Request, pk: Any = None) -> Response:
        """Delete a camera."""
        camera = get_camera(request.user, pk, "delete")
        services.delete_camera(actor=request.user, camera=camera)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValidationError({"area": "area must be a number."})
    return int(text)
