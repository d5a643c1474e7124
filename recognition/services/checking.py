"""Looking for what is left of somebody who is forgotten: in rows, texts, files, caches, index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import models

from common.models import Upload
from common.people import all_person_data
from common.people.caches import count_in_cache
from common.people.files import StoredFile, find_by_content, find_by_name
from common.people.texts import find_texts
from common.storage.orphans import FOLDERS
from common.storage.registry import all_kept_files
from recognition.index import still_there
from recognition.models import GalleryChange, Profile

MOST_NAMED = 50
# What holds ids of people that are gone, and says why.
BY_ID_ONLY = {GalleryChange}
AUDIT = "common.auditentry."


@dataclass(frozen=True)
class Traces:
    """What to look for.

    Attributes:
        people: Ids of the person and of the profiles that had become part of theirs.
        texts: Names and e-mail addresses.
        files: Files as they were.
        marks: Ids as they stand in keys and values of the cache.
        uploads: Others' uploads that show the person.
    """

    people: Sequence[UUID]
    texts: Sequence[str]
    files: Sequence[StoredFile]
    marks: Sequence[str]
    uploads: Sequence[UUID]


def check_traces(traces: Traces) -> list[dict[str, Any]]:
    """Look everywhere, and return what was found.

    Returns:
        For each check its ``code``, ``what`` was looked for in words, how much was ``found``,
        whether it ``must`` be nothing, and ``places`` by name. What need not be nothing is for a
        person to judge: another one may have the same name.
    """
    names = find_texts(traces.texts)
    in_audit = {place: count for place, count in names.items() if place.startswith(AUDIT)}
    elsewhere = {place: count for place, count in names.items() if place not in in_audit}
    named = find_by_name(traces.files)
    alike = [name for name in find_by_content(traces.files, _folders()) if name not in named]
    index = len(still_there(traces.people))
    cached = count_in_cache(traces.marks)
    return [
        _check("rows", "Rows of the database that point at the person", rows_left(traces.people)),
        _check("kept", "What the apps keep about people", _remaining(traces.people)),
        _check("files", f"{len(traces.files)} files by their names", _counted(named)),
        _check("contents", "Files with the same content under other names", _counted(alike)),
        _check("index", "Faces in the index that is searched", {"index": index}),
        _check("cache", "Entries of the cache", {"cache": cached}),
        _check("names", "Name and e-mail in all texts of the database", elsewhere, must=False),
        _check("audit", "Name and e-mail in the audit log", in_audit, must=False),
        _originals(traces.uploads),
    ]


def _folders() -> list[str]:
    """Return where copies of files are looked for: everywhere, but in a bucket, which is asked
    about each file by itself, only where faces lie."""
    kept = all_kept_files()
    if isinstance(default_storage, FileSystemStorage):
        return [*FOLDERS, *(one.folder for one in kept)]
    return [one.folder for one in kept if one.swept]


def person_keys() -> Iterator[tuple[type[models.Model], models.Field[Any, Any]]]:
    """Yield every column of the database that says who a person is."""
    for model in apps.get_models():
        if model._meta.proxy or model in BY_ID_ONLY:
            continue
        for field in model._meta.concrete_fields:
            to_profile = field.remote_field is not None and field.related_model is Profile
            own_key = model is Profile and field.primary_key
            if to_profile or own_key or field.name == "profile_id":
                yield model, field


def rows_left(people: Sequence[UUID]) -> dict[str, int]:
    """Count the rows that point at any of these people, by "app.model.field"."""
    return {
        f"{model._meta.label_lower}.{field.name}": model._default_manager.filter(
            **{f"{field.name}__in": people}
        ).count()
        for model, field in person_keys()
    }


def _remaining(people: Sequence[UUID]) -> dict[str, int]:
    left: dict[str, int] = {}
    for data in all_person_data():
        for person in people:
            for name, count in data.remaining(person).items():
                left[name] = left.get(name, 0) + count
    return left


def _originals(uploads: Sequence[UUID]) -> dict[str, Any]:
    there = Upload.objects.filter(pk__in=uploads, removed_at=None)
    found = {
        str(upload.pk): [str(pk) for pk in _sessions(upload)] for upload in there.order_by("pk")
    }
    check = _check("originals", "Uploads of others that show the person", {}, must=False)
    return {**check, "found": len(found), "sessions": found}


def _sessions(upload: Upload) -> list[UUID]:
    """Return the sessions over an upload. This app does not know theirs: it asks the relation."""
    return list(upload.sessions.order_by("created_at").values_list("pk", flat=True))


def _check(code: str, what: str, places: dict[str, int], *, must: bool = True) -> dict[str, Any]:
    found = {place: count for place, count in sorted(places.items()) if count}
    shown = dict(list(found.items())[:MOST_NAMED])
    total = sum(found.values())
    return {"code": code, "what": what, "found": total, "must": must, "places": shown}


def _counted(names: Sequence[str]) -> dict[str, int]:
    return dict.fromkeys(names, 1)
