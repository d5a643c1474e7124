"""Zones and counting lines of a camera over REST: read and set as a whole."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.schema import errors
from video_analysis.cameras import services
from video_analysis.cameras.api.base import reread
from video_analysis.cameras.api.serializers import LinesSerializer, ZonesSerializer
from video_analysis.cameras.models import Camera
from video_analysis.cameras.selectors import get_camera

KEEP = (
    "What has an id, or the name of one that is there, stays the same {0} and keeps its history; "
    "{0}s that are not named are deleted. For administrators."
)


class ZonesView(APIView):
    """The zones of a camera."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="cameras_zones_retrieve",
        summary="Read a camera's zones",
        tags=["cameras"],
        responses={200: ZonesSerializer, **errors(401, 404, 429)},
    )
    def get(self, request: Request, pk: int) -> Response:
        """All zones, and the revision of the camera that they are of."""
        return Response(_zones(get_camera(request.user, pk)))

    @extend_schema(
        operation_id="cameras_zones_update",
        summary="Set a camera's zones",
        description=KEEP.format("zone"),
        tags=["cameras"],
        request=ZonesSerializer,
        responses={200: ZonesSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def put(self, request: Request, pk: int) -> Response:
        """Set all zones at once."""
        camera = get_camera(request.user, pk, "change")
        return Response(_zones(_replace(request, camera, ZonesSerializer)))


class LinesView(APIView):
    """The counting lines of a camera."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="cameras_lines_retrieve",
        summary="Read a camera's counting lines",
        tags=["cameras"],
        responses={200: LinesSerializer, **errors(401, 404, 429)},
    )
    def get(self, request: Request, pk: int) -> Response:
        """All lines, and the revision of the camera that they are of."""
        return Response(_lines(get_camera(request.user, pk)))

    @extend_schema(
        operation_id="cameras_lines_update",
        summary="Set a camera's counting lines",
        description=KEEP.format("line"),
        tags=["cameras"],
        request=LinesSerializer,
        responses={200: LinesSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    def put(self, request: Request, pk: int) -> Response:
        """Set all lines at once."""
        camera = get_camera(request.user, pk, "change")
        return Response(_lines(_replace(request, camera, LinesSerializer)))


def _replace(request: Request, camera: Camera, serializer: Any) -> Camera:
    body = serializer(data=request.data)
    body.is_valid(raise_exception=True)
    services.replace_regions(actor=request.user, camera=camera, **body.validated_data)
    return reread(camera)


def _zones(camera: Camera) -> Any:
    zones = {"revision": camera.revision, "zones": list(camera.zones.all())}
    return ZonesSerializer(zones).data


def _lines(camera: Camera) -> Any:
    lines = {"revision": camera.revision, "lines": list(camera.lines.all())}
    return LinesSerializer(lines).data
