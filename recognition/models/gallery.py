"""Which version of all samples there is, so that every process searches the same."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class GalleryState(models.Model):
    """The one row with the version; raised in the transaction of every change of samples."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.version)


class GalleryChange(models.Model):
    """A profile whose samples, negatives, threshold or consent have changed, or that is gone.

    Who knows the gallery up to a version reads what came after it. Old rows go; who is older than
    the oldest of them reads everything.
    """

    version = models.PositiveBigIntegerField()
    profile_id = models.UUIDField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["version"], name="gallery_change_version")]

    def __str__(self) -> str:
        return f"{self.version}: {self.profile_id}"
