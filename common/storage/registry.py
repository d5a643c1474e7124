"""What hangs on the stored pictures. An app says so when it is ready; this package imports none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Q, QuerySet


@dataclass(frozen=True)
class Results:
    """The results that one app makes of uploads.

    Attributes:
        name: Plural noun for people, e.g. "sessions".
        expired: Finished results made before a moment, oldest first.
        users: For a query of uploads: there is a result on it that stays when those made before
            a moment go; with None, any result.
        busy: For a query of uploads: a result on it is still being computed.
        delete: Deletes one result, and the upload with its last.
    """

    name: str
    expired: Callable[[datetime], QuerySet[Any]]
    users: Callable[[datetime | None], Exists]
    busy: Callable[[], Exists]
    delete: Callable[[Any], None]


@dataclass(frozen=True)
class KeptFiles:
    """Files beside the uploads that belong into a backup.

    Attributes:
        table: Of the rows that name them.
        column: Holds the name, or nothing.
        folder: The first part of their names; nothing else lies there.
        swept: Whether files there that no row names are deleted with the other files of nobody;
            otherwise the app does that itself.
    """

    table: str
    column: str
    folder: str
    swept: bool = False


_kept: dict[str, KeptFiles] = {}


def register_files(files: KeptFiles) -> None:
    """Make an app's files known; the same folder again replaces them."""
    _kept[files.folder] = files


def all_kept_files() -> list[KeptFiles]:
    """Return what the apps have registered."""
    return list(_kept.values())


_registered: dict[str, Results] = {}


def register_results(results: Results) -> None:
    """Make an app's results known; the same name again replaces them."""
    _registered[results.name] = results


def all_results() -> list[Results]:
    """Return what the apps have registered."""
    return list(_registered.values())


def used_by_any(before: datetime | None = None) -> Q:
    """Select uploads with a result that stays when those made before a moment go."""
    return _any([results.users(before) for results in all_results()])


def busy_for_any() -> Q:
    """Select uploads on which something is still being computed."""
    return _any([results.busy() for results in all_results()])


def _any(conditions: list[Exists]) -> Q:
    found = Q(pk__in=[])
    for condition in conditions:
        found |= Q(condition)
    return found
