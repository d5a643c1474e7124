"""What the installation may do with faces, and proof of what it has forgotten."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone


class PrivacySettings(models.Model):
    """For the whole installation. One row, with the key 1; what areas allow, areas say."""

    recognise_uploads = models.BooleanField(
        default=True, help_text="Whether faces in uploaded pictures and videos may be recognised."
    )
    uploads_need_consent = models.BooleanField(
        default=False, help_text="Whether only people who have agreed are named there."
    )
    customer_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days after the last visit; empty: until erased."
    )
    staff_days = models.PositiveIntegerField(null=True, blank=True)
    sighting_days = models.PositiveIntegerField(default=30, validators=[MinValueValidator(1)])
    review_days = models.PositiveIntegerField(
        default=7, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    visitor_hours = models.PositiveIntegerField(
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(24)],
        help_text="Faces of visitors without a name are forgotten after so many hours.",
    )
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "privacy settings"
        verbose_name_plural = "privacy settings"
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="privacy_settings_single")
        ]

    def __str__(self) -> str:
        return "Privacy settings"


class ErasureReport(models.Model):
    """What was erased of one person, and what was looked at afterwards. It names nobody."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.UUIDField(help_text="Id of the profile that is gone.")
    reason = models.CharField(max_length=32, help_text="request, retention or consent")
    erased_by_name = models.CharField(max_length=150, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    erased = models.JSONField(default=dict, help_text="How many of what.")
    checks = models.JSONField(default=list, help_text="What was looked for afterwards, and found.")
    backups = models.JSONField(default=list, help_text="Backups in which the person still is.")

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"Erasure of {self.subject}"
