"""The one thread of this process that writes what cameras have seen."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from django.db import DataError, Error, IntegrityError, connection

from video_analysis.cameras.announcing import announce_events
from video_analysis.services.live.changes import Change, EventChange, StateRow, TrackBatch
from video_analysis.services.live.keeping import EventPictures
from video_analysis.services.live.storing import MayWrite, store_changes, store_states

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.1  # what happens at once is written at once
STATE_SECONDS = 2.0
RETRY_SECONDS = 1.0
BATCH = 500
MOST_WAITING = 10_000
LOSABLE = EventChange | TrackBatch
MOST_BYTES = 96 * 1024 * 1024  # of pictures and trajectories that wait


class LiveWriter:
    """Takes changes from any thread and writes them in their order.

    While the database is away they wait. Beyond 10,000 the oldest go, and beyond 96 MB their
    pictures and trajectories.

    Args:
        runner: Whose leases these are.
        may_write: See `video_analysis.services.live.storing.MayWrite`.
        read_states: Returns how the cameras go.
        on_done: Told of changes that have been written, in the writer's thread.
    """

    def __init__(
        self,
        *,
        runner: str,
        may_write: MayWrite,
        read_states: Callable[[], Sequence[StateRow]],
        on_done: Callable[[Sequence[Change]], None] = lambda changes: None,
    ) -> None:
        self.lost = 0
        self._runner = runner
        self._may_write = may_write
        self._read_states = read_states
        self._on_done = on_done
        self._pictures = EventPictures()
        self._waiting: deque[Change] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._urgent = threading.Event()
        self._states_at = 0.0
        self._away = False
        self._thread = threading.Thread(target=self._run, name="live-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many changes are not written yet."""
        return len(self._waiting)

    def add(self, changes: Iterable[Change]) -> None:
        """Queue changes; returns at once."""
        with self._changed:
            for change in changes:
                self._waiting.append(change)
                self._bytes += _weight(change)
            self._limit()
            self._changed.notify_all()

    def stop(self, timeout: float) -> bool:
        """Write what waits, and end.

        Returns:
            Whether all of it was written in time.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout)
        self._urgent.set()  # waits no longer for a database that is away
        self._thread.join(1.0)
        return not self._thread.is_alive() and not self._waiting

    def _limit(self) -> None:
        """Let go of the oldest when there are too many. Needs the lock."""
        while len(self._waiting) > MOST_WAITING:
            oldest = next(
                (at for at, one in enumerate(self._waiting) if isinstance(one, LOSABLE)), 0
            )
            self._bytes -= _weight(self._waiting[oldest])
            del self._waiting[oldest]
            self.lost += 1
            if self.lost == 1 or self.lost % 1000 == 0:
                logger.error("%d changes of cameras were lost: too many waited", self.lost)
        if self._bytes > MOST_BYTES:
            self._lighten()

    def _lighten(self) -> None:
        """Let go of the heavy parts of the older half, not of the events. Needs the lock."""
        logger.warning("Pictures and trajectories that waited for the database are dropped")
        kept: list[Change] = []
        for number, change in enumerate(self._waiting):
            if number < len(self._waiting) // 2 or len(self._waiting) < 2:
                if isinstance(change, TrackBatch):
                    continue
                if isinstance(change, EventChange):
                    change.jpeg = None
            kept.append(change)
        self._waiting = deque(kept)
        self._bytes = sum(_weight(change) for change in kept)

    def _run(self) -> None:
        try:
            while self._wait():
                batch = self._next_batch()
                if batch:
                    self._write(batch)
                self._write_states()
        finally:
            connection.close()

    def _wait(self) -> bool:
        """Wait for something to write; return False when all is written and it is over."""
        with self._changed:
            if not self._waiting:
                if self._stopping:
                    return False
                self._changed.wait(max(0.0, self._states_at - time.monotonic()))
            if self._waiting and not self._stopping:
                self._changed.wait_for(lambda: self._stopping, GATHER_SECONDS)
            return not self._urgent.is_set()

    def _next_batch(self) -> list[Change]:
        with self._changed:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._bytes -= sum(_weight(change) for change in batch)
            return batch

    def _write(self, batch: list[Change]) -> None:
        """Write a batch, however long that takes."""
        while not self._try_to_write(batch):
            if self._urgent.wait(RETRY_SECONDS):
                with self._changed:  # what is left is told as not written
                    self._waiting.extendleft(reversed(batch))
                return
            with self._changed:
                self._limit()

    def _try_to_write(self, batch: list[Change]) -> bool:
        try:
            sequence = self._store(batch)
        except (IntegrityError, DataError):
            return self._write_one_by_one(batch)
        except Error as error:
            self._note_away(error)
            return False
        except Exception:
            logger.exception("What cameras have seen was not written")
            return self._write_one_by_one(batch)
        self._back(batch, sequence)
        return True

    def _store(self, batch: Sequence[Change]) -> int | None:
        return store_changes(
            batch, runner=self._runner, may_write=self._may_write, pictures=self._pictures
        )

    def _write_one_by_one(self, batch: list[Change]) -> bool:
        """Find the one change that cannot be written, so that the others are."""
        connection.close()
        for change in list(batch):
            try:
                sequence = self._store([change])
            except (IntegrityError, DataError) as error:
                logger.error("A change of a camera cannot be written: %r: %s", change, error)
                sequence = None
            except Error as error:
                self._note_away(error)
                return False
            except Exception:
                logger.exception("A change of a camera cannot be written: %r", change)
                sequence = None
            batch.remove(change)
            self._back([change], sequence)
        return True

    def _back(self, written: Sequence[Change], sequence: int | None) -> None:
        if self._away:
            self._away = False
            logger.info("The database is back; what cameras have seen meanwhile is written")
        if sequence is not None:
            announce_events(sequence)
        self._on_done(written)

    def _note_away(self, error: Error) -> None:
        if not self._away:
            self._away = True
            logger.warning("What cameras see waits for the database: %s", error)
        connection.close()

    def _write_states(self) -> None:
        now = time.monotonic()
        if now < self._states_at:
            return
        self._states_at = now + STATE_SECONDS
        try:
            store_states(self._read_states(), runner=self._runner)
        except Error as error:
            self._note_away(error)
        except Exception:
            logger.exception("The states of cameras were not written")


def _weight(change: Change) -> int:
    if isinstance(change, EventChange):
        return len(change.jpeg) if change.jpeg is not None else 0
    return len(change.data) if isinstance(change, TrackBatch) else 0
