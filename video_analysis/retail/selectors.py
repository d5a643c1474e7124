"""Reading visits."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from common.filters import plain_text, read_moment
from common.permissions import Verb, can, get_visible_or_404, visible
from common.permissions.rules import Viewer
from video_analysis.cameras.models import Area
from video_analysis.models import Visitor
from video_analysis.retail.models import Visit
from video_analysis.retail.services.interactions import customers, of_staff

LARGEST: Final = 2**31 - 1
KINDS: Final = {"customer": "Customers", "staff": "Staff"}
MOST_DAYS: Final = 31


@dataclass(frozen=True)
class VisitFilters:
    """Which visits a list shows.

    Attributes:
        area: Id of the area.
        person: Id of the person.
        q: Words that the name of the person has.
        kind: "customer", "staff", or empty for both.
        since: Visits that went on at this moment or later.
        until: Visits that began before this moment.
        open: Whether they go on; None for both.
    """

    area: int | None = None
    person: UUID | None = None
    q: str = ""
    kind: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    open: bool | None = None

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return self != VisitFilters()


@dataclass(frozen=True)
class DayFigures:
    """The visits of customers that began on one day.

    Attributes:
        day: In the installation's time zone.
        visits: How many.
        stay: Median seconds of those that are over; None for none.
        waiting: Median seconds until somebody was served; None where nobody was.
        served: How many were served.
    """

    day: dt.date
    visits: int = 0
    stay: float | None = None
    waiting: float | None = None
    served: int = 0


def visits_of(user: Viewer) -> QuerySet[Visit]:
    """Return the visits that somebody may see, with areas and people, newest first."""
    rows = visible(user, Visit.objects.all())
    return rows.select_related("area", "profile", "visitor").order_by("-entry", "-pk")


def get_visit(user: Viewer, visit_id: UUID) -> Visit:
    """Return one visit.

    Raises:
        Http404: There is none, or the user may not see it.
    """
    rows = Visit.objects.select_related("area", "profile", "visitor")
    return get_visible_or_404(user, rows, pk=visit_id)


def get_visitor(user: Viewer, visitor_id: UUID, verb: Verb = "view") -> Visitor:
    """Return a visitor without a name to do `verb` to them.

    Raises:
        Http404: There is none any more, or the user may not see them.
        PermissionDenied: They may see them, but not do that.
    """
    return get_visible_or_404(user, Visitor.objects.all(), verb=verb, pk=visitor_id)


def may_name(user: Viewer, visit: Visit) -> bool:
    """Tell whether somebody may say who it was: a visitor whose faces are not forgotten."""
    visitor = visit.visitor
    if visitor is None or not can(user, "change", visitor):
        return False
    return visitor.faces.filter(expires_at__gt=timezone.now()).exists()


def areas_of(user: Viewer) -> list[Area]:
    """Return the areas whose visits somebody may see."""
    return list(visible(user, Area.objects.all()).order_by("name"))


def read_filters(query: Mapping[str, str]) -> tuple[VisitFilters, dict[str, str]]:
    """Read the filters of an address, and a sentence for each that makes no sense."""
    wrong: dict[str, str] = {}
    filters = VisitFilters(
        q=plain_text(query.get("q", ""), 100),
        since=read_moment("from", query, wrong),
        until=read_moment("to", query, wrong, end=True),
    )
    area, person = query.get("area", "").strip(), query.get("person", "").strip()
    kind, going_on = query.get("kind", "").strip(), query.get("open", "").strip().lower()
    if area:
        if area.isascii() and area.isdigit() and len(area) < 11 and int(area) <= LARGEST:
            filters = replace(filters, area=int(area))
        else:
            wrong["area"] = "area must be the number of an area."
    if person:
        try:
            filters = replace(filters, person=UUID(person))
        except ValueError:
            wrong["person"] = "person must be the id of a person."
    if kind in KINDS:
        filters = replace(filters, kind=kind)
    elif kind:
        wrong["kind"] = f"kind must be one of {', '.join(KINDS)}."
    if going_on in ("true", "false"):
        filters = replace(filters, open=going_on == "true")
    elif going_on:
        wrong["open"] = "open must be true or false."
    return filters, wrong


def search_visits(user: Viewer, filters: VisitFilters) -> QuerySet[Visit]:
    """Return the visits that match, newest first."""
    rows = visits_of(user)
    if filters.area is not None:
        rows = rows.filter(area=filters.area)
    if filters.person is not None:
        rows = rows.filter(profile=filters.person)
    for word in filters.q.split():
        rows = rows.filter(profile__name__icontains=word)
    if filters.kind:
        rows = rows.filter(of_staff()) if filters.kind == "staff" else customers(rows)
    if filters.since is not None:
        rows = rows.filter(last_seen__gte=filters.since)
    if filters.until is not None:
        rows = rows.filter(entry__lt=filters.until)
    if filters.open is not None:
        rows = rows.filter(exit__isnull=filters.open)
    return rows


def here_now(user: Viewer, *, moods: bool = True) -> list[tuple[Area, list[Visit]]]:
    """Return who is where: each area that somebody may see, with visits that go on.

    Areas in which nobody is recognised are left out, unless somebody is still there.

    Args:
        user: Who asks.
        moods: Whether moods are read, too; there may be hundreds in a visit.
    """
    going_on = visits_of(user).filter(exit=None).order_by("area", "entry", "pk")
    if not moods:
        going_on = going_on.defer("mood")
    there = {key: list(rows) for key, rows in groupby(going_on, key=lambda visit: visit.area_id)}
    return [
        (area, there.get(area.pk, []))
        for area in areas_of(user)
        if area.recognise or area.pk in there
    ]


def day_figures(
    user: Viewer, *, area: int | None = None, days: int = 14, until: dt.date | None = None
) -> list[DayFigures]:
    """Return the figures of customers' visits per day, the newest day first.

    Args:
        user: Who asks.
        area: Only of this area.
        days: How many, `MOST_DAYS` at most.
        until: The newest day; None for today.
    """
    last = until or timezone.localdate()
    first = last - dt.timedelta(days=min(max(days, 1), MOST_DAYS) - 1)
    begin = timezone.make_aware(dt.datetime.combine(first, dt.time.min))
    end = timezone.make_aware(dt.datetime.combine(last + dt.timedelta(days=1), dt.time.min))
    rows = customers(visible(user, Visit.objects.filter(entry__gte=begin, entry__lt=end)))
    if area is not None:
        rows = rows.filter(area=area)
    by_day: dict[dt.date, list[tuple[float | None, float | None]]] = defaultdict(list)
    found = rows.order_by().values_list("entry", "exit", "waiting_seconds")
    for entry, leaving, waiting in found.iterator(chunk_size=2000):
        stay = None if leaving is None else (leaving - entry).total_seconds()
        by_day[timezone.localdate(entry)].append((stay, waiting))
    wanted = [last - dt.timedelta(days=number) for number in range((last - first).days + 1)]
    return [_figures(day, by_day[day]) for day in wanted]


def _figures(day: dt.date, visits: list[tuple[float | None, float | None]]) -> DayFigures:
    stays = [stay for stay, _ in visits if stay is not None]
    waits = [waiting for _, waiting in visits if waiting is not None]
    return DayFigures(
        day=day,
        visits=len(visits),
        stay=median(stays) if stays else None,
        waiting=median(waits) if waits else None,
        served=len(waits),
    )
