"""The one thread of this process that writes who was seen."""

from __future__ import annotations

import logging
import threading
import uuid
from collections import OrderedDict
from typing import Final

from django.db import InterfaceError, OperationalError, connection

from video_analysis.services.recognising.changes import SightingChange
from video_analysis.services.recognising.news import tell_sighting
from video_analysis.services.recognising.storing import RefusedError, store_sighting

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
MOST_WAITING: Final = 2000


class SightingWriter:
    """Takes sightings from any thread and writes them, the newest state of each.

    While the database is away they wait; beyond 2,000 the oldest go.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._waiting: OrderedDict[uuid.UUID, SightingChange] = OrderedDict()
        self._changed = threading.Condition()
        self._written: set[uuid.UUID] = set()
        self._stopping = False
        self._urgent = threading.Event()
        self._away = False
        self._thread = threading.Thread(target=self._run, name="face-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def add(self, change: SightingChange) -> None:
        """Queue a sighting; returns at once."""
        with self._changed:
            self._waiting[change.id] = change  # where it is, if it waits already
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popitem(last=False)
                self.lost += 1
                if self.lost == 1 or self.lost % 1000 == 0:
                    logger.error("%d sightings were lost: too many waited", self.lost)
            self._changed.notify_all()

    def stop(self, timeout: float) -> bool:
        """Write what waits, and end; return whether all of it was written in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout)
        self._urgent.set()  # waits no longer for a database that is away
        self._thread.join(1.0)
        return not self._thread.is_alive() and not self._waiting

    def _run(self) -> None:
        try:
            while (change := self._next()) is not None:
                while not self._try_to_write(change):
                    if self._urgent.wait(RETRY_SECONDS):
                        with self._changed:  # what is left is told as not written
                            self._waiting.setdefault(change.id, change)
                        return
        finally:
            connection.close()

    def _next(self) -> SightingChange | None:
        """Wait for something to write; None when all is written and it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            if not self._waiting or self._urgent.is_set():
                return None
            return self._waiting.popitem(last=False)[1]

    def _try_to_write(self, change: SightingChange) -> bool:
        try:
            news = store_sighting(change, is_new=change.id not in self._written)
        except RefusedError:
            self._written.discard(change.id)
            change.refuse()
            return True
        except (OperationalError, InterfaceError) as error:
            if not self._away:
                self._away = True
                logger.warning("Who is seen waits for the database: %s", error)
            connection.close()
            return False
        except Exception:  # a row that cannot be written holds up nobody else's
            logger.exception("Sighting %s cannot be written", change.id)
            connection.close()
            change.refuse()
            return True
        if self._away:
            self._away = False
            logger.info("The database is back; who was seen meanwhile is written")
        self._written.add(change.id)
        if change.ended:
            self._written.discard(change.id)
        if news is not None:
            tell_sighting(news)
        return True
