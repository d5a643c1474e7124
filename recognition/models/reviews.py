"""Matches that nobody should guess at: a person decides."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from recognition.models.profiles import Profile
from recognition.models.samples import EMBEDDING_BYTES


def review_path(review: FaceReview, name: str) -> str:
    """Return where the picture of the face lies."""
    return f"reviews/{review.pk.hex[:2]}/{review.pk.hex}.jpg"


class FaceReview(models.Model):
    """A face that may be somebody's, and what was said of it."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CONFIRMED = "confirmed", "It is this person"
        REASSIGNED = "reassigned", "It is somebody else"
        REJECTED = "rejected", "It is not this person"

    class Origin(models.TextChoices):
        PICTURE = "picture", "Picture"
        VIDEO = "video", "Video"
        CAMERA = "camera", "Camera"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    origin = models.CharField(max_length=16, choices=Origin.choices)
    origin_id = models.CharField(max_length=64, blank=True, help_text="Of a sighting, if any.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Whose picture it is; nobody's where a camera or a video says who may see it.",
    )
    place = models.CharField(max_length=200, blank=True, help_text="For people: where it was.")
    seen_at = models.DateTimeField(default=timezone.now)
    embedding = models.BinaryField(max_length=EMBEDDING_BYTES)
    model = models.CharField(max_length=64)
    crop = models.FileField(upload_to=review_path, max_length=200, blank=True)
    quality = models.JSONField(default=dict, blank=True)
    candidate = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="reviews")
    distance = models.FloatField()
    probability = models.FloatField(help_text="0 to 1.")
    runner_up = models.ForeignKey(
        Profile, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    runner_up_distance = models.FloatField(null=True, blank=True)
    answer = models.ForeignKey(
        Profile, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["state", "-created_at", "-id"], name="review_state"),
            models.Index(fields=["origin", "origin_id"], name="review_origin"),
        ]

    def __str__(self) -> str:
        return f"Perhaps {self.candidate_id}"
