"""Deleting what was recorded of a camera that goes: events with their pictures, tracks, paths."""

from __future__ import annotations

import logging
from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Model

from video_analysis.cameras.cleaning import register_cleaner
from video_analysis.models import CameraChunk, CameraEvent, CameraTrack

logger = logging.getLogger(__name__)

BATCH = 500


def remove_events(camera_id: int) -> int:
    """Delete some events of a camera with their pictures; return how many."""
    rows = CameraEvent.objects.filter(camera_id=camera_id).order_by()
    with transaction.atomic():
        found = list(rows.values_list("pk", "picture")[:BATCH])
        # Before the rows: who is interrupted finds by them what is left to be deleted.
        for _, picture in found:
            if picture:
                _delete_picture(picture)
        CameraEvent.objects.filter(pk__in=[pk for pk, _ in found]).delete()
    return len(found)


def remove_rows(model: type[Model], camera_id: int) -> int:
    """Delete some rows of a camera; return how many."""
    rows = model._default_manager.filter(camera_id=camera_id).order_by()
    with transaction.atomic():
        found = list(rows.values_list("pk", flat=True)[:BATCH])
        model._default_manager.filter(pk__in=found).delete()
    return len(found)


def _delete_picture(name: str) -> None:
    try:
        default_storage.delete(name)
    except OSError:
        logger.exception("%s belongs to a deleted camera and could not be deleted", name)


register_cleaner("events", remove_events)
register_cleaner("tracks", partial(remove_rows, CameraTrack))
register_cleaner("chunks", partial(remove_rows, CameraChunk))
