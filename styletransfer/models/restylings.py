"""Pictures and videos that were painted in a style, or are about to be."""

from __future__ import annotations

import uuid
from typing import Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from styletransfer.models.styles import Style


class Restyling(models.Model):
    """One picture or video, one style, one result.

    ``way`` says how: ``slow`` is any style, by optimisation, ``fast`` the one of a network. A
    result that was stopped early has one too: the best until then.
    """

    class Kind(models.TextChoices):
        IMAGE = "image", "Picture"
        VIDEO = "video", "Video"

    class Way(models.TextChoices):
        SLOW = "slow", "Slow"
        FAST = "fast", "Fast"

    class Start(models.TextChoices):
        CONTENT = "content", "The picture itself"
        NOISE = "noise", "Noise"
        FAST = "fast", "What a fast style makes of it"

    class Source(models.TextChoices):
        BROWSER = "browser", "Browser"
        API = "api", "API"
        EXAMPLE = "example", "Example"

    class Status(models.TextChoices):
        """The states of the job."""

        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Stopped"

    UNFINISHED: Final = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="restylings"
    )
    shared_with = models.ForeignKey(
        "auth.Group",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="shared_restylings",
        help_text="The group whose members may see it; empty: the owner alone.",
    )
    upload = models.ForeignKey(
        "common.Upload", on_delete=models.RESTRICT, related_name="restylings"
    )
    job = models.OneToOneField("common.Job", on_delete=models.RESTRICT, related_name="restyling")
    style = models.ForeignKey(
        Style, null=True, blank=True, on_delete=models.SET_NULL, related_name="restylings"
    )
    style_name = models.CharField(max_length=80, help_text="Also when the style is deleted.")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.IMAGE)
    way = models.CharField(max_length=8, choices=Way.choices)
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.BROWSER)

    size = models.PositiveIntegerField(
        null=True, blank=True, help_text="Pixels of the longer side; empty: those of the file."
    )
    steps = models.PositiveIntegerField(default=0, help_text="Asked for; 0 for a fast style.")
    style_weight = models.FloatField(default=20.0)
    keep_colours = models.BooleanField(default=False)
    start = models.CharField(max_length=8, choices=Start.choices, default=Start.CONTENT)
    start_network = models.CharField(max_length=64, blank=True)
    seed = models.PositiveBigIntegerField(default=0)

    result = models.OneToOneField(
        "common.DerivedFile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    thumbnail = models.OneToOneField(
        "common.DerivedFile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    model = models.CharField(max_length=64, blank=True, help_text="What has painted.")
    device = models.CharField(max_length=32, blank=True)
    seconds = models.FloatField(default=0.0, help_text="Of painting, waiting not counted.")
    steps_made = models.PositiveIntegerField(default=0)
    losses = models.JSONField(
        default=list, blank=True, help_text="[step, loss] of up to 200 steps, also while it runs."
    )
    frames = models.PositiveIntegerField(default=0, help_text="Of a video.")
    has_sound = models.BooleanField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="restyling_newest"),
            models.Index(fields=["owner", "-created_at", "-id"], name="restyling_owner_newest"),
            models.Index(fields=["shared_with", "-created_at", "-id"], name="restyling_shared"),
            models.Index(fields=["style", "-created_at", "-id"], name="restyling_of_style"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def status(self) -> str:
        """The job's state."""
        return str(self.job.state)

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will change unless somebody asks for it."""
        return self.status not in self.UNFINISHED
