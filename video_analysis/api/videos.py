"""Videos as a resource: list, upload, look at, rename, run again, cancel, delete."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.accounts.roles import require_may_create
from common.api.schema import errors
from common.uploads.errors import UploadRejected
from common.uploads.videos import CHUNK
from detector.api.managing import SessionResource
from detector.api.serializers import SessionChangeSerializer
from detector.filters import SessionFilters
from detector.models import DetectionSession
from video_analysis.api.base import read_video, read_video_options
from video_analysis.api.schema import UPLOAD_FORM, VIDEO_FILTERS
from video_analysis.api.serializers import VideoOptionsSerializer, VideoSerializer
from video_analysis.selectors import list_videos
from video_analysis.services.analyses import options_of, queue_video, rerun_video


@extend_schema_view(
    list=extend_schema(
        summary="List videos",
        parameters=VIDEO_FILTERS,
        responses={200: VideoSerializer, **errors(400, 401, 404, 429)},
    ),
    retrieve=extend_schema(
        summary="Look at a video",
        description="While it is worked on, how far and how fast; then what was found.",
        responses={200: VideoSerializer, **errors(401, 404, 429)},
    ),
    partial_update=extend_schema(
        summary="Rename or share a video",
        description="What is left out stays as it was. Only its owner can share it.",
        request=SessionChangeSerializer,
        responses={200: VideoSerializer, **errors(400, 401, 403, 404, 429)},
    ),
    destroy=extend_schema(
        summary="Delete a video",
        description="All that was found in it and made of it goes with it, and the file with the "
        "last analysis of it. One that is running is cancelled first.",
        responses={204: None, **errors(401, 403, 404, 429)},
    ),
    cancel=extend_schema(
        summary="Cancel the analysis of a video",
        request=None,
        responses={200: VideoSerializer, **errors(401, 403, 404, 409, 429)},
    ),
    retry=extend_schema(
        summary="Retry the analysis of a video",
        request=None,
        responses={200: VideoSerializer, **errors(401, 403, 404, 409, 429)},
    ),
)
@extend_schema(tags=["videos"])
class VideoViewSet(SessionResource):
    """Analyses of videos."""

    serializer_class = VideoSerializer

    def list_visible(self, filters: SessionFilters | None = None) -> QuerySet[DetectionSession]:
        """Only what the caller may see: anything else is not there."""
        return list_videos(self.request.user, filters)

    @extend_schema(
        summary="Upload a video",
        description="Answers at once with the video, whose analysis runs in the background.",
        request={"multipart/form-data": UPLOAD_FORM},
        responses={
            201: VideoSerializer,
            **errors(400, 401, 403, 413, 415, 422, 429, 503, 507),
        },
    )
    def create(self, request: Request) -> Response:
        """Store a video and queue its analysis."""
        require_may_create(request.user)
        file = read_video(request)
        options = read_video_options(request.POST)
        try:
            session = queue_video(
                owner=request.user,
                chunks=file.chunks(CHUNK),
                file_name=file.name or "",
                options=options,
                name=str(request.POST.get("name") or ""),
                source=DetectionSession.Source.API,
            )
        except UploadRejected as error:
            error.field = "video"
            raise
        return self.answer(session, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Analyse again",
        description="A new analysis of the same video; what is left out stays as it was.",
        request=VideoOptionsSerializer,
        responses={201: VideoSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def rerun(self, request: Request, pk: Any = None) -> Response:
        """Analyse the same video with other options."""
        session = self.get_object()
        options = read_video_options(request.data, defaults=options_of(session))
        again = rerun_video(session=session, owner=request.user, options=options)
        return self.answer(again, status.HTTP_201_CREATED)
