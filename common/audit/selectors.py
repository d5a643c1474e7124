"""Reading the log: newest first, page by page, at a cost that does not grow with its length."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from common.audit.models import AuditEntry
from common.filters import plain_text, read_moment

NEWEST_FIRST = ("-at", "-id")


@dataclass(frozen=True)
class AuditFilters:
    """Filters of the log; an empty value does not narrow.

    Attributes:
        action: A value of `AuditEntry.Action`.
        person: Name of the account that did it.
        q: Number of the object, or text that its name contains.
        since: Earliest moment (inclusive).
        until: Moment that is too late (exclusive).
    """

    action: str = ""
    person: str = ""
    q: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether anything is narrowed."""
        return self != AuditFilters()


def parse_filters(query: Mapping[str, str]) -> tuple[AuditFilters, dict[str, str]]:
    """Read filters from a query string: action, person, q, from, to.

    Returns:
        The filters, where a value that makes no sense does not narrow, and a sentence for each
        such value.
    """
    wrong: dict[str, str] = {}
    action = query.get("action", "").strip()
    if action and action not in AuditEntry.Action.values:
        wrong["action"] = f"action must be one of {', '.join(AuditEntry.Action.values)}."
        action = ""
    filters = AuditFilters(
        action=action,
        person=plain_text(query.get("person", ""), 150),
        q=plain_text(query.get("q", ""), 200),
        since=read_moment("from", query, wrong),
        until=read_moment("to", query, wrong, end=True),
    )
    return filters, wrong


def list_entries(filters: AuditFilters) -> QuerySet[AuditEntry]:
    """Return the lines that match, newest first."""
    wanted: dict[str, Any] = {
        "action": filters.action,
        "actor_name": filters.person,
        "at__gte": filters.since,
        "at__lt": filters.until,
    }
    entries = AuditEntry.objects.filter(**{name: value for name, value in wanted.items() if value})
    if filters.q:
        entries = entries.filter(Q(object_id=filters.q) | Q(object_name__icontains=filters.q))
    return entries.order_by(*NEWEST_FIRST)


def older_than(entries: QuerySet[AuditEntry], at: dt.datetime, pk: int) -> QuerySet[AuditEntry]:
    """Narrow to what comes after this line; both parts of the condition use the index."""
    return entries.filter(Q(at__lt=at) | Q(pk__lt=pk), at__lte=at)


def read_page(
    entries: QuerySet[AuditEntry], *, size: int, after: str = ""
) -> tuple[list[AuditEntry], str]:
    """Return one page, and where the next begins ("" when there is none).

    Args:
        entries: From `list_entries`.
        size: Lines per page.
        after: What the page before has returned; anything else begins at the newest.
    """
    position = _read_position(after)
    if position is not None:
        entries = older_than(entries, *position)
    found = list(entries[: size + 1])
    page = found[:size]
    return page, (position_of(page[-1]) if len(found) > size else "")


def position_of(entry: AuditEntry) -> str:
    """Return the place of a line, as it is written in an address."""
    return f"{entry.at.timestamp():.6f}_{entry.pk}"


def iterate(filters: AuditFilters, *, size: int = 1000) -> Iterator[list[AuditEntry]]:
    """Yield all lines that match in pieces; each is a query of its own, so no cursor stays open."""
    entries, after = list_entries(filters), ""
    while True:
        page, after = read_page(entries, size=size, after=after)
        if page:
            yield page
        if not after:
            return


def _read_position(text: str) -> tuple[dt.datetime, int] | None:
    seconds, _, number = text.partition("_")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    try:
        whole, _, fraction = seconds.partition(".")
        moment = dt.datetime.fromtimestamp(int(whole), dt.UTC)
        return moment + dt.timedelta(microseconds=int(f"{fraction:0<6}"[:6])), int(number)
    except (ValueError, OverflowError, OSError):
        return None
