"""The row of a worker process: how the others know that it is alive."""

from django.db import models
from django.utils import timezone


class Worker(models.Model):
    """A process that works on jobs, and when it last proved it.

    The process writes the row when it starts; `last_sign_at` is written only by a task that came
    through the broker: a process can be up and deaf.
    """

    name = models.CharField(max_length=120, primary_key=True, help_text="host:pid:token")
    host = models.CharField(max_length=80)
    queues = models.JSONField(default=list)
    started_at = models.DateTimeField(default=timezone.now)
    last_sign_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    info = models.JSONField(
        default=dict,
        blank=True,
        help_text="version, device, models, memory_bytes, pictures, inference timings",
    )

    class Meta:
        ordering = ["host", "started_at"]

    def __str__(self) -> str:
        return self.name
