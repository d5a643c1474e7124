"""What a list of jobs can be narrowed and ordered by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from common.errors import ServiceError
from common.filters import plain_text, read_moment
from common.jobs.models import Job
from common.permissions import visible

ORDERS: Mapping[str, tuple[str, ...]] = {
    "newest": ("-created_at", "-id"),
    "oldest": ("created_at", "id"),
}


@dataclass(frozen=True)
class JobFilters:
    """Filters of a list of jobs; an empty value does not narrow.

    Attributes:
        status: A value of `Job.State`.
        kind: E.g. "detector.detect".
        queue: E.g. "inference".
        since: Earliest moment of creation (inclusive).
        until: Moment of creation that is too late (exclusive).
        order: A key of `ORDERS`.
    """

    status: str = ""
    kind: str = ""
    queue: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    order: str = "newest"


def parse_job_filters(query: Mapping[str, str]) -> JobFilters:
    """Read filters from a query string: status, kind, queue, from, to, order.

    Raises:
        ServiceError: `invalid`, with a sentence for every value that makes no sense.
    """
    fields: dict[str, str] = {}
    filters = JobFilters(
        status=_choice("status", query, fields, Job.State.values),
        kind=plain_text(query.get("kind", ""), 64),
        queue=plain_text(query.get("queue", ""), 64),
        since=read_moment("from", query, fields),
        until=read_moment("to", query, fields, end=True),
        order=_choice("order", query, fields, list(ORDERS)) or "newest",
    )
    if fields:
        raise ServiceError("invalid", " ".join(fields.values()), fields=fields)
    return filters


def list_jobs(user: Any, filters: JobFilters | None = None) -> QuerySet[Job]:
    """Jobs that `user` may see, the newest first unless asked otherwise."""
    filters = filters or JobFilters()
    wanted: dict[str, Any] = {
        "state": filters.status,
        "kind": filters.kind,
        "queue": filters.queue,
        "created_at__gte": filters.since,
        "created_at__lt": filters.until,
    }
    jobs = Job.objects.filter(**{name: value for name, value in wanted.items() if value})
    return visible(user, jobs).order_by(*ORDERS[filters.order])


def _choice(name: str, query: Mapping[str, str], fields: dict[str, str], allowed: list[str]) -> str:
    value = query.get(name, "").strip()
    if value and value not in allowed:
        fields[name] = f"{name} must be one of {', '.join(allowed)}."
    return value
