"""Detected objects of all sessions as one resource."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.pagination import CursorPages
from common.api.schema import errors
from detector.api.results import MASK_FORMS, OBJECT_COLUMNS, rows_json
from detector.api.schema import MASKS_PARAMETER
from detector.api.serializers import StoredObjectSerializer
from detector.errors import OptionsError
from detector.models import DetectedObject
from detector.selectors import list_objects


class ObjectPagination(CursorPages):
    """Objects in the order in which they were stored: strongest first in each session."""

    page_size = 300
    max_page_size = 1000
    ordering = "id"


class NewestObjectPagination(ObjectPagination):
    """Objects of many sessions, the last one stored first."""

    ordering = "-id"


class ObjectListView(GenericAPIView[DetectedObject]):
    """What was found in all pictures."""

    queryset = DetectedObject.objects.none()
    serializer_class = StoredObjectSerializer
    pagination_class = NewestObjectPagination
    filter_backends: list[Any] = []

    @extend_schema(
        summary="List objects",
        tags=["objects"],
        operation_id="objects_list",
        parameters=[
            OpenApiParameter("session", OpenApiTypes.UUID, description="Only of this session."),
            OpenApiParameter("class", description="Only of this class."),
            OpenApiParameter("min_confidence", OpenApiTypes.DOUBLE),
            MASKS_PARAMETER,
        ],
        responses={200: StoredObjectSerializer(many=True), **errors(400, 401, 404, 429)},
    )
    def get(self, request: Request) -> Response:
        """Objects of all sessions, the newest first."""
        masks = read_mask_form(request)
        queryset = list_objects(request.user)
        session = request.query_params.get("session")
        if session:
            queryset = queryset.filter(session=_uuid(session))
        page = self.paginate_queryset(object_rows(request, queryset))
        return self.get_paginated_response(rows_json(page or [], masks=masks))


def object_rows(request: Request, queryset: QuerySet[DetectedObject]) -> Any:
    """Narrow by the query's ``class`` and ``min_confidence``; tuples of ``OBJECT_COLUMNS``."""
    name = request.query_params.get("class")
    if name:
        queryset = queryset.filter(class_name=name.replace("\x00", ""))
    least = request.query_params.get("min_confidence")
    if least:
        try:
            number = float(least)
        except ValueError:
            number = -1.0
        if not 0.0 <= number <= 1.0:
            raise OptionsError({"min_confidence": "min_confidence must be a number from 0 to 1."})
        queryset = queryset.filter(confidence__gte=number)
    return queryset.values_list(*OBJECT_COLUMNS, named=True)


def read_mask_form(request: Request) -> str:
    """The query's ``masks``: polygons, rle or none."""
    form = request.query_params.get("masks") or "polygons"
    if form not in MASK_FORMS:
        raise OptionsError({"masks": f"masks must be one of {', '.join(MASK_FORMS)}."})
    return form


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise OptionsError({"session": "session must be the id of a session."}) from None
