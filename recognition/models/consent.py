"""What people have agreed to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from recognition.models.profiles import Profile


class ConsentText(models.Model):
    """A text that people agree to; never changed, only followed by another version."""

    version = models.PositiveIntegerField(unique=True)
    text = models.TextField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-version"]

    def __str__(self) -> str:
        return f"Version {self.version}"


class Consent(models.Model):
    """A person's agreement to one version of the text; given until it is withdrawn."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="consents")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="consents")
    given_at = models.DateTimeField(default=timezone.now)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    recorded_by_name = models.CharField(max_length=150, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-given_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["profile"],
                condition=models.Q(withdrawn_at=None),
                name="one_consent_of_a_profile",
            )
        ]

    def __str__(self) -> str:
        return f"{self.profile_id}, {self.text}"
