"""The files of events' pictures. They are worth less than the events, and never hold them up."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from common.storage.disk import disk_space
from video_analysis.services.live.changes import EventChange

logger = logging.getLogger(__name__)

REST_SECONDS = 30.0
"""After an error no picture is stored for so long: a bucket that hangs takes seconds for each."""


class EventPictures:
    """Stores pictures of events while there is room and the storage answers; for one thread."""

    def __init__(self) -> None:
        self._rests_until = float("-inf")
        self._was_low = False

    def store(self, changes: Sequence[EventChange]) -> None:
        """Store the pictures of events; one that cannot be stored is gone, its event is not."""
        waiting = [change for change in changes if change.jpeg is not None and not change.picture]
        room = bool(waiting) and self._has_room()
        for change in waiting:
            if room and not self._rests():
                self._store(change)
            change.jpeg = None

    def drop(self, name: str) -> None:
        """Delete a stored picture; while the storage rests it goes with its day."""
        if not self._rests():
            drop_picture(name)

    def _rests(self) -> bool:
        return time.monotonic() < self._rests_until

    def _has_room(self) -> bool:
        try:
            low = disk_space().is_low
        except OSError as error:
            self._rest(error)
            return False
        if low and not self._was_low:
            logger.warning("The disk is nearly full: events go without pictures")
        self._was_low = low
        return not low

    def _store(self, change: EventChange) -> None:
        assert change.jpeg is not None
        name = f"events/{change.start:%Y/%m/%d}/{change.id.hex}.jpg"
        try:
            change.picture = default_storage.save(name, ContentFile(change.jpeg))
        except OSError as error:
            self._rest(error)

    def _rest(self, error: OSError) -> None:
        self._rests_until = time.monotonic() + REST_SECONDS
        logger.warning(
            "The picture of an event was not stored, nor are others for %d s: %s",
            REST_SECONDS,
            error,
        )


def drop_picture(name: str) -> None:
    """Delete a stored picture; one that cannot be deleted goes with its day."""
    try:
        default_storage.delete(name)
    except OSError as error:
        logger.warning("%s could not be deleted: %s", name, error)
