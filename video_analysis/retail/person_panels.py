"""What the page of a person shows of their visits: a calendar, the newest, and the cameras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Count, Max
from django.utils import timezone

from common.permissions import visible
from common.permissions.rules import Viewer
from recognition.models import Profile
from recognition.profile_panels import ProfilePanel, register_profile_panel
from video_analysis.cameras.models import Camera
from video_analysis.models import Sighting
from video_analysis.retail.models import Visit

WEEKS: Final = 26
SHOWN: Final = 8


def visits_panel(user: Viewer, profile: Profile) -> Mapping[str, Any] | None:
    """Return a calendar of the last half year and the newest visits; None where there are none."""
    visits = visible(user, Visit.objects.filter(profile=profile)).select_related("area")
    newest = list(visits.order_by("-entry", "-id")[:SHOWN])
    if not newest:
        return None
    monday = _first_monday()
    entries = visits.filter(entry__date__gte=monday).order_by().values_list("entry", flat=True)
    days = Counter(timezone.localdate(entry) for entry in entries.iterator())
    return {"weeks": _weeks(monday, days), "visits": newest, "days": len(days)}


def cameras_panel(user: Viewer, profile: Profile) -> Mapping[str, Any] | None:
    """Return the cameras that have seen somebody, of those that the user watches; None for none."""
    seen = Sighting.objects.filter(
        profile=profile, state=Sighting.State.KNOWN, camera__in=visible(user, Camera.objects.all())
    )
    rows = seen.order_by().values("camera", "camera__name", "camera__area__name")
    cameras = list(rows.annotate(times=Count("pk"), last=Max("end")).order_by("-last")[:SHOWN])
    return {"cameras": cameras} if cameras else None


def _first_monday() -> date:
    today = timezone.localdate()
    return today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))


def _weeks(monday: date, days: Mapping[date, int]) -> list[list[dict[str, Any]]]:
    today = timezone.localdate()
    moments = [monday + timedelta(days=at) for at in range(7 * WEEKS)]
    cells = [
        {"day": day, "count": days.get(day, 0), "level": min(days.get(day, 0), 3)}
        for day in moments
        if day <= today
    ]
    return [cells[at : at + 7] for at in range(0, len(cells), 7)]


register_profile_panel(ProfilePanel("visits", "people/_visits.html", visits_panel, order=10))
register_profile_panel(ProfilePanel("cameras", "people/_cameras.html", cameras_panel, order=20))
