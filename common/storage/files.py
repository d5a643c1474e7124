"""Looking at stored files in the way that is cheapest where they lie."""

from __future__ import annotations

from datetime import datetime
from typing import IO, Any

from django.core.files.storage import Storage


class StorageUnavailable(OSError):  # noqa: N818 - the name says what happened
    """The place where files lie does not answer, or not as it should."""


def stat_file(storage: Storage, name: str) -> tuple[int, datetime]:
    """Return size and time of change of a stored file.

    Raises:
        FileNotFoundError: There is none.
    """
    if not name:
        raise FileNotFoundError("There is no file.")
    ask = getattr(storage, "stat", None)
    if ask is None:
        return storage.size(name), storage.get_modified_time(name)
    size, changed = ask(name)
    return int(size), changed


def open_part(storage: Storage, name: str, start: int, stop: int) -> IO[bytes] | Any:
    """Open a stored file to be read forwards from `start`, up to `stop` at most.

    A bucket sends just these bytes; a file on the disk is opened and wound forward.

    Raises:
        FileNotFoundError: There is none.
    """
    fetch = getattr(storage, "open_part", None)
    if fetch is not None:
        return fetch(name, start, stop)
    opened = storage.open(name, "rb")
    opened.seek(start)
    return opened
