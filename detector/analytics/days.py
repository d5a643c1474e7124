"""Days as the people of this installation count them, and the ranges and steps of charts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils import timezone

DAY = dt.timedelta(days=1)
# A chart has at most about fifty bars: what is longer is drawn in weeks, then in months.
DAYS_BY_DAY, DAYS_BY_WEEK = 31, 371


def zone() -> dt.tzinfo:
    """The installation's time zone."""
    return timezone.get_default_timezone()


def zone_name() -> str:
    """Its name, e.g. Europe/Berlin."""
    return timezone.get_default_timezone_name()


def today() -> dt.date:
    """The day that it is here."""
    return timezone.localdate(timezone=zone())


def day_of(moment: dt.datetime) -> dt.date:
    """The day here that a moment belongs to."""
    return moment.astimezone(zone()).date()


def midnight(day: dt.date) -> dt.datetime:
    """The moment at which a day begins here; days with a clock change have 23 or 25 hours."""
    start = dt.datetime.combine(day, dt.time.min, tzinfo=zone() or ZoneInfo("UTC"))
    return start.astimezone(dt.UTC)


@dataclass(frozen=True)
class DayRange:
    """Days from first to last, both included."""

    first: dt.date
    last: dt.date

    @property
    def begin(self) -> dt.datetime:
        """The moment at which it begins."""
        return midnight(self.first)

    @property
    def end(self) -> dt.datetime:
        """The moment at which it is over."""
        return midnight(self.last + DAY)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def step(self) -> str:
        """What one bar of a chart stands for: day, week or month."""
        if self.days <= DAYS_BY_DAY:
            return "day"
        return "week" if self.days <= DAYS_BY_WEEK else "month"

    def steps(self) -> Iterator[DayRange]:
        """The bars of a chart; the first and the last may be cut off by the range."""
        first = self.first
        while first <= self.last:
            last = min(_step_end(first, self.step), self.last)
            yield DayRange(first, last)
            first = last + DAY


def _step_end(day: dt.date, step: str) -> dt.date:
    if step == "day":
        return day
    if step == "week":
        return day + dt.timedelta(days=6 - day.weekday())
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1) - DAY


def merge_days(days: Iterable[dt.date]) -> list[DayRange]:
    """The same days as few ranges."""
    merged: list[DayRange] = []
    for day in sorted(set(days)):
        if merged and merged[-1].last + DAY == day:
            merged[-1] = DayRange(merged[-1].first, day)
        else:
            merged.append(DayRange(day, day))
    return merged
