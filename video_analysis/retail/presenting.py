"""How visits are shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from recognition.models import Profile
from recognition.presenting import card_of
from video_analysis.retail.models import Visit
from video_analysis.retail.services.moods import mean_mood
from vision.weights.cards import get_face_card

MOOD_CARD: Final = "mini-xception-fer2013"
MINUTE: Final = 60
HOUR: Final = 3600


@dataclass(frozen=True)
class ShownVisit:
    """A visit as pages show it.

    Attributes:
        card: Of the person; empty for a visitor without a name.
        name: E.g. "Ada" or "Visitor 3".
        staff: Whether it is presence.
        stay: How long, in words.
        waiting: How long they waited for service, or have waited so far; empty for staff.
        waits: Whether they still wait.
    """

    visit: Visit
    card: dict[str, Any]
    name: str
    staff: bool
    stay: str
    waiting: str
    waits: bool

    @property
    def mood(self) -> list[tuple[str, float]]:
        """Means of moods, the largest first."""
        return sorted(mean_mood(self.visit).items(), key=lambda item: -item[1])


def shown_visit(visit: Visit, *, now: dt.datetime | None = None) -> ShownVisit:
    """Return how a visit is shown."""
    profile = visit.profile
    staff = is_staff(visit)
    waiting = "" if visit.waiting_seconds is None else in_words(visit.waiting_seconds)
    waits = not staff and visit.waiting_seconds is None and visit.exit is None
    if waits:
        waiting = in_words(((now or timezone.now()) - visit.entry).total_seconds())
    initials = "V" if visit.visitor is None else str(visit.visitor.number)
    card = {"photo": "", "initials": initials, "url": ""}
    return ShownVisit(
        visit=visit,
        card=card if profile is None else card_of(profile),
        name=name_of(visit),
        staff=staff,
        stay=in_words(stay_seconds(visit)),
        waiting="" if staff else waiting,
        waits=waits,
    )


def name_of(visit: Visit) -> str:
    """Return who it was."""
    return visit.profile.name if visit.profile is not None else str(visit.visitor)


def is_staff(visit: Visit) -> bool:
    """Return whether it is the presence of staff, and no visit of a customer."""
    return visit.profile is not None and visit.profile.kind == Profile.Kind.STAFF


def stay_seconds(visit: Visit) -> float:
    """Return how long a visit was, or is so far."""
    return max(0.0, ((visit.exit or visit.last_seen) - visit.entry).total_seconds())


def in_words(seconds: float | None) -> str:
    """Return a duration: "40 s", "12 min", "2 h 5 min"; empty for none."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    hours, rest = divmod(whole, HOUR)
    return f"{hours} h {rest // MINUTE} min" if rest >= MINUTE else f"{hours} h"


def mood_accuracy() -> str:
    """Return what is known of the accuracy of moods."""
    return get_face_card(MOOD_CARD).accuracy


def mood_points(visit: Visit) -> list[tuple[dt.datetime, list[tuple[str, float]]]]:
    """Return the estimates of a visit over time, each with the largest share first."""
    return [
        (
            dt.datetime.fromisoformat(point["at"]),
            sorted(point["shares"].items(), key=lambda item: -item[1]),
        )
        for point in visit.mood
    ]
