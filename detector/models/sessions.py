"""One run of a model over one stored picture."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class DetectionSession(models.Model):
    """One run over one upload: of a detection or segmentation model, or of a whole analysis.

    A rerun is a new session on the same upload. The totals (``object_count``, ``class_counts``)
    repeat what the object rows say, so that lists never touch the object table.
    """

    class Kind(models.TextChoices):
        IMAGE = "image", "Picture"
        VIDEO = "video", "Video"
        WEBCAM = "webcam", "Webcam picture"

    # Sessions over one picture, wherever it came from.
    PICTURES = (Kind.IMAGE, Kind.WEBCAM)

    class Task(models.TextChoices):
        DETECT = "detect", "Detection"
        SEGMENT = "segment", "Segmentation"

    class Source(models.TextChoices):
        BROWSER = "browser", "Browser"
        API = "api", "API"
        EXAMPLE = "example", "Example"

    class Status(models.TextChoices):
        """The states of the job; a session without a job was answered in its own request."""

        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="detection_sessions"
    )
    shared_with = models.ForeignKey(
        "auth.Group",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="shared_sessions",
        help_text="The group whose members may see it; empty: the owner alone.",
    )
    upload = models.ForeignKey("common.Upload", on_delete=models.RESTRICT, related_name="sessions")
    job = models.OneToOneField(
        "common.Job", null=True, blank=True, on_delete=models.RESTRICT, related_name="session"
    )
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.IMAGE)
    task = models.CharField(max_length=16, choices=Task.choices, default=Task.DETECT)
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.BROWSER)

    requested_model = models.CharField(max_length=64)
    model = models.CharField(max_length=64, blank=True, help_text="The model that answered.")
    notice = models.CharField(
        max_length=300, blank=True, help_text="Why another model answered than the one asked for."
    )
    backend = models.CharField(max_length=32, blank=True)
    device = models.CharField(max_length=32, blank=True)
    precision = models.CharField(max_length=16, blank=True)
    confidence = models.FloatField(default=0.25)
    iou = models.FloatField(default=0.7)
    classes = models.JSONField(
        default=list, blank=True, help_text="Names of the classes looked for; empty means all."
    )

    object_count = models.PositiveIntegerField(default=0)
    class_counts = models.JSONField(default=dict, blank=True)
    timings_ms = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "session"
        verbose_name_plural = "sessions"
        ordering = ["-created_at", "-id"]
        # Who sees a large part of all sessions reads a page of them along the first three; who sees
        # few has them gathered by the last two and sorted.
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="session_newest"),
            models.Index(fields=["name", "-created_at", "-id"], name="session_by_name"),
            models.Index(
                fields=["-object_count", "-created_at", "-id"], name="session_most_objects"
            ),
            models.Index(fields=["owner", "-created_at", "-id"], name="session_owner_newest"),
            models.Index(
                fields=["shared_with", "-created_at", "-id"], name="session_shared_newest"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def status(self) -> str:
        """The job's state, or ``done`` for a session that was answered in its own request."""
        return str(self.job.state) if self.job is not None else self.Status.DONE.value

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will change unless somebody asks for it."""
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def is_fallback(self) -> bool:
        """Whether another model answered than the one asked for."""
        return bool(self.model) and self.model != self.requested_model
