"""Files without a row, rows without a file, and uploads on which nothing hangs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core.files.storage import Storage, default_storage
from django.db import connection
from django.utils import timezone

from common.storage.registry import KeptFiles, all_kept_files
from common.storage.selectors import kept_uploads, unused_uploads
from common.uploads.derived import DerivedFile
from common.uploads.models import Upload
from common.uploads.services import delete_upload

logger = logging.getLogger(__name__)

# All that is ours; a bucket may hold others' files beside them.
FOLDERS = ("uploads", "thumbnails", "derived")
MINIMUM_AGE = timedelta(hours=1)  # a file is written before its row
NAMED_IN_LOG = 100

Checkpoint = Callable[[float, str], None]


@dataclass
class Findings:
    """What does not fit together.

    Attributes:
        files: How many files there are in all.
        orphans: Names of files that no row knows, old enough not to be on their way.
        bytes: Their weight.
        unused: Uploads that belong to no result.
        missing: Ids of uploads whose picture or thumbnail is not there.
    """

    files: int = 0
    orphans: list[str] = field(default_factory=list)
    bytes: int = 0
    unused: list[Upload] = field(default_factory=list)
    missing: list[UUID] = field(default_factory=list)

    @property
    def doomed(self) -> int:
        """How many files would go."""
        return len(self.orphans) + sum(bool(u.file) + bool(u.thumbnail) for u in self.unused)

    @property
    def is_suspicious(self) -> bool:
        """Whether more than half of all files would go: then something else is wrong."""
        return self.doomed * 2 > self.files


def find_orphans(*, checkpoint: Checkpoint) -> Findings:
    """Compare the stored files with the rows; changes nothing."""
    began = timezone.now()
    names: set[str] = set()
    swept = [kept for kept in all_kept_files() if kept.swept]
    for folder in (*FOLDERS, *(kept.folder for kept in swept)):
        for name in walk(default_storage, folder):
            names.add(name)
            checkpoint(0.6, "Looking for files that belong to nobody")
    found = Findings(files=len(names))
    suspects = _strike_known(names, found, before=began)
    for kept in swept:
        suspects.difference_update(_named_by(kept))
    for name in sorted(suspects):
        checkpoint(0.8, "Looking for files that belong to nobody")
        _judge(name, found)
    found.unused = list(unused_uploads(began - MINIMUM_AGE))
    return found


def walk(storage: Storage, folder: str) -> Iterator[str]:
    """Yield the names of all files below a folder of a storage, whatever it is stored in."""
    try:
        folders, files = storage.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (f"{folder}/{name}" for name in files)
    for name in folders:
        yield from walk(storage, f"{folder}/{name}")


def delete_orphans(found: Findings, *, checkpoint: Checkpoint) -> int:
    """Delete what was found and return how many files went; none when they are too many."""
    if found.is_suspicious:
        return 0
    gone = 0
    for name in found.orphans:
        checkpoint(0.9, "Deleting files that belong to nobody")
        try:
            default_storage.delete(name)
            gone += 1
        except OSError as error:
            logger.warning("%s belongs to nobody and could not be deleted: %s", name, error)
    still = unused_uploads(timezone.now() - MINIMUM_AGE)
    for upload in found.unused:
        if still.filter(pk=upload.pk).exists():
            gone += bool(upload.file) + bool(upload.thumbnail)
            delete_upload(upload=upload)
    return gone


def _strike_known(names: set[str], found: Findings, *, before: datetime) -> set[str]:
    """Take the names that rows know off the set, and note rows whose file is not among them."""
    rows = kept_uploads().order_by().values_list("pk", "file", "thumbnail", "created_at")
    for pk, file, thumbnail, made in rows.iterator(chunk_size=5000):
        for name in filter(None, (file, thumbnail)):
            if name in names:
                names.discard(name)
            elif made < before and _is_really_missing(pk, name):
                found.missing.append(pk)
                break
    names.difference_update(
        DerivedFile.objects.order_by().values_list("file", flat=True).iterator(chunk_size=5000)
    )
    if found.missing:
        shown = ", ".join(str(pk) for pk in found.missing[:NAMED_IN_LOG])
        logger.warning("%d uploads have lost their file: %s", len(found.missing), shown)
    return names


def _named_by(kept: KeptFiles) -> Iterator[str]:
    """Yield the names that an app's rows know."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {quote(kept.column)} FROM {quote(kept.table)}")  # noqa: S608
        while rows := cursor.fetchmany(5000):
            yield from (str(row[0]) for row in rows if row[0])


def _is_really_missing(pk: UUID, name: str) -> bool:
    # It may have been deleted in the proper way since the files were listed.
    return not default_storage.exists(name) and kept_uploads().filter(pk=pk).exists()


def _judge(name: str, found: Findings) -> None:
    try:
        if timezone.now() - default_storage.get_modified_time(name) < MINIMUM_AGE:
            return
        found.bytes += default_storage.size(name)
    except FileNotFoundError:
        return
    found.orphans.append(name)
