"""When customers were served: somebody of the staff was seen where they were, at the same time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from recognition.models import Profile
from video_analysis.retail.models import Visit

TOGETHER: Final = timedelta(seconds=10)
"""Sightings in one area this close to each other are one moment: news come that often."""
APART: Final = timedelta(seconds=60)
"""Without staff for longer, the next time is another interaction."""


def of_staff() -> Q:
    """Return what leaves the presence of staff."""
    return Q(profile__kind=Profile.Kind.STAFF)


def customers(rows: QuerySet[Visit]) -> QuerySet[Visit]:
    """Return the visits of customers: known ones, and visitors without a name."""
    return rows.exclude(of_staff())


def note_service(visit: Visit, *, staff: bool, at: datetime) -> None:
    """Note that somebody was served, if staff and customers were seen together.

    Args:
        visit: Of who was just seen, held.
        staff: Whether they are staff: then everybody who was there was served.
        at: When they were seen.
    """
    there = Visit.objects.filter(
        area=visit.area_id,
        exit=None,
        entry__lte=at + TOGETHER,
        last_seen__gte=at - TOGETHER,
    )
    if not staff:
        met = there.filter(of_staff()).order_by("-last_seen").first()
        if met is not None:
            _serve(visit, min(at, met.last_seen))
        return
    # Locked in one order; nobody who holds one of them waits for this one.
    ids = list(customers(there).order_by("pk").values_list("pk", flat=True))
    for customer in Visit.objects.select_for_update().filter(pk__in=ids).order_by("pk"):
        _serve(customer, min(at, customer.last_seen))


def _serve(visit: Visit, at: datetime) -> None:
    moment = max(at, visit.entry)
    last = visit.last_interaction_at
    if last is None:
        visit.waiting_seconds = (moment - visit.entry).total_seconds()
    if last is None or moment - last > APART:
        visit.interactions += 1
    visit.last_interaction_at = moment if last is None else max(moment, last)
    visit.save(update_fields=["waiting_seconds", "interactions", "last_interaction_at"])
