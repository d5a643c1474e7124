"""Reads of live cameras: which there are, how they are, what they have seen."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, IntegerField, QuerySet, When
from django.utils import timezone

from common.accounts.roles import is_administrator
from common.permissions import get_visible_or_404, visible
from common.permissions.rules import Viewer
from video_analysis.cameras.models import Camera
from video_analysis.live.filters import EventFilters, filter_events
from video_analysis.live.presenting import camera_facts, stats_of
from video_analysis.models import CameraEvent, EventSequence

SHOWN = ("camera__area", "zone", "line")
NEWEST_FIRST = ("-start", "-id")
LATEST_CHANGE_FIRST = ("-sequence",)


def list_watched_cameras(user: Viewer) -> QuerySet[Camera]:
    """Cameras that are switched on and that ``user`` may watch, with area and state, by name."""
    rows = visible(user, Camera.objects.filter(enabled=True))
    return rows.select_related("area", "state").order_by("name")


def get_watched_camera(user: Viewer, camera_id: int) -> Camera:
    """One camera with its state, switched on or not.

    Raises:
        Http404: There is none, or ``user`` may not watch it.
    """
    rows = Camera.objects.select_related("area", "state")
    return get_visible_or_404(user, rows, pk=camera_id)


def list_events(user: Viewer, filters: EventFilters | None = None) -> QuerySet[CameraEvent]:
    """Events of cameras that ``user`` may watch, with all that is shown, newest first.

    Of what has changed after a sequence number, the latest change comes first.
    """
    filters = filters or EventFilters()
    rows = visible(user, filter_events(CameraEvent.objects.all(), filters))
    if not is_administrator(user):
        # Once more, as numbers: the database knows how many rows they stand for, and chooses
        # between its indexes accordingly; of the rule's subquery it would not know.
        rows = rows.filter(camera__in=_camera_ids(user))
    return rows.select_related(*SHOWN).order_by(*order_of(filters))


def _camera_ids(user: Viewer) -> list[int]:
    return list(visible(user, Camera.objects.order_by()).values_list("pk", flat=True))


def order_of(filters: EventFilters) -> tuple[str, ...]:
    """The order of a list of events."""
    return NEWEST_FIRST if filters.since is None else LATEST_CHANGE_FIRST


def get_event(user: Viewer, event_id: Any) -> CameraEvent:
    """One event.

    Raises:
        Http404: There is none, or ``user`` may not watch its camera.
    """
    return get_visible_or_404(user, CameraEvent.objects.select_related(*SHOWN), pk=event_id)


def last_sequence() -> int:
    """The number of the newest change of an event; 0 before the first."""
    return EventSequence.objects.values_list("value", flat=True).first() or 0


def changes_after(
    sequence: int, *, limit: int, cameras: Collection[int] | None = None
) -> list[CameraEvent]:
    """Events that have changed after this number, in the order of their last change.

    Args:
        sequence: Number of the last change that is known.
        limit: At most so many.
        cameras: Ids of the only ones whose events count; None for all.
    """
    rows = CameraEvent.objects.filter(sequence__gt=sequence)
    if cameras is not None:
        rows = rows.filter(camera__in=cameras)
    return list(rows.select_related(*SHOWN).order_by("sequence")[:limit])


def read_camera_facts() -> list[dict[str, Any]]:
    """How every camera is that is switched on, in one query; see ``presenting.camera_facts``.

    In full, as administrators see it; for others see ``presenting.without_addresses``.
    """
    now = timezone.now()
    rows = Camera.objects.filter(enabled=True).select_related("state").order_by("name")
    return [camera_facts(camera, now, in_full=True) for camera in rows]


def read_camera_setups() -> dict[int, tuple[Any, ...]]:
    """What differs once a camera has been set up anew, by id, in one query.

    A camera's revision counts changes of its zones and lines, too; the name of its area is the
    area's own.
    """
    rows = Camera.objects.order_by().values_list("pk", "revision", "enabled", "area__name")
    return {pk: setup for pk, *setup in rows.iterator()}


def stats(user: Viewer) -> dict[str, Any]:
    """How the cameras are that ``user`` may watch: STATS of the API and the sockets."""
    now = timezone.now()
    in_full = is_administrator(user)
    rows = list_watched_cameras(user)
    return stats_of([camera_facts(camera, now, in_full=in_full) for camera in rows], at=now)


@dataclass(frozen=True)
class HourCounts:
    """What happened in one hour of the clock.

    Attributes:
        start: When it began, in the installation's time zone.
        counts: How often, by place and direction.
    """

    start: dt.datetime
    counts: Counter[tuple[str, str]]

    @property
    def total(self) -> int:
        """How often in all."""
        return self.counts.total()


def crossings_by_hour(camera: Camera, day: dt.date) -> list[HourCounts]:
    """How often each line of a camera was crossed in each direction, hour by hour.

    Args:
        camera: The caller has judged the permission.
        day: In the installation's time zone; on the two days a year on which clocks are changed it
            has 23 or 25 hours.
    """
    return events_by_hour(camera, day, CameraEvent.Kind.CROSSING)


def events_by_hour(camera: Camera, day: dt.date, kind: str) -> list[HourCounts]:
    """How many events of a kind began in each hour of a day, by place and direction."""
    hours = hours_of(day)
    ends = [*hours[1:], _midnight(day + dt.timedelta(days=1))]
    bucket = Case(
        *(When(start__lt=end, then=number) for number, end in enumerate(ends)),
        output_field=IntegerField(),
    )
    rows = CameraEvent.objects.filter(
        camera=camera, kind=kind, start__gte=hours[0], start__lt=ends[-1]
    )
    counted = rows.order_by().values("place", "direction", hour=bucket).annotate(n=Count("pk"))
    found = [HourCounts(hour, Counter()) for hour in hours]
    for row in counted:
        found[row["hour"]].counts[row["place"], row["direction"]] += row["n"]
    return found


def hours_of(day: dt.date) -> list[dt.datetime]:
    """The beginnings of the hours of a day in the installation's time zone."""
    zone = timezone.get_default_timezone()
    begin, end = _midnight(day), _midnight(day + dt.timedelta(days=1))
    # Counted in UTC: in local time the hour that clocks are set back to comes twice.
    hours = round((end - begin).total_seconds() / 3600)
    first = begin.astimezone(dt.UTC)
    return [(first + dt.timedelta(hours=number)).astimezone(zone) for number in range(hours)]


def _midnight(day: dt.date) -> dt.datetime:
    zone = timezone.get_default_timezone()
    # Aware moments of one zone are subtracted by their clocks; in UTC by what has really passed.
    return dt.datetime.combine(day, dt.time.min, tzinfo=zone).astimezone(dt.UTC)
