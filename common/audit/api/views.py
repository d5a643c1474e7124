"""The log over REST."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request

from common.api.pagination import CursorPages
from common.api.permissions import IsAdministrator
from common.api.schema import errors
from common.audit.models import AuditEntry
from common.audit.selectors import NEWEST_FIRST, list_entries, parse_filters
from common.audit.sentences import sentence_of

FILTERS = [
    OpenApiParameter("action", enum=AuditEntry.Action.values, description="What was done."),
    OpenApiParameter("person", description="Name of the account that did it."),
    OpenApiParameter("q", description="Number of the object, or text that its name contains."),
    OpenApiParameter("from", description="From this day or moment, e.g. 2026-01-31."),
    OpenApiParameter("to", description="Up to the end of this day, or to this moment."),
]


class AuditSerializer(serializers.ModelSerializer[AuditEntry]):
    """One line of the log."""

    sentence = serializers.SerializerMethodField(help_text="What happened, in words.")
    details = serializers.SerializerMethodField(help_text="What else is known; depends on action.")

    class Meta:
        model = AuditEntry
        fields = [
            *("id", "at", "action", "sentence", "actor_id", "actor_name"),
            *("object_type", "object_id", "object_name", "owner_name", "address", "via", "details"),
        ]
        read_only_fields = fields

    def get_sentence(self, entry: AuditEntry) -> str:
        """Return the line as the page shows it."""
        return sentence_of(entry)

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_details(self, entry: AuditEntry) -> dict[str, Any]:
        """Return the details as they are stored."""
        return dict(entry.details)


class NewestLines(CursorPages):
    """Cursor pages, newest first."""

    ordering = NEWEST_FIRST
    page_size = 100
    max_page_size = 1000


class AuditView(generics.ListAPIView[AuditEntry]):
    """The audit log."""

    serializer_class = AuditSerializer
    pagination_class = NewestLines
    permission_classes = [IsAdministrator]
    filter_backends = []

    @extend_schema(
        tags=["audit"],
        summary="Read the audit log",
        description="Who did what, newest first; for administrators.",
        parameters=FILTERS,
        responses={200: AuditSerializer(many=True), **errors(400, 401, 403, 404, 429)},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Return one page."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[AuditEntry]:
        """Narrow as the query says.

        Raises:
            ValidationError: A value makes no sense.
        """
        if getattr(self, "swagger_fake_view", False):
            return AuditEntry.objects.none()
        filters, wrong = parse_filters(self.request.query_params)
        if wrong:
            raise serializers.ValidationError(wrong)
        return list_entries(filters)
