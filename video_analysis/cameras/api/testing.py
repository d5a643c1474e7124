"""Testing a connection over REST: a picture, or why there is none.

Synchronous, as all views here: each request has a thread of its own, so nobody waits for a camera
but the one who asked.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.schema import errors
from common.api.serializers import ErrorSerializer
from video_analysis.cameras import services
from video_analysis.cameras.api.base import MayConfigure
from video_analysis.cameras.api.serializers import (
    CameraProbeSerializer,
    ProbedSerializer,
    ProbeSerializer,
)
from video_analysis.cameras.selectors import get_camera

NO_PICTURE: dict[Any, Any] = {
    422: OpenApiResponse(
        ErrorSerializer,
        "The camera gives no picture; code and message say why: unknown_host, no_answer, refused, "
        "wrong_password, not_found, silent, not_a_stream, redirected, unsupported_codec, …",
    )
}
DESCRIPTION = (
    "Takes up to ten seconds; four at once, or 429. Nothing is stored. For administrators."
)


class TestAddressView(APIView):
    """An address that no camera has yet."""

    permission_classes = [IsAuthenticated, MayConfigure]

    @extend_schema(
        operation_id="cameras_test_address",
        summary="Test an address",
        description=DESCRIPTION,
        tags=["cameras"],
        request=ProbeSerializer,
        responses={200: ProbedSerializer, **errors(400, 401, 403, 429), **NO_PICTURE},
    )
    def post(self, request: Request) -> Response:
        """Connect, and answer with a picture or the reason."""
        body = ProbeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return _answer(services.test_camera(**body.validated_data))


class TestCameraView(APIView):
    """A camera that is there."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="cameras_test",
        summary="Test a camera",
        description=f"{DESCRIPTION} What the body names is tried in place of what is stored; the "
        "stored credentials go to no other host.",
        tags=["cameras"],
        request=CameraProbeSerializer,
        responses={200: ProbedSerializer, **errors(400, 401, 403, 404, 429), **NO_PICTURE},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Connect, and answer with a picture or the reason."""
        camera = get_camera(request.user, pk, "change")
        body = CameraProbeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return _answer(services.test_camera(camera=camera, **body.validated_data))


def _answer(found: services.CameraPicture) -> Response:
    picture = f"data:image/jpeg;base64,{b64encode(found.jpeg).decode()}" if found.jpeg else None
    answer = Response(ProbedSerializer(found, context={"picture": picture}).data)
    answer["Cache-Control"] = "no-store"
    return answer
