"""Files that are made of an upload and kept beside it: an annotated video, its snapshots."""

import uuid
from pathlib import Path, PurePosixPath

from django.db import models, transaction
from django.utils import timezone

from common.uploads.models import Upload
from common.uploads.movable import MovableFile


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


def keep_derived(*, upload: Upload, path: Path, media_type: str) -> DerivedFile:
    """Move a finished file into the storage and make its row; the file first, as with uploads.

    Args:
        upload: What it was made of.
        path: The file, which is gone afterwards; its suffix is kept.
        media_type: E.g. "video/mp4".

    Raises:
        OSError: The disk is full, or the storage is away; nothing is left in the storage.
    """
    derived = DerivedFile(upload=upload, media_type=media_type, size=path.stat().st_size)
    try:
        with MovableFile(path) as content:
            derived.file.save(f"file{path.suffix}", content, save=False)
        with transaction.atomic():
            derived.save(force_insert=True)
    except BaseException:
        if derived.file:
            derived.file.storage.delete(str(derived.file.name))
        raise
    return derived
