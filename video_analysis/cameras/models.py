"""Where cameras are, how to reach them, and what to look for in their pictures."""

from __future__ import annotations

from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone


def _between(low: float, high: float) -> list[BaseValidator]:
    return [MinValueValidator(low), MaxValueValidator(high)]


class Area(models.Model):
    """A part of the premises that some cameras look at, and what may be done with faces there."""

    name = models.CharField(max_length=100, unique=True)
    recognise = models.BooleanField(
        default=False, help_text="Whether people are recognised by their faces here."
    )
    consent_required = models.BooleanField(
        default=True, help_text="Whether only people who have agreed are recognised."
    )
    group_unknown = models.BooleanField(
        default=False, help_text="Whether unknown faces are told apart, for a day at most."
    )
    mood = models.BooleanField(
        default=False, help_text="Whether the moods of customers are estimated."
    )
    absence_minutes = models.PositiveIntegerField(
        default=15,
        validators=_between(1, 1440),
        help_text="Who was not seen for so long has left: the visit is over.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Camera(models.Model):
    """One source of live pictures.

    ``address`` carries no credentials: they lie encrypted in ``credentials`` as a JSON object with
    ``username`` and ``password``, and leave the database only for the process that connects.
    """

    class Faces(models.TextChoices):
        SHOWN = "", "Shown"
        CONSENTED = "consented", "Shown of people who have agreed"
        HIDDEN = "hidden", "Blurred"

    name = models.CharField(max_length=100, unique=True)
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.SET_NULL, related_name="cameras"
    )
    address = models.CharField(
        max_length=500, help_text="rtsp://…, http://…, rtmp://…, usb:0 or loop:file.mp4"
    )
    credentials = models.BinaryField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    groups = models.ManyToManyField(
        "auth.Group",
        blank=True,
        related_name="cameras",
        help_text="Whose members may watch; administrators watch all.",
    )
    fps = models.FloatField(
        default=10.0, validators=_between(0.2, 30.0), help_text="Most frames analysed a second."
    )
    model = models.CharField(max_length=64, blank=True, help_text="Empty: the installation's.")
    detector_conf = models.FloatField(default=0.35, validators=_between(0.05, 0.95))
    people_only = models.BooleanField(default=False)
    classes = models.JSONField(
        default=list, blank=True, help_text="Names of classes to look for; empty: all."
    )
    tracker = models.CharField(max_length=32, default="bytetrack")
    tracker_max_age = models.FloatField(
        default=2.0,
        validators=_between(0.5, 30.0),
        help_text="Seconds after which a track that was not seen is over.",
    )
    tracker_min_hits = models.PositiveSmallIntegerField(
        default=3, validators=_between(2, 30), help_text="Sightings before a track counts."
    )
    motion_gate = models.BooleanField(
        default=True, help_text="Whether the detector rests while nothing moves."
    )
    hide_people = models.BooleanField(
        default=False, help_text="Whether people are blurred in every picture that leaves."
    )
    faces = models.CharField(
        max_length=16,
        choices=Faces.choices,
        default=Faces.SHOWN,
        blank=True,
        help_text="Whose faces every picture that leaves shows.",
    )
    revision = models.PositiveIntegerField(
        default=1, help_text="Grows with every change of the camera, its zones and its lines."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Zone(models.Model):
    """A polygon in a camera's picture."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="zones")
    name = models.CharField(max_length=100)
    polygon = models.JSONField(help_text="[[x, y], …] with 0..1 from the upper left corner.")
    threshold_sec = models.FloatField(
        default=10.0,
        validators=_between(0.5, 86_400.0),
        help_text="Who stays so long has dwelt.",
    )

    class Meta:
        ordering = ["camera", "name"]
        constraints = [
            models.UniqueConstraint(fields=["camera", "name"], name="zone_name_in_camera")
        ]

    def __str__(self) -> str:
        return self.name


class CountingLine(models.Model):
    """A directed line in a camera's picture.

    Who crosses it from its left to its right, as seen from the first point to the second, goes in
    the forward direction.
    """

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="lines")
    name = models.CharField(max_length=100)
    points = models.JSONField(help_text="[[x, y], [x, y]] with 0..1 from the upper left corner.")
    forward = models.CharField(max_length=32, default="in", help_text="Name of the direction.")
    backward = models.CharField(max_length=32, default="out", help_text="Name of the other one.")

    class Meta:
        ordering = ["camera", "name"]
        constraints = [
            models.UniqueConstraint(fields=["camera", "name"], name="line_name_in_camera")
        ]

    def __str__(self) -> str:
        return self.name
