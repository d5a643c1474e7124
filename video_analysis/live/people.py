"""Who was recognised before cameras, for those who may see people; others get nothing of it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone

from common.accounts.roles import may_create
from common.permissions import visible
from common.permissions.rules import Viewer
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraEvent, Sighting

MOST: Final = 500
NOW_SECONDS: Final = 13.0
"""Sightings that go on are written every ten seconds."""


def may_see_people(user: Viewer) -> bool:
    """Tell whether names are shown to somebody."""
    return may_create(user)


def recognised_people(user: Viewer, *, camera: Camera | None = None) -> dict[str, Any]:
    """Return who is before the cameras that ``user`` may watch, and whose the latest events are.

    Args:
        user: Who looks.
        camera: The only one that counts; None for all.

    Returns:
        ``now``: camera, number of the track, name and address of the person; ``events``: name and
        address by the event's id.
    """
    if not may_see_people(user):
        return {"now": [], "events": {}}
    cameras = visible(user, Camera.objects.order_by())
    if camera is not None:
        cameras = cameras.filter(pk=camera.pk)
    rows = Sighting.objects.filter(
        camera__in=list(cameras.values_list("pk", flat=True)), state=Sighting.State.KNOWN
    )
    newest = list(rows.select_related("profile").order_by("-start", "-id")[:MOST])
    since = timezone.now() - dt.timedelta(seconds=NOW_SECONDS)
    people = {row.track: _person(row) for row in newest if row.track is not None}
    events = CameraEvent.objects.filter(track__in=people).values_list("pk", "track")
    return {
        "now": [
            {"camera": row.camera_id, "track": row.track_number, **_person(row)}
            for row in reversed(newest)  # of a number that was given twice, the later one counts
            if row.end >= since
        ],
        "events": {str(pk): people[track] for pk, track in events if track is not None},
    }


def _person(row: Sighting) -> dict[str, str]:
    assert row.profile is not None
    return {
        "name": row.profile.name,
        "url": reverse("people:person", args=[row.profile_id]),
    }
