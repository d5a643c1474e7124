"""Sessions as a resource: list, make, look at, rename, run again, cancel, delete, download."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.accounts.roles import require_may_create
from common.api.negotiation import AnyNegotiation
from common.api.schema import errors
from common.audit.looks import note_exported, note_viewed
from common.media import serve_file
from common.uploads.services import require_picture
from detector.api.base import read_options
from detector.api.detect import read_files
from detector.api.managing import SessionResource
from detector.api.objects import ObjectPagination, object_rows, read_mask_form
from detector.api.results import rows_json
from detector.api.schema import MASKS_PARAMETER, SESSION_FILTERS, form_options
from detector.api.serializers import (
    RerunSerializer,
    SessionChangeSerializer,
    SessionSerializer,
    StoredObjectSerializer,
)
from detector.errors import DetectorError
from detector.filters import SessionFilters
from detector.models import DetectedObject, DetectionSession
from detector.selectors import list_sessions
from detector.services.exports import EXPORTS, export_session, file_response
from detector.services.options import DetectionOptions
from detector.services.sessions import (
    queue_picture,
    refuse_video,
    rerun_session,
)

_CREATE_FORM = form_options(many=False, masks=False, save=False)
_CREATE_FORM["properties"] |= {
    "task": {"type": "string", "enum": ["detect", "segment"], "default": "detect"},
    "name": {"type": "string", "maxLength": 200, "description": "The file's name when left out."},
}


@extend_schema_view(
    list=extend_schema(
        summary="List sessions",
        parameters=SESSION_FILTERS,
        responses={200: SessionSerializer, **errors(400, 401, 404, 429)},
    ),
    retrieve=extend_schema(
        summary="Look at a session",
        responses={200: SessionSerializer, **errors(401, 404, 429)},
    ),
    destroy=extend_schema(
        summary="Delete a session",
        description="Its objects and job go with it, and the picture with its last session. A "
        "session that is running is cancelled first.",
        responses={204: None, **errors(401, 403, 404, 429)},
    ),
    partial_update=extend_schema(
        summary="Rename or share a session",
        description="What is left out stays as it was. Only its owner can share it.",
        request=SessionChangeSerializer,
        responses={200: SessionSerializer, **errors(400, 401, 403, 404, 429)},
    ),
    cancel=extend_schema(
        summary="Cancel",
        request=None,
        responses={200: SessionSerializer, **errors(401, 403, 404, 409, 429)},
    ),
    retry=extend_schema(
        summary="Retry",
        request=None,
        responses={200: SessionSerializer, **errors(401, 403, 404, 409, 429)},
    ),
)
@extend_schema(tags=["sessions"])
class SessionViewSet(SessionResource):
    """Runs of models over pictures; those over videos are listed with them."""

    serializer_class = SessionSerializer

    def list_visible(self, filters: SessionFilters | None = None) -> QuerySet[DetectionSession]:
        """Only what the caller may see: anything else is not there."""
        return list_sessions(self.request.user, filters)

    @extend_schema(
        summary="Queue a picture",
        description="Answers at once with a session whose job runs in the background.",
        request={"multipart/form-data": _CREATE_FORM},
        responses={201: SessionSerializer, **errors(400, 401, 403, 413, 415, 422, 429, 507)},
    )
    def create(self, request: Request) -> Response:
        """Store a picture and queue its session."""
        require_may_create(request.user)
        form = request.POST
        files = read_files(request)
        if len(files) > 1:
            message = "A session has one picture; send one request for each."
            raise DetectorError("too_many_files", message, fields={"image": message})
        options = read_options(form, task=str(form.get("task") or "detect"))
        (file,) = files
        session = queue_picture(
            owner=request.user,
            data=file.read(),
            file_name=file.name,
            options=options,
            name=str(form.get("name") or ""),
            source=DetectionSession.Source.API,
        )
        return self.answer(session, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Run again",
        description="A new session over the same picture.",
        request=RerunSerializer,
        responses={201: SessionSerializer, **errors(400, 401, 403, 404, 409, 429)},
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def rerun(self, request: Request, pk: Any = None) -> Response:
        """Run another model, or other thresholds, over the same picture."""
        session = self.get_object()
        refuse_video(session)
        options = read_options(
            request.data,
            task=_task(request.data) or session.task,
            defaults=stored_options(session),
        )
        again = rerun_session(session=session, owner=request.user, options=options)
        return self.answer(again, status.HTTP_201_CREATED)

    @extend_schema(
        summary="List a session's objects",
        parameters=[
            MASKS_PARAMETER,
            OpenApiParameter("class", description="Only objects of this class."),
            OpenApiParameter("min_confidence", OpenApiTypes.DOUBLE),
        ],
        responses={200: StoredObjectSerializer(many=True), **errors(400, 401, 404, 429)},
        tags=["objects"],
    )
    @action(detail=True, pagination_class=ObjectPagination)
    def objects(self, request: Request, pk: Any = None) -> Response:
        """The objects that were found, strongest first."""
        masks = read_mask_form(request)
        session = self.get_object()
        rows = object_rows(request, DetectedObject.objects.filter(session=session))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(rows_json(page or [], masks=masks))

    @extend_schema(
        summary="Download the picture",
        responses={(200, "image/*"): OpenApiTypes.BINARY, **errors(401, 404, 409, 410, 429)},
    )
    @action(detail=True, pagination_class=None, content_negotiation_class=AnyNegotiation)
    def picture(self, request: Request, pk: Any = None) -> HttpResponseBase:
        """The picture as it was uploaded."""
        session = self.get_object()
        refuse_video(session)
        upload = require_picture(session.upload)
        note_viewed(obj=session, user=request.user)
        return serve_file(
            request, file=upload.file, media_type=upload.media_type, filename=upload.name
        )

    @extend_schema(
        summary="Download the thumbnail",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 404, 410, 429)},
    )
    @action(detail=True, pagination_class=None, content_negotiation_class=AnyNegotiation)
    def thumbnail(self, request: Request, pk: Any = None) -> HttpResponseBase:
        """A small JPEG of the picture."""
        upload = require_picture(self.get_object().upload)
        return serve_file(
            request, file=upload.thumbnail, media_type="image/jpeg", filename="thumbnail.jpg"
        )

    @extend_schema(
        summary="Download the result",
        parameters=[
            OpenApiParameter(
                "format",
                enum=list(EXPORTS),
                default="json",
                description="json, coco (JSON), yolo (a zip with labels and classes.txt), csv, or "
                "png (the annotated picture).",
            )
        ],
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "application/zip"): OpenApiTypes.BINARY,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "image/png"): OpenApiTypes.BINARY,
            **errors(400, 401, 404, 409, 410, 429),
        },
    )
    @action(detail=True, pagination_class=None, content_negotiation_class=AnyNegotiation)
    def export(self, request: Request, pk: Any = None) -> HttpResponseBase:
        """The result as a file."""
        form = request.query_params.get("format") or "json"
        session = self.get_object()
        file = export_session(session=session, form=form)
        note_exported(obj=session, user=request.user, form=form)
        return file_response(file)


def stored_options(session: DetectionSession) -> DetectionOptions:
    """The options of a session as they are stored; judged when they are used again."""
    return DetectionOptions(
        task="segment" if session.task == "segment" else "detect",
        model=session.requested_model,
        confidence=session.confidence,
        iou=session.iou,
        classes=tuple(session.classes),
    )


def _task(data: Any) -> str:
    return str(data.get("task") or "") if hasattr(data, "get") else ""
