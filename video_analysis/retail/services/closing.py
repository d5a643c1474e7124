"""The end of visits: nobody says that they leave."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from recognition.models import Profile
from video_analysis.cameras.models import Area
from video_analysis.models import Visitor
from video_analysis.retail.models import Visit
from video_analysis.retail.services.sightings import close

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 10
DUE: Final = "video_analysis.retail.closing"
MOST: Final = 500


def close_visits_if_due() -> int:
    """Close visits of who has left, every ten seconds; any number of processes may call it.

    Returns:
        How many visits were closed.
    """
    if not cache.add(DUE, 1, timeout=INTERVAL_SECONDS):
        return 0
    return close_visits()


def close_visits() -> int:
    """Close visits of everybody who was not seen for the area's absence; return how many."""
    now = timezone.now()
    areas = Area.objects.filter(visits__exit=None).distinct().order_by("pk")
    closed = 0
    for area in areas:
        absence = timedelta(minutes=area.absence_minutes)
        due = Visit.objects.filter(area=area, exit=None, last_seen__lt=now - absence)
        for visit_id in list(due.order_by("pk").values_list("pk", flat=True)[:MOST]):
            closed += _close_one(visit_id, absence)
    return closed


def _close_one(visit_id: UUID, absence: timedelta) -> int:
    """Close a visit unless the person was seen meanwhile."""
    with transaction.atomic():
        found = Visit.objects.filter(pk=visit_id).first()
        if found is None:
            return 0
        # The person first, then the visit: as everywhere.
        list(Profile.objects.select_for_update().filter(pk=found.profile_id))
        list(Visitor.objects.select_for_update().filter(pk=found.visitor_id))
        visit = Visit.objects.select_for_update().filter(pk=visit_id, exit=None).first()
        if visit is None or visit.last_seen >= timezone.now() - absence:
            return 0
        close(visit)
    return 1
