"""What the figures can be narrowed to, in the page and in REST alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.utils.dateparse import parse_date

from detector.analytics.days import DayRange, today
from detector.errors import OptionsError

RANGES: Mapping[str, str] = {
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "year": "Year",
    "all": "All time",
}
DAYS: Mapping[str, int] = {"7d": 7, "30d": 30, "90d": 90, "year": 365}
DEFAULT_RANGE = "30d"
OWNERS: Mapping[str, str] = {"": "Mine and shared", "me": "Only mine", "others": "Shared with me"}


@dataclass(frozen=True)
class AnalyticsFilters:
    """Which sessions and objects are counted; an empty value does not narrow.

    Attributes:
        range: A key of ``RANGES``, or ``custom`` when ``first`` or ``last`` is given.
        first: First day, or None: from the beginning.
        last: Last day.
        model: Name of the model that answered.
        class_name: Only objects of this class, and only sessions that have one.
        owner: ``me`` for one's own, ``others`` for what is shared with one.
    """

    range: str
    first: dt.date | None
    last: dt.date
    model: str = ""
    class_name: str = ""
    owner: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the days is narrowed."""
        return bool(self.model or self.class_name or self.owner)

    def days(self, first: dt.date | None) -> DayRange:
        """The days that are shown, where ``first`` is the first one with a session."""
        begin = self.first or first or self.last
        return DayRange(min(begin, self.last), self.last)


def parse_filters(query: Mapping[str, str], *, strict: bool = False) -> AnalyticsFilters:
    """Read range, from, to, model, class and owner.

    Raises:
        OptionsError: With ``strict``, when a value makes no sense; otherwise it does not narrow.
    """
    wrong: dict[str, str] = {}
    name = _choice("range", query, RANGES, wrong) or DEFAULT_RANGE
    owner = _choice("owner", query, ("me", "others"), wrong)
    since, until = _day("from", query, wrong), _day("to", query, wrong)
    if since and until and since > until:
        wrong["from"] = "from must not be later than to."
        since, until = until, since
    if strict and wrong:
        raise OptionsError(wrong)
    filters = _of_range(name)
    if since or until:
        filters = replace(filters, range="custom", first=since, last=until or filters.last)
        if since and since > filters.last:
            filters = replace(filters, last=since)
    return replace(
        filters, owner=owner, model=_plain("model", query), class_name=_plain("class", query)
    )


def _of_range(name: str) -> AnalyticsFilters:
    last = today()
    days = DAYS.get(name)
    return AnalyticsFilters(name, last - dt.timedelta(days=days - 1) if days else None, last)


def _choice(
    name: str, query: Mapping[str, str], allowed: Iterable[str], wrong: dict[str, str]
) -> str:
    value = query.get(name, "").strip()
    if value and value not in allowed:
        wrong[name] = f"{name} must be one of {', '.join(allowed)}."
        return ""
    return value


def _day(name: str, query: Mapping[str, str], wrong: dict[str, str]) -> dt.date | None:
    text = query.get(name, "").strip()
    try:
        day = parse_date(text) if text else None
        # Its midnight here must be in the calendar in every time zone.
        if day is not None and not 1970 <= day.year <= 9000:
            day = None
    except ValueError:
        day = None
    if text and day is None:
        wrong[name] = f"{name} must be a day such as 2026-01-31."
    return day


def _plain(name: str, query: Mapping[str, str]) -> str:
    # PostgreSQL refuses NUL in a text.
    return query.get(name, "").replace("\x00", "").strip()[:200]
