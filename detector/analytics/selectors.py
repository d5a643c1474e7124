"""Reading the figures that a person may see: stored days, and changed days counted now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from common.accounts.groups import group_ids_of
from common.permissions import visible
from detector.analytics.counting import Counted, Slot, answered, count_sessions
from detector.analytics.days import merge_days, midnight, zone, zone_name
from detector.analytics.figures import Figures, pack_bins, unpack_bins
from detector.analytics.filters import AnalyticsFilters, parse_filters
from detector.models import (
    ChangedSession,
    CountedIn,
    DailyClassFigures,
    DailyFigures,
    DetectionSession,
)

User = AbstractBaseUser | AnonymousUser

KEY = ("day", "model", "backend", "precision")
NUMBERS = ("sessions", "objects_found", "confidence_sum", "confidence_bins")
CHUNK = 20_000


class Row(NamedTuple):
    """Figures of a day and a model, packed as they are stored."""

    day: dt.date
    model: str
    backend: str
    precision: str
    sessions: int
    objects: int
    confidence_sum: int
    bins: bytes
    times: bytes = b""
    taken: bytes = b""

    def negative(self) -> Row:
        """What takes these figures out of a sum again."""
        return self._replace(
            sessions=-self.sessions,
            objects=-self.objects,
            confidence_sum=-self.confidence_sum,
            bins=pack_bins(-unpack_bins(self.bins)),
            times=self.taken,
            taken=self.times,
        )


@dataclass
class Reading:
    """All that was read for one answer.

    Attributes:
        rows: By day and model; of one class when the filters name one.
        times: By model, when ``rows`` are of one class and have none: of all its sessions.
        classes: By class over the whole range.
        models: Names of all models in the range, whatever the filters say of models.
        uncounted: Whether days had to be counted for this answer.
    """

    rows: list[Row] = field(default_factory=list)
    times: list[Row] = field(default_factory=list)
    classes: dict[str, Figures] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    uncounted: bool = False


class Audience(NamedTuple):
    """Whose figures somebody may see."""

    user_id: int
    groups: tuple[int, ...]
    owner: str

    def stored(self) -> list[tuple[bool, Q]]:
        """Stored rows that together hold each session once, and whether they are to be added.

        Apart, so that each part is read along its index.
        """
        mine = Q(owner_id=self.user_id)
        in_groups = Q(group_id__in=self.groups)
        shared = Q(owner_id=None) & in_groups
        if self.owner == "me":
            return [(True, mine)]
        if self.owner == "others":
            return [(True, shared), (False, mine & in_groups)]
        return [(True, mine & (Q(group_id=None) | ~in_groups)), (True, shared)]

    def marks(self) -> Q:
        """The marks of days whose stored rows do not count."""
        return Q(owner_id=self.user_id) | Q(group_id__in=self.groups)

    def sessions(self, rows: QuerySet[DetectionSession]) -> QuerySet[DetectionSession]:
        """Narrow sessions that one may see."""
        if self.owner == "me":
            return rows.filter(owner=self.user_id)
        return rows.exclude(owner=self.user_id) if self.owner == "others" else rows


def read_figures(user: User, filters: AnalyticsFilters) -> Reading:
    """Read everything that an answer is made of, in a handful of queries.

    The numbers are those of the sessions' and objects' own rows at this moment.
    """
    if not user.is_active or user.pk is None:
        return Reading()
    groups = group_ids_of(user)
    audience = Audience(user.pk, groups, filters.owner)
    changed = _changed_days(audience, filters)
    reading = Reading(uncounted=changed is None or bool(changed))
    if changed is not None:
        _read_stored(reading, audience, filters, changed)
    if changed is None or changed:
        sessions = audience.sessions(visible(user, DetectionSession.objects.all()))
        counted = count_sessions(_narrow_to_days(sessions, filters, changed))
        _read_counted(reading, counted, filters)
    return reading


def models_seen(user: User) -> list[str]:
    """Names of the models that have answered in sessions that ``user`` may see.

    Read from the stored figures, and from the sessions themselves only for days that have changed.
    """
    if not user.is_active or user.pk is None:
        return []
    everything = parse_filters({"range": "all"})
    audience = Audience(user.pk, group_ids_of(user), "")
    changed = _changed_days(audience, everything)
    names: set[str] = set()
    if changed is not None:
        for _, part in audience.stored():
            rows = DailyFigures.objects.filter(part, ~Q(day__in=changed)).order_by()
            names.update(rows.values_list("model", flat=True).distinct())
    if changed is None or changed:
        sessions = answered(visible(user, DetectionSession.objects.all())).order_by()
        narrowed = _narrow_to_days(sessions, everything, changed)
        names.update(narrowed.values_list("model", flat=True).distinct())
    return sorted(names)


def _changed_days(audience: Audience, filters: AnalyticsFilters) -> list[dt.date] | None:
    """Days whose stored figures are out of date; None when that is all of them."""
    if not CountedIn.objects.filter(pk=1, time_zone=zone_name()).exists():
        return None
    marks = ChangedSession.objects.filter(audience.marks())
    if filters.first:
        marks = marks.filter(at__gte=midnight(filters.first))
    days = marks.annotate(day=TruncDate("at", tzinfo=zone())).order_by()
    return [day for day in days.values_list("day", flat=True).distinct() if day <= filters.last]


def _in_range(filters: AnalyticsFilters) -> Q:
    since = Q(day__gte=filters.first) if filters.first else Q()
    return since & Q(day__lte=filters.last)


def _narrow_to_days(
    sessions: QuerySet[DetectionSession], filters: AnalyticsFilters, days: list[dt.date] | None
) -> QuerySet[DetectionSession]:
    if days is None:
        since = Q(created_at__gte=midnight(filters.first)) if filters.first else Q()
        until = Q(created_at__lt=midnight(filters.last + dt.timedelta(days=1)))
        return sessions.filter(since & until)
    chosen = Q()
    for span in merge_days(days):
        chosen |= Q(created_at__gte=span.begin, created_at__lt=span.end)
    return sessions.filter(chosen)


def _read_stored(
    reading: Reading, audience: Audience, filters: AnalyticsFilters, changed: list[dt.date]
) -> None:
    valid = _in_range(filters)
    if changed:
        valid &= ~Q(day__in=changed)
    for added, part in audience.stored():
        by_class = DailyClassFigures.objects.filter(part & valid).order_by()
        if filters.model:
            by_class = by_class.filter(model=filters.model)
        rows = _signed(_daily_rows(part & valid), added)
        reading.models |= {row.model for row in rows if added}
        rows = [row for row in rows if filters.model in ("", row.model)]
        if filters.class_name:
            reading.times += rows
            rows = _signed(_rows_of_class(by_class, filters.class_name), added)
            _add_classes(reading, ((filters.class_name, _plain_figures(row)) for row in rows))
        else:
            _add_classes(reading, _class_totals(by_class, 1 if added else -1))
        reading.rows += rows


def _signed(rows: list[Row], added: bool) -> list[Row]:
    return rows if added else [row.negative() for row in rows]


def _daily_rows(valid: Q) -> list[Row]:
    rows = DailyFigures.objects.filter(valid).values_list(*KEY, *NUMBERS, "times")
    return [Row(*row) for row in rows.iterator(chunk_size=CHUNK)]


def _rows_of_class(by_class: QuerySet[DailyClassFigures], name: str) -> list[Row]:
    rows = by_class.filter(class_name=name).values_list(*KEY, *NUMBERS)
    return [Row(*row) for row in rows.iterator(chunk_size=CHUNK)]


def _class_totals(
    by_class: QuerySet[DailyClassFigures], sign: int
) -> Iterator[tuple[str, Figures]]:
    sums = by_class.values("class_name").annotate(
        Sum("sessions"), Sum("objects_found"), Sum("confidence_sum")
    )
    names = ("sessions__sum", "objects_found__sum", "confidence_sum__sum")
    for name, *numbers in sums.values_list("class_name", *names):
        yield name, Figures(*(sign * int(number) for number in numbers))


def _plain_figures(row: Row) -> Figures:
    return Figures(row.sessions, row.objects, row.confidence_sum)


def _read_counted(reading: Reading, counted: Counted, filters: AnalyticsFilters) -> None:
    """Take in what was counted now."""

    def wanted(model: str) -> bool:
        return not filters.model or model == filters.model

    rows = []
    for slot, figures in counted.slots.items():
        reading.models.add(slot.model)
        if wanted(slot.model):
            times = b"".join(part.tobytes() for part in figures.times)
            rows.append(_row(slot, figures, times))
    found = [
        (slot, name, figures)
        for (slot, name), figures in counted.classes.items()
        if wanted(slot.model) and filters.class_name in ("", name)
    ]
    _add_classes(reading, ((name, figures) for _, name, figures in found))
    if filters.class_name:
        reading.times += rows
        reading.rows += [_row(slot, figures, b"") for slot, _, figures in found]
    else:
        reading.rows += rows


def _row(slot: Slot, figures: Figures, times: bytes) -> Row:
    return Row(
        *(slot.day, slot.model, slot.backend, slot.precision),
        *(figures.sessions, figures.objects, figures.confidence_sum),
        pack_bins(figures.bins),
        times,
    )


def _add_classes(reading: Reading, classes: Iterable[tuple[str, Figures]]) -> None:
    for name, figures in classes:
        reading.classes.setdefault(name, Figures()).add(figures)
