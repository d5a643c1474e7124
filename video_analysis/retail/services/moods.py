"""How a customer looked during a visit, as estimates over time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.utils.dateparse import parse_datetime

from video_analysis.retail.models import Visit

EVERY: Final = timedelta(seconds=30)
MOST: Final = 240
"""Estimates kept of one visit; of a longer one every second goes."""


def add_mood(visit: Visit, *, at: datetime, shares: Mapping[str, float]) -> None:
    """Add an estimate to a visit that the caller saves, two in a minute at most.

    Args:
        visit: Of a customer, never of staff.
        at: When they looked so.
        shares: By the name of the mood.
    """
    if visit.mood:
        last = parse_datetime(visit.mood[-1]["at"])
        if last is not None and at - last < EVERY:
            return
    points = [*visit.mood, {"at": at.isoformat(), "shares": dict(shares)}]
    visit.mood = points[::2] if len(points) > MOST else points


def mean_mood(visit: Visit) -> dict[str, float]:
    """Return the mean of all estimates of a visit; empty where there is none."""
    points = [point["shares"] for point in visit.mood]
    names = list(dict.fromkeys(name for shares in points for name in shares))
    return {
        name: sum(float(shares.get(name, 0.0)) for shares in points) / len(points) for name in names
    }
