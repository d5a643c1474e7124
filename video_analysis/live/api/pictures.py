"""Live pictures and figures over REST."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api.schema import errors
from common.broadcast.watcher import session_hash_of
from common.errors import ServiceError
from video_analysis.cameras.models import Camera
from video_analysis.live.api.serializers import LiveStatsSerializer
from video_analysis.live.api.waiting import WaitingView
from video_analysis.live.filters import BOOLEANS, FilterError
from video_analysis.live.selectors import get_watched_camera, stats
from video_analysis.live.sockets.access import Credential, may_watch
from video_analysis.live.sockets.feed import SIZES, Size, Tile
from video_analysis.live.streams import CONTENT_TYPE, PictureStream, newest_picture

MOST_ID = 2**63 - 1
RETRY_SECONDS = 2.0
NO_STORE = "private, no-store"


def _size_parameter(default: Size) -> OpenApiParameter:
    text = "small: at most 512 pixels wide or high; large: at most 1280."
    return OpenApiParameter("size", enum=list(SIZES), default=default, description=text)


class StatsView(APIView):
    """How the cameras are."""

    @extend_schema(
        operation_id="stats_retrieve",
        summary="Figures of live cameras",
        description="Rates, ages, milliseconds and counts, of each camera that the caller may "
        "watch and of all of them together. What is stale is left out of the sums.",
        tags=["live"],
        responses={200: LiveStatsSerializer, **errors(401, 429)},
    )
    def get(self, request: Request) -> Response:
        """The figures of the last seconds."""
        return Response(stats(request.user), headers={"Cache-Control": NO_STORE})


class LatestView(WaitingView):
    """The newest picture of a camera."""

    @extend_schema(
        operation_id="cameras_latest",
        summary="Download the newest picture of a camera",
        description="Waits up to three seconds when nobody has looked for a while. Its number, "
        "milliseconds since 1970, is in X-Frame.",
        tags=["live"],
        parameters=[_size_parameter("large")],
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            **errors(400, 401, 404, 409, 429, 503),
        },
    )
    async def get(self, request: Request, camera_id: int) -> HttpResponseBase:
        """A JPEG."""
        size = _read_size(request, "large")
        camera = await self.in_thread(_camera, request, camera_id)
        picture = await newest_picture(Tile(camera.pk, size))
        if picture is None:
            message = "There is no picture of this camera at the moment."
            raise ServiceError("no_picture", message, status=503, retry_after=RETRY_SECONDS)
        made = HttpResponse(picture.jpeg, content_type="image/jpeg")
        # Many ask again and again: who has the newest one already is told so.
        etag = f'"{camera.pk}-{size}-{picture.number}"'
        response = get_conditional_response(request._request, etag=etag, response=made) or made
        response["ETag"] = etag
        response["X-Frame"] = str(picture.number)
        response["Cache-Control"] = "private, no-cache"
        response["X-Content-Type-Options"] = "nosniff"
        patch_vary_headers(response, ["Cookie", "Authorization"])
        return response


class StreamView(WaitingView):
    """A camera as a stream of pictures."""

    @extend_schema(
        operation_id="cameras_stream",
        summary="Watch a camera as MJPEG",
        description="Each picture replaces the one before; an img element shows it. Ends when the "
        "permission does.",
        tags=["live"],
        parameters=[
            _size_parameter("large"),
            OpenApiParameter(
                "boxes", OpenApiTypes.BOOL, default=False, description="Draw boxes into it."
            ),
        ],
        responses={
            (200, "multipart/x-mixed-replace"): OpenApiTypes.BINARY,
            **errors(400, 401, 404, 409, 429, 503),
        },
    )
    async def get(self, request: Request, camera_id: int) -> HttpResponseBase:
        """Pictures without an end."""
        size, boxes = _read_size(request, "large"), _read_boxes(request)
        camera = await self.in_thread(_camera, request, camera_id)
        may_go_on = partial(may_watch, _credential_of(request), camera.pk)
        user_id: Any = request.user.pk
        return PictureStream(
            Tile(camera.pk, size), user_id=user_id, boxes=boxes, may_go_on=may_go_on
        )

    async def head(self, request: Request, camera_id: int) -> HttpResponseBase:
        """What a stream begins with; none is opened for it."""
        _read_size(request, "large")
        _read_boxes(request)
        await self.in_thread(_camera, request, camera_id)
        return HttpResponse(content_type=CONTENT_TYPE, headers={"Cache-Control": NO_STORE})


def _camera(request: Request, camera_id: int) -> Camera:
    camera = get_watched_camera(request.user, min(camera_id, MOST_ID))
    if not camera.enabled:
        raise ServiceError("camera_off", "This camera is switched off.", status=409)
    return camera


def _credential_of(request: Request) -> Credential:
    user_id: Any = request.user.pk
    digest = getattr(request.auth, "digest", "")
    if digest:
        return Credential(user_id, digest=digest)
    session = request._request.session
    return Credential(user_id, str(session.session_key), session_hash_of(session))


def _read_size(request: Request, default: Size) -> Size:
    given = request.query_params.get("size", "") or default
    for size in SIZES:
        if given == size:
            return size
    raise FilterError({"size": f"size must be one of {', '.join(SIZES)}."})


def _read_boxes(request: Request) -> bool:
    given = request.query_params.get("boxes", "").lower() or "false"
    if given not in BOOLEANS:
        raise FilterError({"boxes": "boxes must be true or false."})
    return BOOLEANS[given]
