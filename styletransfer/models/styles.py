"""What pictures can be painted like: pictures of people here, patterns of ours, networks."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


def style_path(style: Style, name: str) -> str:
    """Return where the picture of a style lies."""
    return f"styles/{style.pk.hex[:2]}/{style.pk.hex}.jpg"


def style_thumbnail_path(style: Style, name: str) -> str:
    """Return where the small picture of a style lies."""
    return f"style-thumbnails/{style.pk.hex[:2]}/{style.pk.hex}.jpg"


class Style(models.Model):
    """One style.

    One with an ``owner`` is a picture that somebody has added: theirs alone, a group's or
    everybody's here. One without comes with Sightline, and is known by ``key``: a pattern that is
    drawn when it is asked for, or a fast network (``network`` is its card), which has no picture
    to be painted like and paints in a single pass.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="styles",
        help_text="Who added it; nobody has added what comes with Sightline.",
    )
    shared_with = models.ForeignKey(
        "auth.Group",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="shared_styles",
        help_text="The group whose members may use it, too.",
    )
    is_public = models.BooleanField("for everybody here", default=False)
    key = models.CharField(max_length=64, blank=True, help_text="Of what comes with Sightline.")
    network = models.CharField(max_length=64, blank=True, help_text="Card of a fast network.")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=500, blank=True)
    picture = models.FileField(upload_to=style_path, max_length=200, blank=True)
    thumbnail = models.FileField(upload_to=style_thumbnail_path, max_length=200, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the picture.")
    use_count = models.PositiveIntegerField(
        default=0, help_text="How often somebody has had something painted like it."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-use_count", "-created_at", "-id"], name="style_popular"),
            models.Index(fields=["name", "id"], name="style_by_name"),
            models.Index(fields=["owner", "-created_at", "-id"], name="style_owner_newest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=~Q(key=""), name="style_key"),
            models.CheckConstraint(
                condition=Q(key="", owner__isnull=False) | (~Q(key="") & Q(owner__isnull=True)),
                name="style_owner_or_key",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_built_in(self) -> bool:
        """Whether it comes with Sightline."""
        return bool(self.key)

    @property
    def is_fast(self) -> bool:
        """Whether a network paints it in a single pass."""
        return bool(self.network)
