"""The row of a worker process: how the others know that it is alive, and what it says of itself."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from django.db import models
from django.utils import timezone

logger = logging.getLogger(__name__)

InfoSource: TypeAlias = "Callable[[], Mapping[str, Any]]"

_sources: list[InfoSource] = []


class Worker(models.Model):
    """A process that works on jobs, and when it last proved it.

    The process writes the row when it starts. `last_sign_at` is written by a task that came
    through the broker, or by the leases of a worker that is too busy to hear one: a process can
    be up and deaf.
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


def register_info(source: InfoSource) -> InfoSource:
    """Have a function add JSON values to what every worker tells with its signs. A decorator.

    It is called every few seconds in each worker process and must be quick.
    """
    if source not in _sources:
        _sources.append(source)
    return source


def collect_info() -> dict[str, Any]:
    """Return what all sources say; one that fails is logged and left out."""
    info: dict[str, Any] = {}
    for source in _sources:
        try:
            info.update(source())
        except Exception:
            logger.exception("A worker could not tell about itself")
    return info
