"""The registry: one entry per kind of thing that is kept about people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

PersonId: TypeAlias = UUID


class ExportWriter(Protocol):
    """Takes what an app knows of a person; used by one handler after the other."""

    def add_rows(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows of JSON values under a plural noun, e.g. "visits"."""
        ...

    def add_file(self, name: str, data: bytes) -> None:
        """Add a file under a relative name, e.g. "samples/1.jpg"."""
        ...


def _nothing(person: PersonId) -> tuple[()]:
    return ()


def _never(person: PersonId) -> None:
    return None


@dataclass(frozen=True)
class PersonData:
    """What one app keeps about people.

    Attributes:
        name: Plural noun for people, e.g. "visits".
        models: Labels of the models whose rows are about a person, e.g. "retail.visit".
        erase: Deletes or makes unrecognisable all of it, rows in the caller's transaction and
            files when it is committed; returns how many of what, by plural noun. Called again it
            finds nothing.
        remaining: Counts what is still there, rows and files, by plural noun; all zero afterwards.
        export: Tells a writer everything. One with many files is a generator that yields after
            each, so that no more than a few are in memory; it is run to its end.
        order: Smaller goes first; the profile itself is last, at 100.
        files: Names of the stored files that `erase` deletes, so that it can be seen afterwards
            whether they are gone.
        uploads: Ids of uploads that show the person. They are somebody's, so `erase` leaves them;
            whoever erases is told, and may have them removed.
        since: When the oldest of it was made, so that backups of that time can be named: it may
            have been another profile's, or nobody's, before it was this person's.
    """

    name: str
    models: tuple[str, ...]
    erase: Callable[[PersonId], Mapping[str, int]]
    remaining: Callable[[PersonId], Mapping[str, int]]
    export: Callable[[PersonId, ExportWriter], Iterable[None] | None]
    order: int = 50
    files: Callable[[PersonId], Iterable[str]] = _nothing
    uploads: Callable[[PersonId], Iterable[UUID]] = _nothing
    since: Callable[[PersonId], datetime | None] = _never


_registered: dict[str, PersonData] = {}


def register_person_data(data: PersonData) -> None:
    """Make an app's data known; the same name again replaces it."""
    _registered[data.name] = data


def all_person_data() -> list[PersonData]:
    """Return what the apps have registered, in the order in which it is erased."""
    return sorted(_registered.values(), key=lambda data: (data.order, data.name))
