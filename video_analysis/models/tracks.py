"""Tracks: a row for each, its trajectory in a compact chunk with those of others."""

from __future__ import annotations

from django.db import models

from video_analysis.models.analyses import VideoAnalysis


class TrajectoryChunk(models.Model):
    """The trajectories of some tracks that ended one after the other.

    `vision.encoding.trajectories` reads and writes the data. ``start`` and ``end`` are seconds of
    the video, so that a part of it is drawn from a few chunks.
    """

    analysis = models.ForeignKey(VideoAnalysis, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    start = models.FloatField()
    end = models.FloatField()
    tracks = models.PositiveIntegerField()
    points = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["analysis", "number"]
        constraints = [
            models.UniqueConstraint(fields=["analysis", "number"], name="chunk_number_in_analysis")
        ]

    def __str__(self) -> str:
        return f"{self.tracks} tracks, {self.start:.1f} to {self.end:.1f} s"


class Track(models.Model):
    """One object on its way through a video.

    Times are seconds of the video, lengths pixels, speeds pixels or body heights a second; those
    in metres follow from the analysis' scale.
    """

    analysis = models.ForeignKey(VideoAnalysis, on_delete=models.CASCADE, related_name="tracks")
    number = models.PositiveIntegerField(help_text="Its id in the video, from 1.")
    chunk = models.ForeignKey(TrajectoryChunk, on_delete=models.CASCADE, related_name="members")
    position = models.PositiveIntegerField(help_text="Its place in the chunk, from 0.")
    class_id = models.IntegerField()
    class_name = models.CharField(max_length=100)
    start = models.FloatField()
    end = models.FloatField()
    points = models.PositiveIntegerField()
    confidence = models.FloatField(help_text="On average, 0 to 1.")
    path_length = models.FloatField()
    displacement = models.FloatField()
    mean_speed = models.FloatField()
    top_speed = models.FloatField()
    mean_speed_bh = models.FloatField()
    top_speed_bh = models.FloatField()
    direction_changes = models.PositiveIntegerField()
    entry_side = models.CharField(max_length=8)
    exit_side = models.CharField(max_length=8)
    snapshot_offset = models.PositiveBigIntegerField(null=True)
    snapshot_size = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["analysis", "number"]
        constraints = [
            models.UniqueConstraint(fields=["analysis", "number"], name="track_number_in_analysis")
        ]

    def __str__(self) -> str:
        return f"{self.class_name} {self.number}"

    @property
    def dwell(self) -> float:
        """Seconds from the first sighting to the last."""
        return self.end - self.start
