"""From what was read to what is shown: the document of the API, the page and the CSV files."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from detector.analytics.days import DayRange, zone_name
from detector.analytics.figures import (
    BIN_TYPE,
    BINS,
    EDGES,
    Figures,
    unpack_times,
)
from detector.analytics.filters import AnalyticsFilters
from detector.analytics.selectors import Reading, Row

Document = dict[str, Any]


def summarise(reading: Reading, filters: AnalyticsFilters) -> Document:
    """Everything that the charts show, as JSON values; see ``AnalyticsSerializer``."""
    by_day = _by_day(reading.rows)
    days = filters.days(min(by_day, default=None))
    whole = sum_rows(reading.rows)
    if filters.class_name:
        _take_times(whole, reading.times)
    return {
        "range": {
            "from": days.first.isoformat(),
            "to": days.last.isoformat(),
            "step": days.step,
            "time_zone": zone_name(),
        },
        "totals": {
            "sessions": whole.sessions,
            "objects": whole.objects,
            "mean_confidence": whole.mean_confidence,
            **_times(whole),
        },
        "classes": _classes(reading.classes),
        "timeline": _timeline(by_day, days),
        "confidence": [
            {"from": EDGES[number], "to": EDGES[number + 1], "objects": int(whole.bins[number])}
            for number in range(BINS)
        ],
        "models": _models(reading),
    }


def sum_rows(rows: Iterable[Row]) -> Figures:
    """The figures of many rows together."""
    listed = list(rows)
    bins = np.frombuffer(b"".join(row.bins for row in listed), BIN_TYPE)
    return Figures(
        sum(row.sessions for row in listed),
        sum(row.objects for row in listed),
        sum(row.confidence_sum for row in listed),
        bins.reshape(-1, BINS).sum(axis=0, dtype=np.int64),
        [unpack_times(b"".join(row.times for row in listed))],
        [unpack_times(b"".join(row.taken for row in listed))],
    )


def _take_times(figures: Figures, rows: Iterable[Row]) -> None:
    pooled = sum_rows(rows)
    figures.times, figures.taken = pooled.times, pooled.taken


def _times(figures: Figures) -> Document:
    median, slow = figures.percentiles() or (None, None)
    return {"median_ms": median, "p95_ms": slow}


def _classes(classes: dict[str, Figures]) -> list[Document]:
    found = [(name, figures) for name, figures in classes.items() if figures.objects]
    ordered = sorted(found, key=lambda item: (-item[1].objects, item[0]))
    return [
        {
            "class": name,
            "objects": figures.objects,
            "sessions": figures.sessions,
            "mean_confidence": figures.mean_confidence,
        }
        for name, figures in ordered
    ]


def _by_day(rows: Iterable[Row]) -> dict[dt.date, tuple[int, int]]:
    """Sessions and objects of every day that has any."""
    counts: dict[dt.date, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        counts[row.day][0] += row.sessions
        counts[row.day][1] += row.objects
    return {day: (sessions, objects) for day, (sessions, objects) in counts.items() if sessions}


def _timeline(by_day: dict[dt.date, tuple[int, int]], days: DayRange) -> list[Document]:
    ordered = sorted(by_day.items())
    timeline, at = [], 0
    for step in days.steps():
        sessions = objects = 0
        while at < len(ordered) and ordered[at][0] <= step.last:
            sessions += ordered[at][1][0]
            objects += ordered[at][1][1]
            at += 1
        timeline.append(
            {
                "from": step.first.isoformat(),
                "to": step.last.isoformat(),
                "sessions": sessions,
                "objects": objects,
            }
        )
    return timeline


def _models(reading: Reading) -> list[Document]:
    rows: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    times: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in reading.rows:
        rows[row.model, row.backend, row.precision].append(row)
    for row in reading.times or reading.rows:
        times[row.model, row.backend, row.precision].append(row)
    summed = {key: sum_rows(listed) for key, listed in rows.items()}
    for key, figures in summed.items():
        _take_times(figures, times[key])
    answered = [(key, figures) for key, figures in summed.items() if figures.sessions]
    ordered = sorted(answered, key=lambda item: (-item[1].sessions, item[0]))
    return [
        {
            **dict(zip(("model", "backend", "precision"), key, strict=True)),
            "sessions": figures.sessions,
            "objects": figures.objects,
            "objects_per_picture": figures.objects_per_session,
            "mean_confidence": figures.mean_confidence,
            **_times(figures),
        }
        for key, figures in ordered
    ]
