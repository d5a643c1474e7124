"""Faces: those that show a person, and those that were said not to."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from recognition.models.profiles import Profile

EMBEDDING_BYTES = 512
"""128 float32, little-endian."""


def crop_path(sample: FaceSample, name: str) -> str:
    """Return where the picture of a face lies."""
    return f"faces/{sample.pk.hex[:2]}/{sample.pk.hex}.jpg"


class FaceSample(models.Model):
    """One face of a person. The embedding is 128 float32, little-endian, of length 1 or less."""

    class Source(models.TextChoices):
        UPLOAD = "upload", "Upload"
        WEBCAM = "webcam", "Webcam"
        BULK = "bulk", "Import"
        API = "api", "API"
        REVIEW = "review", "Review"
        VISITOR = "visitor", "Visitor who was given a name"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="samples")
    embedding = models.BinaryField(max_length=EMBEDDING_BYTES)
    model = models.CharField(max_length=64, help_text="The network that made the embedding.")
    crop = models.FileField(upload_to=crop_path, max_length=200, blank=True)
    quality = models.JSONField(default=dict, blank=True, help_text="As `FaceQuality` tells it.")
    picture_sha256 = models.CharField(max_length=64, blank=True, help_text="Of the whole file.")
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.UPLOAD)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["profile", "created_at", "id"]
        indexes = [models.Index(fields=["picture_sha256"], name="sample_picture")]

    def __str__(self) -> str:
        return f"Face of {self.profile_id}"


class NegativeEvidence(models.Model):
    """A face of which somebody has said that it is not this person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="negatives")
    embedding = models.BinaryField(max_length=EMBEDDING_BYTES)
    model = models.CharField(max_length=64)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["profile", "created_at", "id"]

    def __str__(self) -> str:
        return f"Not {self.profile_id}"
