"""Pages of lists."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class CursorPages(CursorPagination):
    """Pages by cursor: stable while rows are added, constant in cost."""

    page_size_query_param = "page_size"
    invalid_cursor_message = "This list has given no such cursor."

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Return one page; a cursor whose position fits no column is answered with 404.

        A cursor is only text in base64: whoever makes one up decides what is compared.
        """
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, DataError, ValueError, TypeError, OverflowError):
            if not request.query_params.get(self.cursor_query_param):
                raise
            raise NotFound(self.invalid_cursor_message) from None


class NewestFirstPagination(CursorPages):
    """The newest first."""

    ordering = ("-created_at", "-id")
    max_page_size = 200
