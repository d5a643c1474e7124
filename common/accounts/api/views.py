"""Who I am, and the tokens of my programs."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from knox.models import get_token_model
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.accounts import services
from common.accounts.api.serializers import (
    MadeTokenSerializer,
    MeSerializer,
    NewTokenSerializer,
    TokenSerializer,
)
from common.accounts.selectors import list_tokens
from common.api.pagination import CursorPages
from common.api.schema import errors
from common.errors import ServiceError
from common.permissions import get_visible_or_404

SESSION_REQUIRED = "Sign in with a browser for that: a token can neither make nor revoke others."


class TokenPages(CursorPages):
    """The newest first."""

    ordering = ("-created", "-token_key")
    max_page_size = 200


class MeView(APIView):
    """Who asks."""

    @extend_schema(
        operation_id="me",
        summary="Who am I?",
        tags=["account"],
        responses={200: MeSerializer, **errors(401, 429)},
    )
    def get(self, request: Request) -> Response:
        """Name, role and groups of the caller, and the token that was sent."""
        return Response(MeSerializer(request.user, context={"token": request.auth}).data)


class TokenListView(GenericAPIView[Any]):
    """The caller's tokens."""

    queryset = get_token_model().objects.none()
    serializer_class = TokenSerializer
    pagination_class = TokenPages
    filter_backends: list[Any] = []

    def get_queryset(self) -> QuerySet[Any]:
        """Only the caller's own."""
        return list_tokens(self.request.user)

    @extend_schema(
        operation_id="tokens_list",
        summary="List my tokens",
        tags=["account"],
        responses={200: TokenSerializer(many=True), **errors(401, 404, 429)},
    )
    def get(self, request: Request) -> Response:
        """The newest first; of each its first characters only."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(TokenSerializer(page, many=True).data)

    @extend_schema(
        operation_id="tokens_create",
        summary="Make a token",
        description="Needs a browser's session: a token cannot make another.",
        tags=["account"],
        request=NewTokenSerializer,
        responses={201: MadeTokenSerializer, **errors(400, 401, 403, 409, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """The answer carries the token, this once."""
        if request.auth is not None:
            raise ServiceError("session_required", SESSION_REQUIRED, status=403)
        wanted = NewTokenSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        token, text = services.create_token(
            owner=request.user,
            name=wanted.validated_data["name"],
            scope=wanted.validated_data["scope"],
            days=wanted.validated_data["expires_in_days"],
        )
        token.token = text
        answer = Response(MadeTokenSerializer(token).data, status=status.HTTP_201_CREATED)
        answer["Cache-Control"] = "no-store"
        return answer


class TokenView(APIView):
    """One of the caller's tokens."""

    @extend_schema(
        operation_id="tokens_delete",
        summary="Revoke a token",
        description="A program may revoke the token that it uses; any other needs a session.",
        tags=["account"],
        responses={204: None, **errors(401, 403, 404, 429)},
    )
    def delete(self, request: Request, key: str) -> Response:
        """Programs that use it are refused within seconds, on every server."""
        tokens = list_tokens(request.user)
        token = get_visible_or_404(request.user, tokens, verb="delete", token_key=key)
        if request.auth is not None and request.auth.pk != token.pk:
            raise ServiceError("session_required", SESSION_REQUIRED, status=403)
        services.revoke_token(actor=request.user, token=token)
        return Response(status=status.HTTP_204_NO_CONTENT)
