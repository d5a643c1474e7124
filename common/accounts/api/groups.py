"""Groups that sessions can be shared with."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from common.accounts.groups import group_ids_of, groups_to_share_with
from common.api.pagination import CursorPages
from common.api.schema import errors


class GroupSerializer(serializers.Serializer[Any]):
    """A group of people."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    member = serializers.BooleanField(help_text="Whether the caller is in it.")


class GroupPages(CursorPages):
    """By name."""

    ordering = ("name",)
    max_page_size = 200


class GroupListView(GenericAPIView[Group]):
    """Groups."""

    queryset = Group.objects.none()
    serializer_class = GroupSerializer
    pagination_class = GroupPages
    filter_backends: list[Any] = []

    @extend_schema(
        operation_id="groups_list",
        summary="List groups",
        description="The groups that the caller is in, by name; for administrators all.",
        tags=["account"],
        responses={200: GroupSerializer(many=True), **errors(401, 404, 429)},
    )
    def get(self, request: Request) -> Response:
        """The groups, by name."""
        mine = group_ids_of(request.user)
        groups = [
            {"id": group.pk, "name": group.name, "member": group.pk in mine}
            for group in self.paginate_queryset(groups_to_share_with(request.user)) or []
        ]
        return self.get_paginated_response(GroupSerializer(groups, many=True).data)
