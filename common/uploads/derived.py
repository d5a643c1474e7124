"""Files that are made of an upload and kept beside it: an annotated video, its snapshots."""

import logging
import uuid
from pathlib import Path, PurePosixPath

from django.db import models
from django.utils import timezone

from common.uploads.models import Upload
from common.uploads.movable import MovableFile

logger = logging.getLogger(__name__)


def derived_path(derived: "DerivedFile", name: str) -> str:
    """Return where a derived file lies: made of its id and the kind of its content."""
    key = derived.pk.hex
    return f"derived/{key[:2]}/{key}{PurePosixPath(name).suffix}"


class DerivedFile(models.Model):
    """One file made of an upload.

    It goes with whatever points at it, and at the latest with the upload or its file.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="derived")
    file = models.FileField(upload_to=derived_path, max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return str(self.file.name)


def store_derived(*, upload: Upload, path: Path, media_type: str) -> DerivedFile:
    """Move a finished file into the storage; its row is for the caller to save with the result.

    A file whose row is never saved is swept as an orphan; a row without a file cannot be.

    Args:
        upload: What it was made of.
        path: The file, which is gone afterwards; its suffix is kept.
        media_type: E.g. "video/mp4".

    Raises:
        OSError: The disk is full, or the storage is away.
    """
    derived = DerivedFile(upload=upload, media_type=media_type, size=path.stat().st_size)
    with MovableFile(path) as content:
        derived.file.save(f"file{path.suffix}", content, save=False)
    return derived


def drop_derived(derived: DerivedFile) -> None:
    """Delete the file of a row that was not saved."""
    try:
        derived.file.storage.delete(str(derived.file.name))
    except OSError as error:
        logger.warning("%s could not be deleted: %s", derived.file.name, error)
