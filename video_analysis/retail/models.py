"""A stay of one person in one area."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from recognition.models import Profile
from video_analysis.cameras.models import Area
from video_analysis.models import Visitor


class Visit(models.Model):
    """The customer-experience record: from the first sighting to the last one before an absence."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="visits")
    profile = models.ForeignKey(
        Profile, null=True, blank=True, on_delete=models.CASCADE, related_name="visits"
    )
    visitor = models.ForeignKey(
        Visitor, null=True, blank=True, on_delete=models.CASCADE, related_name="visits"
    )
    entry = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    exit = models.DateTimeField(null=True, blank=True, help_text="Empty while it goes on.")
    waiting_seconds = models.FloatField(
        null=True, blank=True, help_text="From entry to the first service; empty: not served yet."
    )
    interactions = models.PositiveIntegerField(default=0, help_text="Times somebody served them.")
    last_interaction_at = models.DateTimeField(null=True, blank=True)
    sightings = models.PositiveIntegerField(default=0)
    mood = models.JSONField(
        default=list, blank=True, help_text="[{at, shares of seven moods}]; empty where it is off."
    )

    class Meta:
        ordering = ["-entry", "-id"]
        indexes = [
            models.Index(fields=["-entry", "-id"], name="visit_entry"),
            models.Index(fields=["area", "-entry"], name="visit_area"),
            models.Index(fields=["profile", "-entry"], name="visit_profile"),
            models.Index(fields=["last_seen"], condition=models.Q(exit=None), name="visit_open"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(profile__isnull=False) ^ models.Q(visitor__isnull=False),
                name="visit_of_one_person",
            ),
            models.UniqueConstraint(
                fields=["area", "profile"],
                condition=models.Q(exit=None, profile__isnull=False),
                name="one_open_visit_of_a_person",
            ),
            models.UniqueConstraint(
                fields=["area", "visitor"],
                condition=models.Q(exit=None, visitor__isnull=False),
                name="one_open_visit_of_a_visitor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id or self.visitor_id} from {self.entry:%Y-%m-%d %H:%M}"
