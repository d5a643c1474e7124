"""What happened, from when to when."""

from __future__ import annotations

from django.db import models

from video_analysis.models.analyses import VideoAnalysis


class Event(models.Model):
    """One thing that happened in a video, in seconds of it."""

    class Kind(models.TextChoices):
        MOTION = "motion", "Motion"
        ACTIVITY = "activity", "Activity"
        GROUP = "group", "Group"

    analysis = models.ForeignKey(VideoAnalysis, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField(help_text="Position by start, from 0.")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    label = models.CharField(max_length=32, blank=True, help_text="E.g. walking, or meeting.")
    tracks = models.JSONField(default=list, blank=True, help_text="Numbers of the tracks in it.")
    start = models.FloatField()
    end = models.FloatField()
    confidence = models.FloatField(null=True, help_text="0 to 1.")
    reason = models.CharField(max_length=300, blank=True)
    peak_share = models.FloatField(null=True, help_text="Largest moving share of the picture.")
    peak_time = models.FloatField(null=True)
    area = models.JSONField(
        null=True, help_text="Left, top, width and height of the motion at its peak, in pixels."
    )
    snapshot_offset = models.PositiveBigIntegerField(null=True)
    snapshot_size = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["analysis", "number"]
        constraints = [
            models.UniqueConstraint(fields=["analysis", "number"], name="event_number_in_analysis")
        ]

    def __str__(self) -> str:
        return f"{self.label or self.kind} at {self.start:.1f} s"
