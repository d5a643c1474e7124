"""Who is known."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone


def photo_path(profile: Profile, name: str) -> str:
    """Return where the photo of a person lies."""
    return f"people/{profile.pk.hex[:2]}/{profile.pk.hex}/{uuid.uuid4().hex}.jpg"


class Profile(models.Model):
    """A person who is known by their face: a customer, or one of the staff."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        STAFF = "staff", "Staff"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.CUSTOMER)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    photo = models.FileField(upload_to=photo_path, max_length=200, blank=True)
    preferences = models.TextField(blank=True, max_length=4000)
    notes = models.TextField(blank=True, max_length=4000)
    threshold = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.2), MaxValueValidator(0.8)],
        help_text="Greatest distance that counts as this person; empty: the installation's.",
    )
    visit_count = models.PositiveIntegerField(default=0)
    last_visit_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1, help_text="Grows with every change.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["name", "id"], name="profile_name"),
            models.Index(fields=["kind", "name", "id"], name="profile_kind_name"),
            models.Index(fields=["-last_visit_at", "id"], name="profile_last_visit"),
        ]

    def __str__(self) -> str:
        return self.name


class ProfileMerge(models.Model):
    """A profile that became part of another one, as it was, so that it can be taken apart again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="merges")
    source_id = models.UUIDField(help_text="Id of the profile that is gone.")
    source = models.JSONField(help_text="Its fields, by name.")
    samples = models.JSONField(default=list, help_text="Ids of the samples that came with it.")
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    merged_at = models.DateTimeField(default=timezone.now, editable=False)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-merged_at"]

    def __str__(self) -> str:
        return f"{self.source_id} into {self.target_id}"
