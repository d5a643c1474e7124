"""Deleting what cameras have seen when it is older than the installation keeps it."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.utils import timezone

from video_analysis.models import CameraChunk, CameraEvent, CameraTrack
from video_analysis.services.live.keeping import drop_picture
from video_analysis.services.live.leases import forget_gone_runners

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 3600
BATCH = 200
ROUND_SECONDS = 5.0
DUE = "video_analysis.live.retention"


def remove_old_if_due() -> int:
    """Delete for a few seconds once an hour, and sooner again while something is left.

    Any number of processes may call this as often as they like.

    Returns:
        How many rows went.
    """
    if not cache.add(DUE, 1, timeout=INTERVAL_SECONDS):
        return 0
    forget_gone_runners()
    days = int(settings.SIGHTLINE_EVENT_DAYS)
    if not days:
        return 0
    removed, left = remove_old(before=timezone.now() - timedelta(days=days), seconds=ROUND_SECONDS)
    if left:
        cache.delete(DUE)
    return removed


def remove_old(*, before: datetime, seconds: float) -> tuple[int, bool]:
    """Delete events with their pictures, tracks and trajectories that ended before a moment.

    Args:
        before: Of events counts when they began: one that never ended goes, too.
        seconds: After which the rest is left to the next time.

    Returns:
        How many rows went, and whether some may be left.
    """
    until = time.monotonic() + seconds
    removed = 0
    for rows in (
        CameraEvent.objects.filter(start__lt=before).order_by("start"),
        CameraTrack.objects.filter(end__lt=before).order_by("end"),
        CameraChunk.objects.filter(end__lt=before).order_by("end"),
    ):
        while count := _remove_batch(rows, until):
            removed += count
            if time.monotonic() > until:
                return removed, True
    return removed, not _remove_days(before, until)


def _remove_batch(rows: QuerySet[Any], until: float) -> int:
    """Delete some rows, each batch in a short transaction; return how many."""
    pictures = rows.model is CameraEvent
    found = list(rows.values_list("pk", *(["picture"] if pictures else []))[:BATCH])
    if not found:
        return 0
    gone = rows.model._default_manager.filter(pk__in=[row[0] for row in found])
    gone.only("pk").delete()  # without reading the trajectories
    # After the rows: a picture that stays behind harms nobody, a row without one does. What a
    # slow storage leaves no time for goes with its day.
    for name in (row[1] for row in found if pictures):
        if time.monotonic() > until:
            break
        if name:
            drop_picture(name)
    return len(found)


def _remove_days(before: datetime, until: float) -> bool:
    """Delete pictures that no row knows: those of processes that ended before they wrote it.

    Returns:
        Whether there was time for all of them.
    """
    last = (before - timedelta(days=1)).date().isoformat()
    for year in _folders("events"):
        for month in _folders(f"events/{year}"):
            for day in _folders(f"events/{year}/{month}"):
                old = f"{year}-{month}-{day}" <= last
                if old and not _remove_folder(f"events/{year}/{month}/{day}", until):
                    return False
    return True


def _remove_folder(folder: str, until: float) -> bool:
    for name in default_storage.listdir(folder)[1]:
        drop_picture(f"{folder}/{name}")
        if time.monotonic() > until:
            return False
    drop_picture(folder)  # storages without folders have nothing to delete there
    return True


def _folders(folder: str) -> list[str]:
    try:
        return sorted(name for name in default_storage.listdir(folder)[0] if name.isdigit())
    except (FileNotFoundError, NotADirectoryError):
        return []
