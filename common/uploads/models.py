"""The row of a stored file."""

import uuid
from pathlib import PurePosixPath

from django.conf import settings
from django.db import models
from django.utils import timezone


def stored_path(upload: "Upload", name: str) -> str:
    """Return where a file of `upload` lies: made of its id, never of a name that somebody sent."""
    key = upload.pk.hex
    return f"uploads/{key[:2]}/{key}{PurePosixPath(name).suffix}"


def thumbnail_path(upload: "Upload", name: str) -> str:
    """Return where the thumbnail of `upload` lies."""
    key = upload.pk.hex
    return f"thumbnails/{key[:2]}/{key}{PurePosixPath(name).suffix}"


class Upload(models.Model):
    """One stored file and what is known about it.

    `width` and `height` are those of the picture as it is meant to be seen, after EXIF rotation.
    `sha256` is of the bytes as they came, which are kept unchanged.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    file = models.FileField(upload_to=stored_path, max_length=200)
    thumbnail = models.FileField(upload_to=thumbnail_path, max_length=200, blank=True)
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.PositiveBigIntegerField()
    thumbnail_size = models.PositiveIntegerField(default=0, editable=False)
    media_type = models.CharField(max_length=100)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When retention took the file away."
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["created_at", "id"], name="upload_oldest")]

    def __str__(self) -> str:
        return self.name

    @property
    def kept_days(self) -> int:
        """How many days the picture was kept that has been removed."""
        return (self.removed_at - self.created_at).days if self.removed_at else 0
