"""How cameras are shown to those who set them up: how they do, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count, QuerySet
from django.utils import timezone

from video_analysis.cameras.models import Area, Camera
from vision.analytics import regions

STALE_AFTER: Final = timedelta(seconds=20)
"""Runners write every few seconds: who has not for so long does not run any more."""

STATES: Final = {
    "live": ("Live", "done"),
    "connecting": ("Connecting", "running"),
    "waiting": ("Waiting for a runner", "queued"),
    "lost": ("Lost", "failed"),
    "refused": ("Refused", "failed"),
    "off": ("Switched off", "cancelled"),
}
"""By kind: what it is called, and which look of the style sheet it has."""

MOST_COUNTED: Final = 100_000


@dataclass(frozen=True)
class ShownState:
    """How a camera does.

    Attributes:
        kind: Of `STATES`.
        reason: Why it is not live, in a sentence; empty where it is.
        rate: Frames a second that come, that are analysed, and in which nothing moved; None where
            it is not live.
        size: E.g. ``"1280 x 720"``; empty where unknown.
        misses_faces: Whether faces are to be blurred, and nothing can look for them just now.
    """

    kind: str
    reason: str = ""
    rate: tuple[float, float, float] | None = None
    size: str = ""
    misses_faces: bool = False

    @property
    def label(self) -> str:
        """What it is called."""
        return STATES[self.kind][0]

    @property
    def look(self) -> str:
        """How it looks."""
        return STATES[self.kind][1]


def state_of(camera: Camera) -> ShownState:
    """Return how a camera does, from what its runner has written last."""
    if not camera.enabled:
        return ShownState("off")
    try:
        row: Any = camera.state
    except ObjectDoesNotExist:
        return ShownState("waiting")
    fresh = row.updated_at is not None and timezone.now() - row.updated_at < STALE_AFTER
    if not fresh or row.state not in STATES or row.state == "waiting":
        return ShownState("waiting", reason=str(row.reason) if fresh else "")
    if row.state != "live":
        return ShownState(row.state, reason=str(row.reason))
    size = f"{row.width} x {row.height}" if row.width and row.height else ""
    misses = bool(row.figures.get("misses_faces"))
    return ShownState("live", rate=_rate(row.figures), size=size, misses_faces=misses)


def _rate(figures: Mapping[str, Any]) -> tuple[float, float, float] | None:
    rates = figures.get("fps")
    if not isinstance(rates, Mapping):
        return None
    came, seen, still = (rates.get(name, 0.0) for name in ("in", "processed", "gated"))
    try:
        return float(came), float(seen), float(still)
    except (TypeError, ValueError):
        return None


@dataclass(frozen=True)
class Filters:
    """Which cameras the list shows.

    Attributes:
        q: Words that name, area, or address must have.
        area: The id of an area as text, ``"none"`` for those without one, empty for any.
        state: Of `STATES`, or empty for any.
    """

    q: str = ""
    area: str = ""
    state: str = ""

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return bool(self.q or self.area or self.state)


def read_filters(query: Mapping[str, str]) -> Filters:
    """Read the filters of an address; what makes no sense narrows nothing."""
    area, state = query.get("area", ""), query.get("state", "")
    known = area == "none" or (area.isascii() and area.isdigit())
    return Filters(
        q=query.get("q", "").strip()[:100],
        area=area if known else "",
        state=state if state in STATES else "",
    )


def shown_cameras(cameras: Iterable[Camera], filters: Filters) -> list[tuple[Camera, ShownState]]:
    """Return the cameras that the filters let through, with how each does."""
    pairs = ((camera, state_of(camera)) for camera in cameras if _fits(camera, filters))
    return [(camera, state) for camera, state in pairs if filters.state in ("", state.kind)]


def _fits(camera: Camera, filters: Filters) -> bool:
    if filters.area and filters.area != (str(camera.area_id) if camera.area_id else "none"):
        return False
    text = f"{camera.name} {camera.area or ''} {camera.address}".casefold()
    return all(word in text for word in filters.q.casefold().split())


AREA_SWITCHES: Final = (
    (
        "recognise",
        "Recognise people",
        "Faces that the cameras here see are compared with those of the people who are enrolled. "
        "Without this nobody is recognised.",
    ),
    (
        "consent_required",
        "Only those who have agreed",
        "Who has not given consent stays unknown, though enrolled.",
    ),
    (
        "group_unknown",
        "Tell unknown people apart",
        "An unknown face that comes back is the same visitor, without a name. Such faces are kept "
        "for a day at most, unless somebody names them; also of strangers whom nobody has asked, "
        "but not of people who are enrolled and have not agreed where that is needed.",
    ),
    (
        "mood",
        "Estimate moods",
        "How customers look, as shares of seven moods. It is often wrong, and never of staff.",
    ),
)
"""Of `Area`: what may be done with faces there, each in words."""


def area_rows(areas: QuerySet[Area]) -> list[Any]:
    """Return areas for the dialog: with how many cameras each has, and its switches."""
    rows: list[Any] = list(areas.annotate(camera_count=Count("cameras", distinct=True)))
    for area in rows:
        area.switches = [
            {"name": name, "label": label, "hint": hint, "on": getattr(area, name)}
            for name, label, hint in AREA_SWITCHES
        ]
    return rows


def what_goes_with(camera: Camera) -> list[dict[str, str]]:
    """Return what is deleted with a camera, each with its count in words; the empty left out."""
    kinds: Mapping[str, tuple[str, str]] = {
        "zones": ("zone", "zones"),
        "lines": ("counting line", "counting lines"),
        "events": ("event, with its picture", "events, with their pictures"),
        "tracks": ("track", "tracks"),
    }
    goes = []
    for name, (one, many) in kinds.items():
        # Counted anew: what was fetched with the camera cannot be cut off.
        rows: QuerySet[Any] = getattr(camera, name).order_by()
        count = rows[: MOST_COUNTED + 1].count()
        if count:
            text = f"{count:,}" if count <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"
            goes.append({"count": text, "what": one if count == 1 else many})
    return goes


def stored_regions(camera: Camera) -> dict[str, Any]:
    """Return the zones and lines of a camera for the editor."""
    zones = [
        {"id": z.pk, "name": z.name, "polygon": z.polygon, "threshold_sec": z.threshold_sec}
        for z in camera.zones.order_by("pk")
    ]
    lines = [
        {"id": line.pk, "name": line.name, "points": line.points}
        | {"forward": line.forward, "backward": line.backward}
        for line in camera.lines.order_by("pk")
    ]
    return {"revision": camera.revision, "zones": zones, "lines": lines}


def region_limits() -> dict[str, float]:
    """Return what the editor judges shapes by; the services judge them again."""
    return {
        "fewest": regions.FEWEST_POINTS,
        "most": regions.MOST_POINTS,
        "area": regions.LEAST_AREA,
        "length": regions.LEAST_LENGTH,
    }
