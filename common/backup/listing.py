"""Which backups were made, here or elsewhere, as far as this installation knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from common.audit.models import AuditEntry
from common.storage.selectors import backup_folder


@dataclass(frozen=True)
class KnownBackup:
    """A backup.

    Attributes:
        file: Its name.
        made_at: When.
        is_here: Whether it lies in the folder for backups; otherwise it is wherever it was written
            to, or was taken to, or it is deleted.
    """

    file: str
    made_at: datetime
    is_here: bool


def backups_since(moment: datetime) -> list[KnownBackup]:
    """Return the backups made since a moment, oldest first: files that are here, and what the
    audit log tells of others."""
    found = {
        path.name: KnownBackup(path.name, made_at, is_here=True)
        for path in sorted(backup_folder().glob("*"))
        if path.is_file() and (made_at := _changed(path.stat().st_mtime)) >= moment
    }
    lines = AuditEntry.objects.filter(
        action=AuditEntry.Action.MAINTENANCE, at__gte=moment, details__what="backup"
    )
    for at, details in lines.order_by("at").values_list("at", "details"):
        name = str(details.get("file", ""))
        if name:
            found.setdefault(name, KnownBackup(name, at, is_here=False))
    return sorted(found.values(), key=lambda one: (one.made_at, one.file))


def _changed(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
