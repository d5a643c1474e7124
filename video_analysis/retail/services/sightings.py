"""From sightings to visits: opened, extended, never counted twice.

Whoever touches a visit first holds the row of the person, as all that is done with people does: so
nobody waits for somebody who waits for them, and who is being erased gets no new visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from recognition.models import Profile
from video_analysis.cameras.models import Area
from video_analysis.models import Sighting, Visitor
from video_analysis.retail.models import Visit
from video_analysis.retail.services.interactions import note_service
from video_analysis.retail.services.moods import add_mood
from video_analysis.services.recognising.news import SightingNews


@dataclass(frozen=True, slots=True)
class Person:
    """Whose visit it is.

    Attributes:
        key: What the rows are found by: ``profile_id`` or ``visitor_id``.
        staff: Whether it is presence, and no visit of a customer.
    """

    key: dict[str, UUID]
    staff: bool


def note_sighting(news: SightingNews) -> Visit | None:
    """Open or extend the visit of who was seen; hearing the same news again changes nothing.

    Args:
        news: What the recognition of live cameras tells.

    Returns:
        The visit; None for a camera without an area, and for who is gone meanwhile.
    """
    if news.area_id is None:
        return None
    with transaction.atomic():
        area = Area.objects.filter(pk=news.area_id).first()
        person = _hold(news)
        if area is None or person is None:
            return None
        visit = _visit_for(news, area, person)
        _extend(visit, news, area, person)
        note_service(visit, staff=person.staff, at=news.at)
    return visit


def _hold(news: SightingNews) -> Person | None:
    """Hold the row of the person until the transaction ends; None if there is none any more."""
    if news.profile_id is not None:
        rows = Profile.objects.select_for_update().filter(pk=news.profile_id)
        kind = rows.values_list("kind", flat=True).first()
        staff = kind == Profile.Kind.STAFF
        return None if kind is None else Person({"profile_id": news.profile_id}, staff)
    if news.visitor_id is not None:
        held = Visitor.objects.select_for_update().filter(pk=news.visitor_id).first()
        return None if held is None else Person({"visitor_id": news.visitor_id}, False)
    return None


def _visit_for(news: SightingNews, area: Area, person: Person) -> Visit:
    """Return the visit that the sighting belongs to, held.

    Who comes back within the area's absence has never left: their visit goes on, even if it was
    closed a moment ago. News may be late, of an answered question or of a database that was away:
    they belong to the visit of that time, and do not bring it back.
    """
    absence = timedelta(minutes=area.absence_minutes)
    start = _start_of(news)
    rows = Visit.objects.select_for_update().filter(area=area, **person.key)
    around = rows.filter(last_seen__gte=start - absence, entry__lte=news.at + absence)
    visit = around.order_by("-entry", "-pk").first()
    if visit is not None:
        _begin_earlier(visit, start)
        is_new = news.at > visit.last_seen and timezone.now() - news.at <= absence
        if is_new and not _is_followed(visit):
            visit.exit = None
        return visit
    if rows.filter(entry__gt=news.at).exists():
        return _open(area, person, start, over=True)
    going_on = rows.filter(exit=None).first()
    if going_on is not None:
        close(going_on)
    return _open(area, person, start)


def _is_followed(visit: Visit) -> bool:
    """Tell whether the person came once more after a visit."""
    rows = Visit.objects.filter(area=visit.area_id, entry__gt=visit.last_seen)
    return rows.filter(profile=visit.profile_id, visitor=visit.visitor_id).exists()


def _begin_earlier(visit: Visit, start: datetime) -> None:
    """Have a visit begin with its first sighting, also if another camera was faster to tell."""
    if start >= visit.entry:
        return
    if visit.waiting_seconds is not None:
        visit.waiting_seconds += (visit.entry - start).total_seconds()
    visit.entry = start


def _start_of(news: SightingNews) -> datetime:
    """Return when the sighting began; news tell only its end."""
    start = Sighting.objects.filter(pk=news.sighting_id).values_list("start", flat=True).first()
    return min(start, news.at) if start is not None else news.at


def _open(area: Area, person: Person, entry: datetime, *, over: bool = False) -> Visit:
    """Open a visit, or return the one that somebody else has opened meanwhile.

    Args:
        area: Where.
        person: Whose.
        entry: When it began.
        over: Whether it is over already: another one came after it.
    """
    leaving = entry if over else None
    try:
        with transaction.atomic():
            visit = Visit.objects.create(
                area=area, entry=entry, last_seen=entry, exit=leaving, **person.key
            )
    except IntegrityError:
        return Visit.objects.select_for_update().get(area=area, exit=None, **person.key)
    if not person.staff:
        _count(visit, visit_count=F("visit_count") + 1)
    return visit


def _extend(visit: Visit, news: SightingNews, area: Area, person: Person) -> None:
    visit.last_seen = max(visit.last_seen, news.at)
    if visit.exit is not None:
        visit.exit = visit.last_seen
    visit.sightings = max(visit.sightings, _sightings(visit).count(), 1)
    if area.mood and not person.staff and news.mood:
        add_mood(visit, at=news.at, shares=news.mood)
    visit.save(update_fields=["entry", "waiting_seconds", "last_seen", "exit", "sightings", "mood"])
    _count(visit)


def _sightings(visit: Visit) -> QuerySet[Sighting]:
    """Return the sightings of a visit: counted anew each time, so that none counts twice."""
    of_person = Q(profile=visit.profile_id) if visit.profile_id else Q(visitor=visit.visitor_id)
    return Sighting.objects.filter(
        of_person, area=visit.area_id, end__gte=visit.entry, start__lte=visit.last_seen
    ).order_by()


def _count(visit: Visit, **changes: Any) -> None:
    """Keep what the profile says of its visits; the row is held."""
    if visit.profile_id is None:
        return
    rows = Profile.objects.filter(pk=visit.profile_id)
    if changes:
        rows.update(**changes)
    earlier = Q(last_visit_at=None) | Q(last_visit_at__lt=visit.last_seen)
    rows.filter(earlier).update(last_visit_at=visit.last_seen)


def close(visit: Visit) -> None:
    """End a visit that is held: the exit is when the person was seen last."""
    visit.exit = visit.last_seen
    visit.save(update_fields=["exit"])
