"""Who was seen: one row per track that was recognised, and visitors without a name."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from recognition.models import Profile
from video_analysis.cameras.models import Area, Camera
from video_analysis.models.analyses import VideoAnalysis


class Visitor(models.Model):
    """Somebody without a name whose face came back, in an area that groups unknown faces."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="visitors")
    number = models.PositiveIntegerField(help_text="In its area, from 1.")
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-last_seen", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["area", "number"], name="visitor_number_in_area")
        ]
        indexes = [models.Index(fields=["last_seen"], name="visitor_age")]

    def __str__(self) -> str:
        return f"Visitor {self.number}"


class VisitorFace(models.Model):
    """A face of a visitor without a name; gone after a day at most."""

    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="faces")
    embedding = models.BinaryField(max_length=512)
    model = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="visitor_face_expiry")]

    def __str__(self) -> str:
        return f"Face of {self.visitor_id}"


class Sighting(models.Model):
    """The decision who a track is: one per track of a camera or of an analysed video.

    Of a camera ``start`` and ``end`` are moments and ``track`` is the id of its `CameraTrack`; of a
    video ``start_seconds`` and ``end_seconds`` are seconds and ``track_number`` is that of its
    `Track`. Who has neither ``profile`` nor ``visitor`` is unknown and has no row, but for a match
    that waits for somebody's review.

    ``shown`` names nobody on any page: it is by these rows that the pictures are found in which
    somebody was shown, because they had agreed, where nobody else was.
    """

    class State(models.TextChoices):
        KNOWN = "known", "Recognised"
        UNCERTAIN = "uncertain", "Waits for review"
        VISITOR = "visitor", "Visitor without a name"
        REJECTED = "rejected", "Somebody said no"
        SHOWN = "shown", "Shown, and not named"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    camera = models.ForeignKey(
        Camera, null=True, blank=True, on_delete=models.CASCADE, related_name="sightings"
    )
    analysis = models.ForeignKey(
        VideoAnalysis, null=True, blank=True, on_delete=models.CASCADE, related_name="sightings"
    )
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.SET_NULL, related_name="sightings"
    )
    track = models.UUIDField(null=True, blank=True)
    track_number = models.PositiveBigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=State.choices)
    profile = models.ForeignKey(
        Profile, null=True, blank=True, on_delete=models.CASCADE, related_name="sightings"
    )
    visitor = models.ForeignKey(
        Visitor, null=True, blank=True, on_delete=models.CASCADE, related_name="sightings"
    )
    start = models.DateTimeField(default=timezone.now)
    end = models.DateTimeField(default=timezone.now)
    start_seconds = models.FloatField(null=True, blank=True)
    end_seconds = models.FloatField(null=True, blank=True)
    faces = models.PositiveIntegerField(default=0, help_text="How many faces the vote is from.")
    distance = models.FloatField(null=True, blank=True)
    probability = models.FloatField(null=True, blank=True, help_text="0 to 1.")
    runner_up_distance = models.FloatField(null=True, blank=True)
    mood = models.JSONField(
        default=dict, blank=True, help_text="Shares of seven moods; empty where it is off."
    )

    class Meta:
        ordering = ["-start", "-id"]
        indexes = [
            models.Index(fields=["-start", "-id"], name="sighting_start"),
            models.Index(fields=["end"], name="sighting_age"),
            models.Index(fields=["profile", "-start"], name="sighting_profile"),
            models.Index(fields=["visitor", "-start"], name="sighting_visitor"),
            models.Index(fields=["camera", "-start"], name="sighting_camera"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["camera", "track"],
                condition=models.Q(camera__isnull=False),
                name="one_sighting_of_a_camera_track",
            ),
            models.UniqueConstraint(
                fields=["analysis", "track_number"],
                condition=models.Q(analysis__isnull=False),
                name="one_sighting_of_a_video_track",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}, track {self.track_number}"
