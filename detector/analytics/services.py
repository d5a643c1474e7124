"""Keeping the stored figures right.

Every change to a session with a result leaves a mark of its day, owner and group, in its own
transaction. Readers count marked days themselves, so that a page is never wrong; `refresh` counts
them again for good and takes the marks away, so that a page is fast. It may be interrupted, run
twice or not at all.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from detector.analytics.counting import Counted, Slot, count_sessions
from detector.analytics.days import DayRange, day_of, zone_name
from detector.analytics.figures import Figures, pack_bins
from detector.models import (
    ChangedSession,
    CountedIn,
    DailyClassFigures,
    DailyFigures,
    DetectionSession,
)

Row = tuple[Any, ...]

KEY = Slot._fields
NUMBERS = ("sessions", "objects_found", "confidence_sum", "confidence_bins")
MARK_ALL = f"""
INSERT INTO {ChangedSession._meta.db_table} (owner_id, group_id, at)
SELECT owner_id, shared_with_id, created_at FROM {DetectionSession._meta.db_table}
WHERE model <> ''
"""  # noqa: S608 - names of our own tables


def refresh(*, seconds: float | None = None) -> int:
    """Count marked days again, the newest first, and take their marks away.

    Args:
        seconds: Begin no further day after this time; None goes on until nothing is marked.

    Returns:
        How many days were counted. Zero also when another process is at it.
    """
    began = time.monotonic()
    done = 0
    while seconds is None or time.monotonic() - began < seconds:
        if not _refresh_newest():
            break
        done += 1
    return done


def rebuild() -> None:
    """Forget all figures and mark every day, as when the time zone has changed."""
    with transaction.atomic():
        _forget()


def _refresh_newest() -> bool:
    """Count the newest marked day; False when there is none or somebody else is counting."""
    with transaction.atomic():
        if not _hold():
            return False
        newest = ChangedSession.objects.order_by("-at").values_list("at", flat=True).first()
        if newest is None:
            return False
        _count_day(DayRange(day_of(newest), day_of(newest)))
    return True


def _hold() -> bool:
    """Hold the one row that lets one process at a time count; make it when there is none."""
    held = CountedIn.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if held is None and CountedIn.objects.filter(pk=1).exists():
        return False
    if held is None or held.time_zone != zone_name():
        _forget()
    return True


def _forget() -> None:
    CountedIn.objects.update_or_create(pk=1, defaults={"time_zone": zone_name()})
    for model in (DailyFigures, DailyClassFigures, ChangedSession):
        model.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(MARK_ALL)


def _count_day(day: DayRange) -> None:
    # The marks go first. What is committed after this statement has seen the table is either
    # counted below or keeps its mark, or both; never neither.
    ChangedSession.objects.filter(at__gte=day.begin, at__lt=day.end).delete()
    sessions = DetectionSession.objects.filter(created_at__gte=day.begin, created_at__lt=day.end)
    counted = count_sessions(sessions)
    for model in (DailyFigures, DailyClassFigures):
        model.objects.filter(day=day.first).delete()
    _store(DailyFigures, (*KEY, *NUMBERS, "times"), _figure_rows(counted))
    _store(DailyClassFigures, (*KEY, *NUMBERS, "class_name"), _class_rows(counted))


def _figure_rows(counted: Counted) -> Iterator[Row]:
    by_group: dict[Slot, Figures] = defaultdict(Figures)
    for slot, figures in counted.slots.items():
        if slot.group_id is not None:
            by_group[_of_group(slot)].add(figures)
    for slot, figures in chain(counted.slots.items(), by_group.items()):
        times = b"".join(part.tobytes() for part in figures.times)
        yield (*slot, *_numbers(figures), times)


def _class_rows(counted: Counted) -> Iterator[Row]:
    by_group: dict[tuple[Slot, str], Figures] = defaultdict(Figures)
    for (slot, name), figures in counted.classes.items():
        if slot.group_id is not None:
            by_group[_of_group(slot), name].add(figures)
    for (slot, name), figures in chain(counted.classes.items(), by_group.items()):
        yield (*slot, *_numbers(figures), name)


def _of_group(slot: Slot) -> Slot:
    return slot._replace(owner_id=None)


def _numbers(figures: Figures) -> Row:
    return (
        figures.sessions,
        figures.objects,
        figures.confidence_sum,
        pack_bins(figures.bins),
    )


def _store(model: type[Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert without making model instances: a day may have thousands of rows, a year a million."""
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(
                f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({places})",  # noqa: S608
                rows,
            )
