"""What live cameras do and what they have seen."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from video_analysis.cameras.models import Camera, CountingLine, Zone


class CameraRunner(models.Model):
    """One process that looks at cameras; it shares them with the others that are there."""

    name = models.CharField(max_length=200, primary_key=True, help_text="Host, process and token.")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class CameraState(models.Model):
    """Who looks at a camera until when, and how it goes; written every few seconds."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for a runner"
        CONNECTING = "connecting", "Connecting"
        LIVE = "live", "Live"
        LOST = "lost", "Lost"
        REFUSED = "refused", "Refused"

    camera = models.OneToOneField(
        Camera, on_delete=models.CASCADE, primary_key=True, related_name="state"
    )
    runner = models.CharField(max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    since = models.DateTimeField(default=timezone.now, help_text="When this state began.")
    code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    codec = models.CharField(max_length=32, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    figures = models.JSONField(
        default=dict, blank=True, help_text="Rates, ages, milliseconds, counts; see docs/cameras.md"
    )
    updated_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.camera}: {self.state}"


class CameraChunk(models.Model):
    """The trajectories of some tracks of a camera that ended one after the other.

    `vision.encoding.trajectories` reads and writes the data; its times are seconds from ``start``,
    its boxes pixels of a picture of ``width`` x ``height``.
    """

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="chunks")
    start = models.DateTimeField()
    end = models.DateTimeField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    points = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["camera", "start"]
        indexes = [
            models.Index(fields=["camera", "end"], name="camera_chunk_end"),
            models.Index(fields=["end"], name="camera_chunk_age"),
        ]

    def __str__(self) -> str:
        return f"{self.camera} from {self.start:%Y-%m-%d %H:%M:%S}"


class CameraTrack(models.Model):
    """One object on its way past a camera."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="tracks")
    chunk = models.ForeignKey(CameraChunk, on_delete=models.CASCADE, related_name="members")
    position = models.PositiveIntegerField(help_text="Its place in the chunk, from 0.")
    number = models.PositiveBigIntegerField(help_text="As it was shown in the picture.")
    class_name = models.CharField(max_length=100)
    start = models.DateTimeField()
    end = models.DateTimeField()
    points = models.PositiveIntegerField()
    confidence = models.FloatField(help_text="On average, 0 to 1.")

    class Meta:
        ordering = ["-start", "-id"]
        indexes = [
            models.Index(fields=["camera", "-start"], name="camera_track_start"),
            models.Index(fields=["end"], name="camera_track_age"),
        ]

    def __str__(self) -> str:
        return f"{self.class_name} {self.number}"


class EventSequence(models.Model):
    """The one row that numbers every change of every event.

    It is raised in the transaction that writes the changes, so numbers are handed out in the order
    in which they become visible: who has read up to n has missed nothing below.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.value)


def event_picture_path(event: CameraEvent, name: str) -> str:
    """Return where the picture of an event lies."""
    return f"events/{event.start:%Y/%m/%d}/{event.pk.hex}.jpg"


class CameraEvent(models.Model):
    """Something that happened before a camera, from its start on.

    Names of zones and lines are kept beside the links: an event outlives them.
    """

    class Kind(models.TextChoices):
        ENTRY = "entry", "Entered"
        EXIT = "exit", "Left"
        DWELL = "dwell", "Stayed"
        CROSSING = "crossing", "Crossed"
        OCCUPANCY = "occupancy", "Occupied"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sequence = models.PositiveBigIntegerField(unique=True, help_text="Of its last change.")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="events")
    zone = models.ForeignKey(
        Zone, null=True, blank=True, on_delete=models.SET_NULL, related_name="events"
    )
    line = models.ForeignKey(
        CountingLine, null=True, blank=True, on_delete=models.SET_NULL, related_name="events"
    )
    place = models.CharField(
        max_length=100, blank=True, help_text="Name of the zone or line; empty: the whole picture."
    )
    direction = models.CharField(max_length=32, blank=True)
    label = models.CharField(max_length=100, blank=True, help_text="Class of the object.")
    track = models.UUIDField(null=True, blank=True, db_index=True)
    track_number = models.PositiveBigIntegerField(null=True, blank=True)
    start = models.DateTimeField()
    end = models.DateTimeField(null=True, blank=True, help_text="Empty while it goes on.")
    value = models.FloatField(
        null=True, help_text="Seconds of a dwell; most objects of an occupancy."
    )
    confidence = models.FloatField(null=True, help_text="0 to 1.")
    box = models.JSONField(null=True, help_text="[x, y, width, height], 0..1.")
    picture = models.FileField(upload_to=event_picture_path, max_length=200, blank=True)

    class Meta:
        ordering = ["-start", "-id"]
        indexes = [
            models.Index(fields=["camera", "-start"], name="camera_event_camera"),
            models.Index(fields=["-start", "-id"], name="camera_event_start"),
            models.Index(fields=["kind", "-start"], name="camera_event_kind"),
            models.Index(fields=["zone", "-start"], name="camera_event_zone"),
            models.Index(
                fields=["-start"], condition=models.Q(end=None), name="camera_event_ongoing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.place or self.camera}"
