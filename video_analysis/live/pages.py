"""What the live pages know from the start: cameras, how they stand, and what happened last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import timezone

from common.accounts.roles import is_administrator
from common.permissions.rules import Viewer
from video_analysis.cameras.models import Camera, CountingLine
from video_analysis.live.filters import EventFilters
from video_analysis.live.people import may_see_people
from video_analysis.live.presenting import camera_facts, event_facts, stats_of
from video_analysis.live.selectors import crossings_by_hour, last_sequence, list_events
from video_analysis.models import CameraEvent
from vision.drawing.palette import class_color
from vision.weights.cards import COCO_CLASSES

FIRST_EVENTS = 50
# Labels to choose from are those of so many events; others are added as they come.
EVENTS_WITH_LABELS = 500

STANDINGS: dict[str, dict[str, str]] = {
    "live": {"label": "Live", "tone": "good", "say": ""},
    "connecting": {"label": "Connecting", "tone": "busy", "say": "Connecting to the camera."},
    "waiting": {
        "label": "Waiting",
        "tone": "quiet",
        "say": "No camera runner has taken this camera yet. It starts by itself once one is free.",
    },
    "lost": {
        "label": "Lost",
        "tone": "bad",
        "say": "The connection was lost. It is tried again by itself.",
    },
    "refused": {"label": "Refused", "tone": "bad", "say": "The camera refuses the connection."},
    "silent": {
        "label": "No news",
        "tone": "bad",
        "say": "Nothing has been heard of this camera for a while: its camera runner may have "
        "stopped. Another one takes over by itself.",
    },
    "off": {"label": "Off", "tone": "quiet", "say": "This camera is switched off."},
}
"""How a camera can stand: the word on its badge, its colour, and a sentence where there is no
picture. The pages' scripts choose among them as ``standing_of`` does."""

_WITH_REASON = ("connecting", "lost", "refused")


def standing_of(camera: Camera, facts: dict[str, Any]) -> dict[str, str]:
    """Return how a camera stands, with its key; a reason says more than words made in advance."""
    key = facts["state"] if facts["state"] in STANDINGS else "waiting"
    if facts["stale"] and key != "waiting":
        key = "silent"
    if not camera.enabled:
        key = "off"
    standing = STANDINGS[key]
    say = facts["reason"] if facts["reason"] and key in _WITH_REASON else standing["say"]
    return {**standing, "key": key, "say": say}


def list_data(user: Viewer, cameras: Iterable[Camera]) -> dict[str, Any]:
    """Return how cameras that ``user`` may watch are set up and do; with their states loaded."""
    rows = list(cameras)
    prefetch_related_objects(rows, "zones", "lines")
    now = timezone.now()
    in_full = is_administrator(user)
    facts = [camera_facts(camera, now, in_full=in_full) for camera in rows]
    shown = [_setup(camera, fact) for camera, fact in zip(rows, facts, strict=True)]
    return {"cameras": shown, "stats": stats_of(facts, at=now)}


def page_data(user: Viewer, cameras: Iterable[Camera], *, camera: Camera | None = None) -> Any:
    """Return all that a page begins with.

    Args:
        user: Who looks.
        cameras: Those on the page, which ``user`` may watch.
        camera: The only one whose events are shown; None for all.
    """
    # Before the events: what changes in between comes twice rather than never.
    sequence = last_sequence()
    filters = EventFilters(camera=camera.pk if camera is not None else "")
    events = list_events(user, filters)
    labels = set(events.values_list("label", flat=True)[:EVENTS_WITH_LABELS])
    return {
        **list_data(user, cameras),
        "camera": camera.pk if camera is not None else None,
        "sequence": sequence,
        "events": [event_facts(event) for event in events[:FIRST_EVENTS]],
        "labels": sorted(labels - {""}),
        "kinds": dict(CameraEvent.Kind.choices),
        "standings": STANDINGS,
        "colors": _class_colors(),
        "urls": {
            "events": reverse("live-api:events"),
            "cameras": reverse("live:cameras") if camera is None else _own_list(camera),
            **({"people": _people_address(camera)} if may_see_people(user) else {}),
        },
    }


def day_counts(camera: Camera, day: dt.date) -> dict[str, Any]:
    """Return how often each line was crossed in each hour of a day, by direction."""
    hours = crossings_by_hour(camera, day)
    rows = [
        {
            "line": place,
            "direction": direction,
            "counts": [hour.counts[place, direction] for hour in hours],
        }
        for place, direction in _directions(camera, {key for hour in hours for key in hour.counts})
    ]
    return {
        "day": day.isoformat(),
        "hours": [f"{hour.start:%H:%M}" for hour in hours],
        "rows": [{**row, "total": sum(row["counts"])} for row in rows],
    }


def _directions(camera: Camera, counted: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Both directions of every line that there is, then what was counted at lines of before."""
    lines = CountingLine.objects.filter(camera=camera).order_by("name")
    now = [(line.name, way) for line in lines for way in (line.forward, line.backward)]
    return now + sorted(counted - set(now))


def _setup(camera: Camera, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": camera.pk,
        "name": camera.name,
        "area": camera.area.name if camera.area is not None else "",
        "enabled": camera.enabled,
        "url": reverse("live:camera", args=[camera.pk]),
        "width": facts["width"],
        "height": facts["height"],
        "standing": standing_of(camera, facts),
        "zones": [
            {"id": zone.pk, "name": zone.name, "polygon": zone.polygon}
            for zone in camera.zones.all()
        ],
        "lines": [
            {
                "id": line.pk,
                "name": line.name,
                "points": line.points,
                "forward": line.forward,
                "backward": line.backward,
            }
            for line in camera.lines.all()
        ],
    }


def _people_address(camera: Camera | None) -> str:
    if camera is None:
        return reverse("live:people")
    return reverse("live:camera-people", args=[camera.pk])


def _own_list(camera: Camera) -> str:
    return reverse("live:setup", args=[camera.pk])


@lru_cache(maxsize=1)
def _class_colors() -> dict[str, str]:
    return {name: class_color(number) for number, name in enumerate(COCO_CLASSES)}
