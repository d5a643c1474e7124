"""Deleting what is older than it may be, in batches; a run that breaks off is simply run again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from common.storage.registry import Results, all_results
from common.storage.selectors import expired_pictures
from common.uploads.models import Upload
from common.uploads.services import remove_pictures

BATCH = 200

Checkpoint = Callable[[float, str], None]


@dataclass
class Removed:
    """How many went, and how many bytes with them."""

    count: int = 0
    bytes: int = 0


def remove_expired_pictures(*, before: datetime, checkpoint: Checkpoint) -> Removed:
    """Take the files of uploads made before a moment; rows, boxes and counts stay.

    A picture that is just being deleted, or run again, is left to the next run.
    """
    removed = Removed()
    last: tuple[datetime, object] | None = None
    while True:
        checkpoint(0.4, "Removing old pictures")
        rows = _after(last, before).values_list("created_at", "pk")[:BATCH]
        batch = list(rows)
        if not batch:
            return removed
        last = batch[-1]
        with transaction.atomic():
            # Whoever holds a row is at work on it. What they did before is seen by the second
            # query only: the first one has looked before it had the lock.
            ids = [pk for _, pk in batch]
            held = Upload.objects.select_for_update(skip_locked=True).filter(pk__in=ids)
            locked = [upload.pk for upload in held]
            uploads = list(expired_pictures(before).filter(pk__in=locked))
            remove_pictures(uploads=uploads)
        removed.count += len(uploads)
        removed.bytes += sum(upload.size + upload.thumbnail_size for upload in uploads)


def _after(last: tuple[datetime, object] | None, before: datetime) -> QuerySet[Upload]:
    rows = expired_pictures(before).order_by("created_at", "pk")
    if last is None:
        return rows
    moment, pk = last
    return rows.filter(Q(created_at__gt=moment) | Q(created_at=moment, pk__gt=pk))


def delete_expired_results(*, before: datetime, checkpoint: Checkpoint) -> int:
    """Delete finished results made before a moment, with the uploads that nothing else uses."""
    return sum(_delete_all(kind, before, checkpoint) for kind in all_results())


def _delete_all(kind: Results, before: datetime, checkpoint: Checkpoint) -> int:
    deleted: set[object] = set()
    while True:
        batch = [row for row in kind.expired(before)[:BATCH] if row.pk not in deleted]
        if not batch:
            return len(deleted)
        for result in batch:
            checkpoint(0.1, f"Deleting old {kind.name}")
            kind.delete(result)
            deleted.add(result.pk)
