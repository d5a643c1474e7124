"""What a list of live events can be narrowed by, in pages and REST alike."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from django.db.models import Q, QuerySet

from common.dates import parse_moment
from common.errors import ServiceError
from common.filters import plain_text
from video_analysis.models import CameraEvent

MOST_NUMBER = 2**63 - 1
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class FilterError(ServiceError):
    """Filters that make no sense; ``fields`` says which and why."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("invalid", " ".join(wrong.values()), fields=wrong)


@dataclass(frozen=True)
class EventFilters:
    """Filters of a list of live events; an empty value does not narrow.

    Attributes:
        camera: Id of a camera, or its name.
        label: Class of the object.
        zone: Id of a zone, or its name; what happened in one that is gone keeps the name.
        line: Id of a counting line, or its name.
        kind: A value of ``CameraEvent.Kind``.
        direction: Name of a direction of a line.
        after: Earliest start (inclusive).
        before: Start that is too late (exclusive).
        since: Only what has changed after this sequence number.
        ongoing: Only what goes on still, or only what has ended.
    """

    camera: int | str = ""
    label: str = ""
    zone: int | str = ""
    line: int | str = ""
    kind: str = ""
    direction: str = ""
    after: dt.datetime | None = None
    before: dt.datetime | None = None
    since: int | None = None
    ongoing: bool | None = None

    @property
    def is_active(self) -> bool:
        """Whether anything is narrowed."""
        return any(getattr(self, field.name) not in ("", None) for field in fields(self))


def parse_event_filters(query: Mapping[str, str], *, strict: bool = False) -> EventFilters:
    """Read filters from a query string.

    Args:
        query: The query's parameters, named as the attributes of ``EventFilters``. ``after`` and
            ``before`` are days, moments in ISO 8601 or seconds since 1970.
        strict: Whether a value that makes no sense is an error; otherwise it does not narrow.

    Raises:
        FilterError: With ``strict``, when a value makes no sense.
    """
    wrong: dict[str, str] = {}
    filters = EventFilters(
        camera=_named("camera", query, wrong),
        label=plain_text(query.get("label", ""), 100),
        zone=_named("zone", query, wrong),
        line=_named("line", query, wrong),
        kind=_kind(query, wrong),
        direction=plain_text(query.get("direction", ""), 32),
        after=_moment("after", query, wrong),
        before=_moment("before", query, wrong),
        since=_sequence(query, wrong),
        ongoing=_ongoing(query, wrong),
    )
    if strict and wrong:
        raise FilterError(wrong)
    return filters


def filter_events(rows: QuerySet[CameraEvent], filters: EventFilters) -> QuerySet[CameraEvent]:
    """Narrow, but do not order, a query of live events."""
    exact = {
        "label": filters.label,
        "kind": filters.kind,
        "direction": filters.direction,
        "start__gte": filters.after,
        "start__lt": filters.before,
        "sequence__gt": filters.since,
        "end__isnull": filters.ongoing,
    }
    narrowed = rows.filter(
        **{name: value for name, value in exact.items() if value not in ("", None)}
    )
    for found in (_at_camera(filters), _in_zone(filters), _over_line(filters)):
        narrowed = narrowed.filter(found)
    return narrowed


def _at_camera(filters: EventFilters) -> Q:
    if isinstance(filters.camera, int):
        return Q(camera=filters.camera)
    return Q(camera__name=filters.camera) if filters.camera else Q()


def _in_zone(filters: EventFilters) -> Q:
    if isinstance(filters.zone, int):
        return Q(zone=filters.zone)
    named = Q(place=filters.zone) & ~Q(kind=CameraEvent.Kind.CROSSING)
    return named if filters.zone else Q()


def _over_line(filters: EventFilters) -> Q:
    if isinstance(filters.line, int):
        return Q(line=filters.line)
    named = Q(place=filters.line, kind=CameraEvent.Kind.CROSSING)
    return named if filters.line else Q()


def _named(name: str, query: Mapping[str, str], wrong: dict[str, str]) -> int | str:
    text = plain_text(query.get(name, ""), 100)
    if not (text.isascii() and text.isdigit()):
        return text
    if int(text) > MOST_NUMBER:
        wrong[name] = f"{name} must be a number or a name."
        return ""
    return int(text)


def _kind(query: Mapping[str, str], wrong: dict[str, str]) -> str:
    kind = query.get("kind", "").strip()
    if kind and kind not in CameraEvent.Kind.values:
        wrong["kind"] = f"kind must be one of {', '.join(CameraEvent.Kind.values)}."
        return ""
    return kind


def _moment(name: str, query: Mapping[str, str], wrong: dict[str, str]) -> dt.datetime | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        seconds = _as_number(text)
        return parse_moment(text) if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        wrong[name] = (
            f"{name} must be a moment such as 2026-01-31T08:00:00Z, or seconds since 1970."
        )
        return None


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or "_" in text:
        raise ValueError("no moment")
    return number


def _sequence(query: Mapping[str, str], wrong: dict[str, str]) -> int | None:
    text = query.get("since", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit() and int(text[:20]) <= MOST_NUMBER and len(text) <= 19:
        return int(text)
    wrong["since"] = "since must be a sequence number, 0 or more."
    return None


def _ongoing(query: Mapping[str, str], wrong: dict[str, str]) -> bool | None:
    text = query.get("ongoing", "").strip().lower()
    if text and text not in BOOLEANS:
        wrong["ongoing"] = "ongoing must be true or false."
    return BOOLEANS.get(text)
