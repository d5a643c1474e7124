"""Paintings over REST: ask for one, follow it, have the result, stop it, ask again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from common.accounts.roles import require_may_create
from common.api.negotiation import AnyNegotiation
from common.api.pagination import NewestFirstPagination
from common.api.schema import errors
from common.audit.looks import note_viewed
from common.filters import plain_text
from common.media import serve_file
from common.permissions import can
from common.uploads.videos import CHUNK
from styletransfer.api.base import (
    LONGEST_QUERY,
    naming,
    read_body,
    read_choice,
    read_file,
    read_object,
    read_picture,
    read_query,
    style_to_repeat,
    wanted_style,
    wishes_to_repeat,
)
from styletransfer.api.schema import AGAIN_BODY, CREATE_FORM, QUEUED_EXAMPLE, RESTYLING_PARAMETERS
from styletransfer.api.serializers import RestylingChangeSerializer, RestylingSerializer
from styletransfer.errors import InvalidError, gone
from styletransfer.models import Restyling
from styletransfer.selectors import find_style, get_restyling, list_restylings
from styletransfer.services.deleting import delete_restyling
from styletransfer.services.options import parse_options
from styletransfer.services.restylings import (
    cancel_restyling,
    rename_restyling,
    repeat_restyling,
    restyle_picture,
    restyle_video,
    retry_restyling,
)
from styletransfer.services.sharing import share_restyling
from styletransfer.services.stored import preview_of, require_result, result_name

FILES: dict[Any, Any] = {
    (200, "image/*"): OpenApiTypes.BINARY,
    (200, "video/mp4"): OpenApiTypes.BINARY,
}


@extend_schema(tags=["styles"])
class RestylingViewSet(ListModelMixin, viewsets.GenericViewSet[Restyling]):
    """Pictures and videos that are painted in a style."""

    queryset = Restyling.objects.none()
    serializer_class = RestylingSerializer
    pagination_class = NewestFirstPagination
    filter_backends: list[Any] = []
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Restyling]:
        """Those that the caller may see, as the query narrows them."""
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        request = self.request
        style = plain_text(request.query_params.get("style", ""), LONGEST_QUERY)
        return list_restylings(
            request.user,
            query=read_query(request),
            status=read_choice(request, "status", Restyling.Status.values),
            style=find_style(request.user, style) if style else None,
            kind=read_choice(request, "kind", Restyling.Kind.values),
        )

    @extend_schema(
        summary="List paintings",
        parameters=RESTYLING_PARAMETERS,
        responses={200: RestylingSerializer, **errors(400, 401, 404, 429)},
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page, the newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Paint a picture or a video",
        description="Answers at once; a job paints in the background. Any style paints pictures "
        "step by step, one at a time and fair between people; a fast one paints in a single pass, "
        "and videos, too. 429 while 20 of yours are unfinished.",
        request={"multipart/form-data": CREATE_FORM},
        examples=[QUEUED_EXAMPLE],
        responses={
            201: RestylingSerializer,
            **errors(400, 401, 403, 404, 413, 415, 422, 429, 503, 507),
        },
    )
    def create(self, request: Request) -> Response:
        """Store a file and queue its painting."""
        require_may_create(request.user)
        field, file = read_source(request)
        with wanted_style(request) as style, naming(field):
            wishes: dict[str, Any] = {
                "owner": request.user,
                "file_name": file.name or "",
                "style": style,
                "options": parse_options(request.POST, is_fast=style.is_fast),
                "name": str(request.POST.get("name") or ""),
                "source": Restyling.Source.API,
            }
            if field == "video":
                restyling = restyle_video(chunks=file.chunks(CHUNK), **wishes)
            else:
                restyling = restyle_picture(data=read_picture(file, field), **wishes)
        return self.answer(restyling, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Look at a painting",
        description="How far it is, its place in the queue while it waits, and, when it failed, "
        "why.",
        responses={200: RestylingSerializer, **errors(401, 404, 429)},
    )
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """What is known of it."""
        return self.answer(get_restyling(request.user, pk))

    @extend_schema(
        summary="Rename or share a painting",
        description="What is left out stays as it was. Only its owner can share it.",
        request=RestylingChangeSerializer,
        responses={200: RestylingSerializer, **errors(400, 401, 403, 404, 429)},
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Give it another name or group."""
        restyling = get_restyling(request.user, pk, "change")
        change = read_body(RestylingChangeSerializer, request)
        with transaction.atomic():
            if "shared_with" in change:
                if not can(request.user, "share", restyling):
                    raise PermissionDenied
                group = change["shared_with"]
                restyling = share_restyling(restyling=restyling, group=group, user=request.user)
            if "name" in change:
                restyling = rename_restyling(restyling=restyling, name=change["name"])
        return self.answer(restyling)

    @extend_schema(
        summary="Delete a painting",
        description="One that is being painted is stopped first. The file that was uploaded goes "
        "with its last painting.",
        responses={204: None, **errors(401, 403, 404, 429)},
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete it with its files."""
        restyling = get_restyling(request.user, pk, "delete")
        if not delete_restyling(restyling=restyling, user=request.user):
            raise gone("painting")
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Stop a painting",
        description="The best so far is kept as its result.",
        request=None,
        responses={200: RestylingSerializer, **errors(401, 403, 404, 409, 429)},
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Stop one that waits or is being painted."""
        restyling = get_restyling(request.user, pk, "change")
        return self.answer(cancel_restyling(restyling=restyling))

    @extend_schema(
        summary="Retry a painting",
        description="From the beginning, with the same options.",
        request=None,
        responses={200: RestylingSerializer, **errors(401, 403, 404, 409, 429)},
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def retry(self, request: Request, pk: UUID) -> Response:
        """Paint what failed, or was stopped, once more."""
        restyling = get_restyling(request.user, pk, "change")
        return self.answer(retry_restyling(restyling=restyling))

    @extend_schema(
        summary="Paint again",
        description="A new painting of the same file; what is left out stays as it was.",
        request={"application/json": AGAIN_BODY},
        responses={201: RestylingSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def again(self, request: Request, pk: UUID) -> Response:
        """Paint the same file in another style, or with other options."""
        restyling = get_restyling(request.user, pk, "change")
        data = read_object(request.data)
        style = style_to_repeat(request.user, data, restyling)
        wishes = wishes_to_repeat(data, restyling, style)
        again = repeat_restyling(
            restyling=restyling,
            owner=request.user,
            style=style,
            options=parse_options(wishes, is_fast=style.is_fast),
        )
        return self.answer(again, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Download the result",
        description="A JPEG, or an MP4 with the sound of the video; Range is honoured. 409 while "
        "there is none.",
        responses={**FILES, **errors(401, 404, 409, 410, 429)},
    )
    @action(detail=True, pagination_class=None, content_negotiation_class=AnyNegotiation)
    def result(self, request: Request, pk: UUID) -> HttpResponseBase:
        """What was painted."""
        restyling = get_restyling(request.user, pk)
        derived = require_result(restyling)
        note_viewed(obj=restyling, user=request.user)
        return serve_file(
            request._request,
            file=derived.file,
            media_type=derived.media_type,
            filename=result_name(restyling),
        )

    @extend_schema(
        summary="Look at a painting while it is painted",
        description="The newest picture of it, its number in X-Preview; 204 while there is none.",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, 204: None, **errors(401, 404, 429)},
    )
    @action(detail=True, pagination_class=None, content_negotiation_class=AnyNegotiation)
    def preview(self, request: Request, pk: UUID) -> HttpResponseBase:
        """A JPEG, or nothing."""
        restyling = get_restyling(request.user, pk)
        newest = preview_of(restyling)
        if newest is None:
            response = HttpResponse(status=204)
        else:
            note_viewed(obj=restyling, user=request.user)
            response = HttpResponse(newest.jpeg, content_type="image/jpeg")
            response["X-Preview"] = str(newest.number)
            response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response

    @extend_schema(
        summary="Download the thumbnail of the result",
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            **errors(401, 404, 409, 410, 429),
        },
    )
    @action(detail=True, pagination_class=None, content_negotiation_class=AnyNegotiation)
    def thumbnail(self, request: Request, pk: UUID) -> HttpResponseBase:
        """A small JPEG of what was painted."""
        restyling = get_restyling(request.user, pk)
        require_result(restyling)
        if restyling.thumbnail is None:
            raise Http404("There is no thumbnail.")
        return serve_file(
            request._request,
            file=restyling.thumbnail.file,
            media_type="image/jpeg",
            filename="thumbnail.jpg",
        )

    def answer(self, restyling: Restyling, code: int = status.HTTP_200_OK) -> Response:
        """Describe a painting; one that is new says where it is."""
        data = self.get_serializer(restyling).data
        answer = Response(data, status=code)
        if code == status.HTTP_201_CREATED:
            answer["Location"] = data["urls"]["self"]
        return answer


def read_source(request: Request) -> tuple[str, UploadedFile[Any]]:
    """Return the one file that is to be painted, and the field it came in.

    Raises:
        InvalidError: ``missing_image`` or ``too_many_files``.
    """
    image, video = read_file(request, "image"), read_file(request, "video")
    if image is not None and video is not None:
        raise InvalidError({"video": "Send image or video, not both."}, "too_many_files")
    if video is not None:
        return "video", video
    if image is None:
        message = "Send a picture as multipart field image, or a video as video."
        raise InvalidError({"image": message}, "missing_image")
    return "image", image
