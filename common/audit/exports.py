"""The log as a file for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from common.audit.models import AuditEntry
from common.audit.selectors import AuditFilters, iterate
from common.audit.sentences import sentence_of
from vision.encoding.csv import escape_cell

COLUMNS = (
    *("time", "action", "person", "what", "object type", "object id", "object", "owner"),
    *("address", "via", "details"),
)


def csv_pieces(filters: AuditFilters) -> Iterator[str]:
    """Yield the header, then the lines that match in pieces, newest first (RFC 4180)."""
    yield _rows([COLUMNS])
    for page in iterate(filters):
        yield _rows([_cells(entry) for entry in page])


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    return (
        entry.at.isoformat(timespec="milliseconds"),
        entry.action,
        entry.actor_name,
        sentence_of(entry),
        *(entry.object_type, entry.object_id, entry.object_name, entry.owner_name),
        *(entry.address, entry.via, json.dumps(entry.details, ensure_ascii=False)),
    )


def _rows(rows: list[tuple[str, ...]]) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerows([escape_cell(cell) for cell in row] for row in rows)
    return stream.getvalue()


class CSVStream(StreamingHttpResponse):
    """The file, piece by piece, however long the log is.

    Under ASGI each piece is made in the request's thread; Django would collect an ordinary iterator
    into a list first. The test client and WSGI get an ordinary iterator.
    """

    def __init__(self, filters: AuditFilters) -> None:
        self.pieces = csv_pieces(filters)
        super().__init__(iter(()), content_type="text/csv; charset=utf-8")
        self["Content-Disposition"] = 'attachment; filename="audit-log.csv"'
        self["Cache-Control"] = "no-store"

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            yield piece.encode()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        following = sync_to_async(lambda: next(self.pieces, None), thread_sensitive=True)
        while (piece := await following()) is not None:
            yield piece.encode()
