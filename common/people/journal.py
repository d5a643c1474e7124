"""Who was erased, in a file beside the database, so that no backup brings anybody back.

A line names nobody: it holds ids that nothing points at any more. The file is only added to. After
a restore everybody in it is erased again.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from django.conf import settings

from common.people.registry import PersonId

logger = logging.getLogger(__name__)

FILE = "erasures.jsonl"


@dataclass(frozen=True)
class Erasure:
    """One line.

    Attributes:
        person: Who was erased.
        aliases: Ids of profiles that had become part of theirs.
        at: When.
    """

    person: PersonId
    aliases: tuple[PersonId, ...]
    at: datetime


def note_erasure(erasure: Erasure) -> None:
    """Add a line, and return when it is on the disk.

    Raises:
        OSError: It is not.
    """
    line = {
        "person": str(erasure.person),
        "aliases": [str(alias) for alias in erasure.aliases],
        "at": erasure.at.isoformat(),
    }
    path = journal_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One write at the end of the file: lines of two processes never mix.
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        data = (_gap(descriptor) + json.dumps(line) + "\n").encode()
        written = os.write(descriptor, data)
        if written < len(data):
            raise OSError(errno.ENOSPC, "a line was not written to its end", FILE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_erasures() -> list[Erasure]:
    """Return all lines, oldest first; one that cannot be read is logged and left out."""
    try:
        lines = journal_path().read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [
        found
        for number, line in enumerate(lines, 1)
        if line.strip() and (found := _parse(line, number))
    ]


def journal_path() -> Path:
    """Return where the file lies."""
    return Path(settings.DATA_DIR) / FILE


def _gap(descriptor: int) -> str:
    """Return what has to stand before a line: one that broke off must not swallow it."""
    size = os.fstat(descriptor).st_size
    return "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""


def _parse(line: bytes, number: int) -> Erasure | None:
    try:
        data = json.loads(line)
        aliases = tuple(UUID(alias) for alias in data["aliases"])
        return Erasure(UUID(data["person"]), aliases, datetime.fromisoformat(data["at"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        logger.error("Line %d of %s cannot be read", number, FILE)
        return None


Eraser: TypeAlias = Callable[[Sequence[PersonId]], int]
_erasers: list[Eraser] = []


def register_eraser(eraser: Eraser) -> None:
    """Have people erased by this; it returns how many of them were there."""
    if eraser not in _erasers:
        _erasers.append(eraser)


def erase_again() -> int:
    """Erase those whom the file names and who are there nevertheless; return how many."""
    people: dict[PersonId, None] = {}
    for erasure in read_erasures():
        people.update(dict.fromkeys((*erasure.aliases, erasure.person)))
    everybody = list(people)
    return sum(eraser(everybody) for eraser in _erasers) if everybody else 0
