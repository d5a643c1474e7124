"""One object found in a picture."""

from __future__ import annotations

from django.db import models

from detector.models.sessions import DetectionSession


class DetectedObject(models.Model):
    """A box (and, after segmentation, a mask) around one object, in pixels of the picture."""

    session = models.ForeignKey(
        DetectionSession, on_delete=models.CASCADE, related_name="detected_objects"
    )
    index = models.PositiveIntegerField(help_text="Position in the result, by confidence.")
    class_id = models.IntegerField()
    class_name = models.CharField(max_length=100)
    confidence = models.FloatField()
    x = models.FloatField(help_text="Left edge in pixels.")
    y = models.FloatField(help_text="Top edge in pixels.")
    width = models.FloatField()
    height = models.FloatField()
    mask = models.JSONField(
        null=True, blank=True, help_text="COCO run-length encoding over the whole picture."
    )

    class Meta:
        verbose_name = "object"
        verbose_name_plural = "objects"
        ordering = ["session", "index"]
        constraints = [
            models.UniqueConstraint(fields=["session", "index"], name="object_index_in_session"),
        ]
        # "Sessions with a dog" is answered from this index alone.
        indexes = [models.Index(fields=["class_name", "session"], name="object_class_session")]

    def __str__(self) -> str:
        return f"{self.class_name} {self.confidence:.2f}"
