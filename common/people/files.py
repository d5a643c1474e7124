"""Stored files that show a person: deleted after the commit, and looked for afterwards."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction

from common.storage.files import stat_file
from common.storage.orphans import walk

logger = logging.getLogger(__name__)

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class StoredFile:
    """A file as it was before it was deleted; of length 0 where there was none."""

    name: str
    size: int
    sha256: str

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def discard_files(names: Iterable[str]) -> None:
    """Delete files when the transaction is committed; what fails is tried again by the erasure."""
    doomed = [name for name in names if name]
    transaction.on_commit(lambda: delete_files(doomed), robust=True)


def delete_files(names: Iterable[str]) -> None:
    """Delete files now; one that is not there is no error."""
    for name in names:
        try:
            default_storage.delete(name)
        except FileNotFoundError:  # two at once
            continue
        except OSError as error:
            logger.warning("%s could not be deleted: %s", name, error)


def describe_files(names: Iterable[str]) -> list[StoredFile]:
    """Return size and SHA-256 of files, those that are there."""
    return [described for name in names if (described := _describe(name)) is not None]


def find_by_name(files: Sequence[StoredFile]) -> list[str]:
    """Return the names of those that are still there."""
    return [file.name for file in files if default_storage.exists(file.name)]


def find_by_content(files: Sequence[StoredFile], folders: Iterable[str]) -> list[str]:
    """Return the names of files below some folders with the content of one of these files.

    Only files of the same size are read.
    """
    sizes = {file.size for file in files if file.size}
    known = {file.sha256 for file in files if file.size}
    if not sizes:
        return []
    return [
        name
        for folder in folders
        for name in walk(default_storage, folder)
        if _size(name) in sizes and (found := _describe(name)) and found.sha256 in known
    ]


def _describe(name: str) -> StoredFile | None:
    try:
        size, _ = stat_file(default_storage, name)
        with default_storage.open(name, "rb") as file:
            digest = hashlib.sha256()
            while piece := file.read(CHUNK):
                digest.update(piece)
    except OSError:
        return None
    return StoredFile(name, size, digest.hexdigest())


def _size(name: str) -> int:
    try:
        return stat_file(default_storage, name)[0]
    except OSError:
        return -1
