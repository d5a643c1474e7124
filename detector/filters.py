"""What a list of sessions can be narrowed and ordered by, in pages and REST alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from common.filters import plain_text, read_moment
from detector.errors import OptionsError
from detector.models import DetectedObject, DetectionSession

ORDERS: Mapping[str, tuple[str, ...]] = {
    "newest": ("-created_at", "-id"),
    "oldest": ("created_at", "id"),
    "name": ("name", "-created_at", "-id"),
    "objects": ("-object_count", "-created_at", "-id"),
}

OWNERS = ["me", "others"]


@dataclass(frozen=True)
class SessionFilters:
    """Filters of a list of sessions; an empty value does not narrow.

    Attributes:
        q: Text that the name contains, without regard to case.
        owner: ``me`` for one's own, ``others`` for what is shared with one.
        kind: A value of ``DetectionSession.Kind``.
        status: A value of ``DetectionSession.Status``.
        task: A value of ``DetectionSession.Task``.
        model: Name of the model that answered or was asked for.
        class_name: Class that at least one object or track of the session has.
        since: Earliest moment of creation (inclusive).
        until: Moment of creation that is too late (exclusive).
        order: A key of ``ORDERS``.
    """

    q: str = ""
    owner: str = ""
    kind: str = ""
    status: str = ""
    task: str = ""
    model: str = ""
    class_name: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    order: str = "newest"

    @property
    def is_active(self) -> bool:
        """Whether anything is narrowed (the order does not count)."""
        return any(
            (
                *(self.q, self.owner, self.kind, self.status, self.task),
                *(self.model, self.class_name, self.since, self.until),
            )
        )


def parse_filters(query: Mapping[str, str], *, strict: bool = False) -> SessionFilters:
    """Read filters from a query string.

    They are q, owner, kind, status, task, model, class, from, to, order.

    Args:
        query: The query's parameters. ``from`` and ``to`` are dates (``to`` is inclusive) or
            moments in ISO 8601.
        strict: Whether a value that makes no sense is an error; otherwise it does not narrow.

    Raises:
        OptionsError: With ``strict``, when a value makes no sense.
    """
    fields: dict[str, str] = {}

    def choice(name: str, allowed: Mapping[str, object] | list[str]) -> str:
        value = query.get(name, "").strip()
        if value and value not in allowed:
            fields[name] = f"{name} must be one of {', '.join(allowed)}."
            return ""
        return value

    filters = SessionFilters(
        q=plain_text(query.get("q", ""), 200),
        owner=choice("owner", OWNERS),
        kind=choice("kind", DetectionSession.Kind.values),
        status=choice("status", DetectionSession.Status.values),
        task=choice("task", DetectionSession.Task.values),
        model=plain_text(query.get("model", ""), 200),
        class_name=plain_text(query.get("class", ""), 200),
        since=read_moment("from", query, fields, end=False),
        until=read_moment("to", query, fields, end=True),
        order=choice("order", ORDERS) or "newest",
    )
    if strict and fields:
        raise OptionsError(fields)
    return filters


def filter_sessions(
    queryset: QuerySet[DetectionSession], filters: SessionFilters
) -> QuerySet[DetectionSession]:
    """Narrow, but do not order, a query of sessions."""
    if filters.q:
        queryset = queryset.filter(name__icontains=filters.q)
    if filters.kind:
        queryset = queryset.filter(kind=filters.kind)
    if filters.status == DetectionSession.Status.DONE:
        queryset = queryset.filter(Q(job__isnull=True) | Q(job__state=filters.status))
    elif filters.status:
        queryset = queryset.filter(job__state=filters.status)
    if filters.task:
        queryset = queryset.filter(task=filters.task)
    if filters.model:
        queryset = queryset.filter(Q(model=filters.model) | Q(requested_model=filters.model))
    if filters.since:
        queryset = queryset.filter(created_at__gte=filters.since)
    if filters.until:
        queryset = queryset.filter(created_at__lt=filters.until)
    if filters.class_name:
        has_class = DetectedObject.objects.filter(
            session=OuterRef("pk"), class_name=filters.class_name
        )
        # Of what is counted as tracks there are no rows of objects, only the counts.
        is_counted = Q(kind=DetectionSession.Kind.VIDEO, class_counts__has_key=filters.class_name)
        queryset = queryset.filter(Exists(has_class) | is_counted)
    return queryset
