"""Counting sessions and objects by day, audience, model and class, in two queries.

The one place where figures come from: what is stored ahead and what a page adds for days that
have changed since is counted here alike.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Count, FloatField, Func, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from detector.analytics.days import day_of, zone
from detector.analytics.figures import BINS, EDGES, MILLION, Figures, pack_times
from detector.models import DetectedObject, DetectionSession


class Slot(NamedTuple):
    """What figures belong to."""

    day: dt.date
    owner_id: int | None  # None: everybody whose sessions are shared with the group
    group_id: int | None
    model: str
    backend: str
    precision: str


class ClassSlot(NamedTuple):
    """The same, of one class."""

    slot: Slot
    class_name: str


class Counted(NamedTuple):
    """Figures of a set of sessions; those of ``slots`` are over all classes and have times."""

    slots: Mapping[Slot, Figures]
    classes: Mapping[ClassSlot, Figures]


class _Millionths(Func):
    """A confidence as a whole number: both databases round halves away from zero."""

    template = f"ROUND(%(expressions)s * {MILLION})"
    output_field = FloatField()


def answered(sessions: QuerySet[DetectionSession]) -> QuerySet[DetectionSession]:
    """Pictures that have a result: a model has answered. What videos show is counted by track."""
    return sessions.filter(kind__in=DetectionSession.PICTURES).exclude(model="")


def count_sessions(sessions: QuerySet[DetectionSession]) -> Counted:
    """Count the answered ones among these sessions, exactly, from their rows."""
    sessions = answered(sessions)
    slots = _count_sessions(sessions)
    classes = _count_objects(sessions)
    for (slot, _), figures in classes.items():
        whole = slots[slot]
        whole.objects += figures.objects
        whole.confidence_sum += figures.confidence_sum
        whole.bins += figures.bins
    return Counted(slots, classes)


def _count_sessions(sessions: QuerySet[DetectionSession]) -> dict[Slot, Figures]:
    columns = ("created_at", "owner_id", "shared_with_id", "model", "backend", "precision")
    slots: dict[Slot, Figures] = defaultdict(Figures)
    times: dict[Slot, list[float]] = defaultdict(list)
    rows = sessions.order_by().values_list(*columns, "timings_ms")
    for created_at, *key, timings in rows.iterator(chunk_size=5000):
        slot = Slot(day_of(created_at), *key)
        slots[slot].sessions += 1
        total = _total_ms(timings)
        if total is not None:
            times[slot].append(total)
    for slot, values in times.items():
        slots[slot].times.append(pack_times(values))
    return slots


def _total_ms(timings: Any) -> float | None:
    total = timings.get("total") if isinstance(timings, dict) else None
    return float(total) if isinstance(total, int | float) else None


def _count_objects(sessions: QuerySet[DetectionSession]) -> dict[ClassSlot, Figures]:
    key = [
        "day",
        *(f"session__{name}" for name in ("owner_id", "shared_with_id")),
        *(f"session__{name}" for name in ("model", "backend", "precision")),
        "class_name",
    ]
    numbers = {
        "found_in": Count("session", distinct=True),
        "number": Count("pk"),
        "strength": Sum(_Millionths("confidence")),
        **{f"bin{at}": Count("pk", filter=_in_bin(at)) for at in range(BINS)},
    }
    day = TruncDate("session__created_at", tzinfo=zone())
    rows = (
        DetectedObject.objects.filter(session__in=sessions)
        .order_by()
        .annotate(day=day)
        .values(*key)
        .annotate(**numbers)
        .values_list(*key, *numbers)
    )
    counted = {}
    for row in rows.iterator(chunk_size=5000):
        name, sessions_with, objects, confidence, *bins = row[6:]
        counted[ClassSlot(Slot(*row[:6]), name)] = Figures(
            sessions_with, objects, round(confidence), np.array(bins, dtype=np.int64)
        )
    return counted


def _in_bin(number: int) -> Q:
    if number == 0:
        return Q(confidence__lt=EDGES[1])
    if number == BINS - 1:
        return Q(confidence__gte=EDGES[number])
    return Q(confidence__gte=EDGES[number], confidence__lt=EDGES[number + 1])
