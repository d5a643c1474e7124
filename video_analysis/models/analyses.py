"""What a session over a video is asked and has found, beside what every session has."""

from __future__ import annotations

from django.db import models


class VideoAnalysis(models.Model):
    """The detail of a session of the kind ``video``.

    Model, thresholds, classes and totals are the session's: ``object_count`` is the number of
    tracks, ``class_counts`` their classes.
    """

    session = models.OneToOneField(
        "detector.DetectionSession",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="video",
    )

    # Asked
    tracking = models.BooleanField(default=True)
    motion = models.BooleanField(default=False)
    activity = models.BooleanField(default=False)
    faces = models.BooleanField(default=False, help_text="Whether people were recognised.")
    tracker = models.CharField(max_length=32, default="bytetrack")
    every = models.PositiveSmallIntegerField(
        default=1, help_text="The detector looks at every n-th frame."
    )
    between = models.CharField(
        max_length=16, default="predict", help_text="How tracks go on between these frames."
    )
    styles = models.JSONField(default=list, blank=True, help_text="What is drawn.")
    motion_method = models.CharField(max_length=16, default="mog2")
    minimum_area = models.FloatField(
        default=0.002, help_text="Least moving area, as a share of the picture."
    )
    gate = models.BooleanField(
        default=False, help_text="Whether the detector rests while nothing moves."
    )
    pixels_per_metre = models.FloatField(null=True, blank=True)

    # The file
    container = models.CharField(max_length=32, blank=True)
    codec = models.CharField(max_length=32, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    duration = models.FloatField(help_text="Seconds; an estimate until the end was seen.")
    rate = models.FloatField(help_text="Frames per second, on average.")
    frame_count = models.PositiveIntegerField(help_text="An estimate until the end was seen.")
    has_audio = models.BooleanField(default=False)

    # How far the work is, written once a second
    frames_done = models.PositiveIntegerField(default=0)
    frames_per_second = models.FloatField(default=0.0)
    seconds_left = models.FloatField(null=True, blank=True)

    # Found
    statistics = models.JSONField(default=dict, blank=True)
    annotated = models.ForeignKey(
        "common.DerivedFile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    snapshots = models.ForeignKey(
        "common.DerivedFile",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="JPEGs one after the other; tracks and events say where theirs is.",
    )
    heat = models.ForeignKey(
        "common.DerivedFile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = "video analysis"
        verbose_name_plural = "video analyses"

    def __str__(self) -> str:
        return str(self.session)
