"""A shop with two customers and one of the staff, and what cameras tell of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recognition.models import Profile
from video_analysis.cameras.models import Area, Camera
from video_analysis.models import Sighting, Visitor
from video_analysis.services.recognising.news import SightingNews

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Shop:
    """One area with two cameras, and people."""

    area: Area
    door: Camera
    till: Camera
    ada: Profile
    grace: Profile
    sam: Profile

    def news(
        self,
        who: Profile | Visitor | None = None,
        begin: float = 0,
        end: float | None = None,
        **values: Any,
    ) -> SightingNews:
        """A new sighting of somebody, in seconds since noon, as it is told."""
        who = who if who is not None else self.ada
        at = NOON + timedelta(seconds=begin if end is None else end)
        key = {"profile_id" if isinstance(who, Profile) else "visitor_id": who.pk}
        given = {"camera_id": self.door.pk, "area_id": self.area.pk, "sighting": None, **values}
        sighting = given.pop("sighting") or self.sighting(begin, at, key, given["camera_id"])
        return SightingNews(
            **{
                "sighting_id": sighting,
                "profile_id": None,
                "visitor_id": None,
                "staff": isinstance(who, Profile) and who.kind == Profile.Kind.STAFF,
                "at": at,
                "ended": False,
                "mood": None,
                **key,
                **given,
            }
        )

    def sighting(self, begin: float, at: datetime, key: dict[str, Any], camera: int) -> uuid.UUID:
        """The row of a sighting."""
        return Sighting.objects.create(
            camera_id=camera,
            area=self.area,
            track=uuid.uuid4(),
            state="known",
            start=NOON + timedelta(seconds=begin),
            end=at,
            **key,
        ).pk


@pytest.fixture
def shop(db: None) -> Shop:
    """Nobody was here yet."""
    return make_shop()


def make_shop() -> Shop:
    """Return a shop in which nobody was yet."""
    area = Area.objects.create(name="Shop", recognise=True, absence_minutes=5)
    cameras = [
        Camera.objects.create(name=name, area=area, address="loop:gone.mp4", enabled=False)
        for name in ("Door", "Till")
    ]
    people = [
        Profile.objects.create(name=name, kind=kind)
        for name, kind in (("Ada", "customer"), ("Grace", "customer"), ("Sam", "staff"))
    ]
    return Shop(area, *cameras, *people)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time of the shop, in seconds since noon."""

    def act(seconds: float) -> None:
        moment = NOON + timedelta(seconds=seconds)
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    return act
