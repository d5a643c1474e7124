"""Telling somebody everything that is known of them: a ZIP of JSON, CSV and pictures."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from common.audit.models import AuditEntry
from common.people import all_person_data
from recognition.models import Profile
from recognition.services.noting import write_line
from vision.encoding.csv import escape_cell

README = """Everything that this installation knows of one person.

Each kind of thing is there twice: as JSON with all of it, and as CSV for spreadsheets, where cells
that a spreadsheet would run as a formula begin with an apostrophe. Embeddings are 128 float32,
little-endian, in hexadecimal digits. Pictures lie in folders beside them. Times are in UTC.
"""


def export_person(*, actor: Any, profile: Profile) -> Iterator[bytes]:
    """Return a ZIP with everything about a person, made piece by piece; it is written down at once.

    It shows what cameras of any group and videos of anybody have seen, whoever may watch those:
    so it is for administrators.

    Args:
        actor: Who takes it.
        profile: Whom it is about.
    """
    with transaction.atomic():
        write_line(AuditEntry.Action.EXPORTED, actor, profile.pk, {"format": "zip"})
    return _pieces(profile)


def export_name(profile: Profile) -> str:
    """Return what the file is called; it names nobody."""
    return f"person-{profile.pk.hex[:8]}-{timezone.now():%Y%m%d}.zip"


def _pieces(profile: Profile) -> Iterator[bytes]:
    target = _Outlet()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        writer = _Writer(archive)
        writer.add_text("README.txt", README)
        for data in all_person_data():
            for _ in data.export(profile.pk, writer) or ():
                if piece := target.take():
                    yield piece
            if piece := target.take():
                yield piece
    yield target.take()


class _Outlet(io.RawIOBase):
    """Where a ZIP is written to that nobody can wind back; what is written is taken from it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


class _Writer:
    """See `common.people.ExportWriter`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._moment = timezone.now().timetuple()[:6]

    def add_rows(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        found = [dict(row) for row in rows]
        if not found:
            return
        file = name.replace(" ", "-")
        encoded = json.dumps(found, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False)
        self.add_text(f"{file}.json", encoded)
        self.add_text(f"{file}.csv", _csv(json.loads(encoded)), encoding="utf-8-sig")

    def add_file(self, name: str, data: bytes) -> None:
        if data:
            self._add(name, data)

    def add_text(self, name: str, text: str, *, encoding: str = "utf-8") -> None:
        """Add a text."""
        self._add(name, text.encode(encoding))

    def _add(self, name: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(name, date_time=self._moment)
        entry.compress_type = zipfile.ZIP_DEFLATED
        self._archive.writestr(entry, data)


def _csv(rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows([escape_cell(_cell(row.get(name))) for name in columns] for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
