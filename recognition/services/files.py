"""Pictures of people: written before their rows, deleted after them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models.fields.files import FieldFile

from recognition.models import FaceReview, FaceSample, Profile

logger = logging.getLogger(__name__)


class NewFiles:
    """Files that were written for rows that are not committed yet."""

    def __init__(self) -> None:
        self.names: list[tuple[Storage, str]] = []

    def save(self, field: FieldFile, data: bytes) -> None:
        """Write a file and have the field name it; the row is for the caller to save."""
        field.save("picture.jpg", ContentFile(data), save=False)
        self.names.append((field.storage, str(field.name)))


@contextmanager
def new_files() -> Iterator[NewFiles]:
    """Give the block files to write, which go again when it fails; put it around a transaction."""
    files = NewFiles()
    try:
        yield files
    except BaseException:
        delete_names(files.names)
        raise


def discard(field: FieldFile) -> None:
    """Have a file deleted when the transaction is committed."""
    if field:
        names = [(field.storage, str(field.name))]
        transaction.on_commit(lambda: delete_names(names), robust=True)


def discard_files_of(instance: Profile | FaceSample | FaceReview, **kwargs: Any) -> None:
    """Have the file of a deleted row deleted on commit; a signal receiver.

    A signal, because rows also go with their profile.
    """
    discard(instance.photo if isinstance(instance, Profile) else instance.crop)


def read_file(field: FieldFile) -> bytes:
    """Return the bytes of a stored picture; none where there is no file, or not any more."""
    if not field:
        return b""
    try:
        with field.storage.open(str(field.name), "rb") as file:
            return bytes(file.read())
    except FileNotFoundError:
        return b""


def delete_names(names: Sequence[tuple[Storage, str]]) -> None:
    """Delete files; one that cannot be deleted is logged and swept later."""
    for storage, name in names:
        try:
            storage.delete(name)
        except OSError as error:
            logger.warning("%s could not be deleted: %s", name, error)
