"""Visits as a file for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from django.db.models import QuerySet

from video_analysis.retail.models import Visit
from video_analysis.retail.presenting import is_staff, name_of, stay_seconds
from vision.encoding.csv import escape_cell

COLUMNS: Final = (
    *("visit", "area", "person", "kind", "entry", "exit", "last seen", "stay in s"),
    *("waiting in s", "interactions", "sightings"),
)
PIECE: Final = 500


def csv_pieces(rows: QuerySet[Visit]) -> Iterator[bytes]:
    """Yield a header, then the visits in pieces (RFC 4180)."""
    yield _lines([COLUMNS])
    lines = []
    for visit in rows.defer("mood").iterator(chunk_size=PIECE):
        lines.append(_cells(visit))
        if len(lines) == PIECE:
            yield _lines(lines)
            lines = []
    if lines:
        yield _lines(lines)


def _cells(visit: Visit) -> tuple[str, ...]:
    waiting = visit.waiting_seconds
    kind = "visitor" if visit.profile is None else "staff" if is_staff(visit) else "customer"
    return (
        *(str(visit.pk), visit.area.name, name_of(visit), kind),
        visit.entry.isoformat(timespec="seconds"),
        "" if visit.exit is None else visit.exit.isoformat(timespec="seconds"),
        visit.last_seen.isoformat(timespec="seconds"),
        f"{stay_seconds(visit):.0f}",
        "" if waiting is None else f"{waiting:.0f}",
        *(str(visit.interactions), str(visit.sightings)),
    )


def _lines(rows: list[tuple[str, ...]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerows([escape_cell(cell) for cell in row] for row in rows)
    return stream.getvalue().encode()
