"""What the administration adds to the log."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from common.audit.models import AuditEntry
from common.audit.services import record


class AuditedDeletions:
    """A mixin for admin classes: rows that are deleted together are written down one by one.

    Django notes several at once without signals; single ones arrive at `common.audit.receivers`.
    """

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Note what is about to be deleted."""
        rows = list(queryset)
        noted = super().log_deletions(request, queryset)  # type: ignore[misc]
        if len(rows) > 1:
            for row in rows:
                record(
                    action=AuditEntry.Action.DELETED,
                    actor=request.user,
                    obj=row,
                    owner=getattr(row, "owner", None),
                    details={"in": "administration"},
                )
        return noted
