"""Reads of the storage page: what is stored, whose it is, and what would go."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from common.jobs.models import Job
from common.storage.models import RetentionPolicy
from common.storage.registry import all_results, busy_for_any, used_by_any
from common.uploads.derived import DerivedFile
from common.uploads.models import Upload

JOB_KIND = "common.cleanup"
TOP_OWNERS = 20
GROWTH_DAYS = 30
KINDS = ("pictures", "thumbnails", "results", "models", "database", "backups", "other")


@dataclass(frozen=True)
class OwnerUse:
    """What one person's pictures weigh; `share` of all pictures, 0..1."""

    name: str
    bytes: int
    pictures: int
    share: float


@dataclass(frozen=True)
class Usage:
    """All that is stored.

    Attributes:
        kinds: Bytes by kind, in the order of `KINDS`.
        owners: The largest first, at most twenty.
        grown: Bytes of the pictures of the last thirty days that are still there.
    """

    kinds: dict[str, int]
    pictures: int
    owners: list[OwnerUse]
    grown: int

    @property
    def total(self) -> int:
        """Bytes in all."""
        return sum(self.kinds.values())


@dataclass(frozen=True)
class Expiry:
    """What a run with some policy would delete now."""

    pictures: int
    bytes: int
    results: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing would go."""
        return not (self.pictures or self.results)


def current_policy() -> RetentionPolicy:
    """Return the policy; at first nothing is ever deleted, and the first run is an hour away."""
    found = RetentionPolicy.objects.filter(pk=1).first()
    if found is None:
        defaults = {"last_run_at": timezone.now()}
        found, _ = RetentionPolicy.objects.get_or_create(pk=1, defaults=defaults)
    return found


def latest_cleanup() -> Job | None:
    """Return the newest run, whatever its state."""
    return Job.objects.filter(kind=JOB_KIND).order_by("-created_at").first()


def kept_uploads() -> QuerySet[Upload]:
    """Uploads whose file is there."""
    return Upload.objects.filter(removed_at=None)


def own_use(user: Any) -> dict[str, int]:
    """Return `bytes` and `pictures` of one person."""
    return kept_uploads().filter(owner=user).aggregate(bytes=_weight(), pictures=Count("pk"))


def total_usage() -> Usage:
    """Weigh everything: one pass over the uploads, and a walk over folders that hold few files."""
    owners = list(_owners())
    weights = {
        "pictures": sum(row["picture_bytes"] for row in owners),
        "thumbnails": sum(row["thumbnail_bytes"] for row in owners),
        "results": DerivedFile.objects.aggregate(bytes=Sum("size", default=0))["bytes"],
        "models": folder_bytes(Path(settings.MODELS_DIR)),
        "database": database_bytes(),
        "backups": folder_bytes(backup_folder()),
        "other": other_bytes(),
    }
    return Usage(
        kinds={kind: weights[kind] for kind in KINDS},
        pictures=sum(row["pictures"] for row in owners),
        owners=_largest(owners),
        grown=sum(row["grown"] for row in owners),
    )


def _owners() -> QuerySet[Any, Any]:
    recent = Q(created_at__gte=timezone.now() - timedelta(days=GROWTH_DAYS))
    return (
        kept_uploads()
        .order_by()
        .values("owner")
        .annotate(
            picture_bytes=Sum("size", default=0),
            thumbnail_bytes=Sum("thumbnail_size", default=0),
            pictures=Count("pk"),
            grown=Sum(F("size") + F("thumbnail_size"), filter=recent, default=0),
        )
    )


def _largest(rows: list[dict[str, Any]]) -> list[OwnerUse]:
    weights = {row["owner"]: row["picture_bytes"] + row["thumbnail_bytes"] for row in rows}
    total = sum(weights.values())
    top = sorted(rows, key=lambda row: (-weights[row["owner"]], row["owner"]))[:TOP_OWNERS]
    users = get_user_model().objects.in_bulk([row["owner"] for row in top])
    return [
        OwnerUse(
            name=users[row["owner"]].get_username(),
            bytes=weights[row["owner"]],
            pictures=row["pictures"],
            share=weights[row["owner"]] / total if total else 0.0,
        )
        for row in top
        if row["owner"] in users
    ]


def _weight() -> Any:
    return Sum(F("size") + F("thumbnail_size"), default=0)


def expired_pictures(before: datetime) -> QuerySet[Upload]:
    """Uploads made before a moment whose file is there and not needed for work in progress."""
    return kept_uploads().filter(created_at__lt=before).exclude(busy_for_any())


def unused_uploads(before: datetime) -> QuerySet[Upload]:
    """Uploads made before a moment on which no result hangs: a process ended in between."""
    if not all_results():
        return Upload.objects.none()
    return Upload.objects.filter(created_at__lt=before).exclude(used_by_any())


def next_expiry(*, picture_days: int | None, result_days: int | None) -> Expiry:
    """Count what a run would delete now with these days; None keeps for ever.

    Pictures never stay longer than results, so those that go with their results are among those
    that are too old themselves.
    """
    results = 0
    going = Upload.objects.none()
    if result_days:
        before = cutoff(result_days)
        results = sum(kind.expired(before).count() for kind in all_results())
        old = kept_uploads().filter(used_by_any(), created_at__lt=before)
        going = old.exclude(used_by_any(before))
    if picture_days:
        going = expired_pictures(cutoff(picture_days))
    sums = going.aggregate(pictures=Count("pk"), bytes=_weight())
    return Expiry(sums["pictures"], sums["bytes"], results)


def cutoff(days: int) -> datetime:
    """Return the moment so many days ago; the beginning of time when there were not so many."""
    try:
        return timezone.now() - timedelta(days=days)
    except OverflowError:
        return datetime.min.replace(year=2, tzinfo=timezone.get_default_timezone())


def backup_folder() -> Path:
    """Return where backups go that name no file."""
    return Path(settings.DATA_DIR) / "backups"


def database_bytes() -> int:
    """Weigh the database, with its journal."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
    return sum(_file_bytes(path) for path in _database_files())


def other_bytes() -> int:
    """Weigh what lies in the data folder and is of no other kind."""
    known = {Path(settings.MEDIA_ROOT), Path(settings.MODELS_DIR), backup_folder()}
    known |= set(_database_files())
    total = 0
    for entry in _entries(Path(settings.DATA_DIR)):
        path = Path(entry.path)
        if path not in known:
            total += folder_bytes(path) if entry.is_dir(follow_symlinks=False) else _size(entry)
    return total


def folder_bytes(folder: Path) -> int:
    """Weigh all files below a folder; a folder that is not there weighs nothing."""
    total = 0
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            total += folder_bytes(Path(entry.path))
        else:
            total += _size(entry)
    return total


def _database_files() -> list[Path]:
    if connection.vendor != "sqlite":
        return []
    name = str(connection.settings_dict["NAME"])
    return [Path(name + ending) for ending in ("", "-wal", "-shm")]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
