"""Areas over REST."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.pagination import CursorPages
from common.api.schema import errors
from video_analysis.cameras import services
from video_analysis.cameras.api.base import MayConfigureOrRead
from video_analysis.cameras.api.serializers import AreaChangeSerializer, AreaSerializer
from video_analysis.cameras.models import Area
from video_analysis.cameras.selectors import get_area, list_areas


class ByName(CursorPages):
    """In the order of their names."""

    ordering = ("name",)
    max_page_size = 200


@extend_schema_view(
    list=extend_schema(
        summary="List areas",
        description="Those with a camera that the caller may watch; administrators see all.",
        responses={200: AreaSerializer(many=True), **errors(401, 404, 429)},
    ),
    retrieve=extend_schema(
        summary="Look at an area", responses={200: AreaSerializer, **errors(401, 404, 429)}
    ),
)
@extend_schema(tags=["cameras"])
class AreaViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Area]):
    """Parts of the premises."""

    queryset = Area.objects.none()
    serializer_class = AreaSerializer
    permission_classes = [IsAuthenticated, MayConfigureOrRead]
    pagination_class = ByName
    filter_backends: list[Any] = []
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Area]:
        """Only what the caller may see."""
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return list_areas(self.request.user)

    @extend_schema(
        summary="Add an area",
        description="For administrators.",
        request=AreaSerializer,
        responses={201: AreaSerializer, **errors(400, 401, 403, 429)},
    )
    def create(self, request: Request) -> Response:
        """Add an area."""
        values = {"name": "", **_values(AreaSerializer, request)}
        area = services.create_area(actor=request.user, **values)
        return Response(AreaSerializer(area).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change an area",
        description="What is left out stays as it is. For administrators.",
        request=AreaChangeSerializer,
        responses={200: AreaSerializer, **errors(400, 401, 403, 404, 429)},
    )
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        """Change an area: its name, and what may be done with faces there."""
        area = get_area(request.user, pk, "change")
        values = _values(AreaChangeSerializer, request)
        area = services.update_area(actor=request.user, area=area, **values)
        return Response(AreaSerializer(area).data)

    @extend_schema(
        summary="Delete an area",
        description="Its cameras stay, without one. For administrators.",
        responses={204: None, **errors(401, 403, 404, 429)},
    )
    def destroy(self, request: Request, pk: Any = None) -> Response:
        """Delete an area."""
        services.delete_area(actor=request.user, area=get_area(request.user, pk, "delete"))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _values(serializer: type[AreaSerializer], request: Request) -> dict[str, Any]:
    # Partial, or a switch that a form leaves out would be one that is off.
    body = serializer(data=request.data, partial=True)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
