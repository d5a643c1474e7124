"""Styles over REST: list, add, look at, change, share, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from common.accounts.roles import require_may_create
from common.api.negotiation import AnyNegotiation
from common.api.pagination import CursorPages
from common.api.schema import errors
from common.permissions import can
from styletransfer.api.base import read_body, read_choice, read_file, read_picture, read_query
from styletransfer.api.schema import STYLE_FORM, STYLE_PARAMETERS
from styletransfer.api.serializers import StyleChangeSerializer, StyleSerializer
from styletransfer.errors import InvalidError, gone
from styletransfer.models import Style
from styletransfer.selectors import STYLE_FILTERS, STYLE_ORDERS, get_style, list_styles
from styletransfer.services.styles import add_style, delete_style, share_style, update_style
from styletransfer.style_pictures import serve_style_picture


class StylePages(CursorPages):
    """Cursor pages in the order that the query names."""

    max_page_size = 200

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        """Order by use, age or name."""
        return STYLE_ORDERS[read_order(request)]


@extend_schema(tags=["styles"])
class StyleViewSet(ListModelMixin, viewsets.GenericViewSet[Style]):
    """What pictures can be painted like."""

    queryset = Style.objects.none()
    serializer_class = StyleSerializer
    pagination_class = StylePages
    filter_backends: list[Any] = []
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Style]:
        """Those that the caller may use, as the query narrows them."""
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return list_styles(
            self.request.user,
            query=read_query(self.request),
            only=read_choice(self.request, "only", list(STYLE_FILTERS)),
            order=read_order(self.request),
        )

    @extend_schema(
        summary="List styles",
        parameters=STYLE_PARAMETERS,
        responses={200: StyleSerializer, **errors(400, 401, 404, 429)},
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page."""
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Add a style",
        description="A picture that others can be painted like. It is yours alone until you share "
        "it; it is kept at 1,536 pixels at most.",
        request={"multipart/form-data": STYLE_FORM},
        responses={
            201: StyleSerializer,
            **errors(400, 401, 403, 413, 415, 422, 429, 503, 507),
        },
    )
    def create(self, request: Request) -> Response:
        """Keep a picture as a style."""
        require_may_create(request.user)
        file = read_file(request, "image")
        if file is None:
            message = "Send a picture as multipart field image."
            raise InvalidError({"image": message}, "missing_image")
        style = add_style(
            owner=request.user,
            data=read_picture(file, "image"),
            file_name=file.name or "",
            name=str(request.POST.get("name") or ""),
            description=str(request.POST.get("description") or ""),
        )
        return self.answer(style, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Look at a style", responses={200: StyleSerializer, **errors(401, 404, 429)}
    )
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """What is known of it."""
        return self.answer(get_style(request.user, pk))

    @extend_schema(
        summary="Change or share a style",
        description="What is left out stays as it was. Only its owner can.",
        request=StyleChangeSerializer,
        responses={200: StyleSerializer, **errors(400, 401, 403, 404, 429)},
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Rename, describe or share it."""
        style = get_style(request.user, pk, "change")
        change = read_body(StyleChangeSerializer, request)
        audience = change.pop("audience", None)
        with transaction.atomic():
            if audience is not None:
                if not can(request.user, "share", style):
                    raise PermissionDenied
                style = share_style(style=style, user=request.user, audience=audience)
            if change:
                style = update_style(style=style, **change)
        return self.answer(style)

    @extend_schema(
        summary="Delete a style",
        description="What was painted in it stays, with its name. What is everybody's can be "
        "deleted by administrators, too.",
        responses={204: None, **errors(401, 403, 404, 429)},
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete it."""
        style = get_style(request.user, pk, "delete")
        if not delete_style(style=style, user=request.user):
            raise gone("style")
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Download the picture of a style",
        description="A JPEG. Of a fast style it is an example, and 404 until one was painted.",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 404, 429)},
    )
    @action(detail=True, pagination_class=None, content_negotiation_class=AnyNegotiation)
    def picture(self, request: Request, pk: UUID) -> HttpResponseBase:
        """The picture to paint like."""
        return serve_style_picture(request._request, get_style(request.user, pk), small=False)

    def answer(self, style: Style, code: int = status.HTTP_200_OK) -> Response:
        """Describe a style; one that is new says where it is."""
        data = self.get_serializer(style).data
        answer = Response(data, status=code)
        if code == status.HTTP_201_CREATED:
            answer["Location"] = data["picture"].removesuffix("picture/")
        return answer


def read_order(request: Request) -> str:
    """Return the order of a list of styles."""
    return read_choice(request, "order", list(STYLE_ORDERS), "popular")
