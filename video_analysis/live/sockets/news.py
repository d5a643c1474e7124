"""What all dashboards of this process are told, read once: events, figures, announcements.

An announcement only wakes: what has happened is read from the database, in the order of its
numbers, so nothing is lost when an announcement is. Nobody has a queue: each socket knows up to
which number it has heard, and takes the rest from a ring in memory, or from the database when it
was away for long.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol

from channels.db import database_sync_to_async  # type: ignore[import-untyped]
from channels.layers import get_channel_layer  # type: ignore[import-untyped]
from django.db import DatabaseError
from django.utils import timezone

from video_analysis.cameras.announcing import LIVE_GROUP
from video_analysis.live import selectors
from video_analysis.live.presenting import event_facts, stats_of, without_addresses
from video_analysis.live.sockets.access import look_again
from video_analysis.live.sockets.ring import MOST_AT_ONCE, Change, EventRing, Page

logger = logging.getLogger(__name__)

READ_AT_ONCE: Final = 500
LOOK_SECONDS: Final = 3.0  # so often without an announcement, too
STATS_SECONDS: Final = 2.0
AWAY_SECONDS: Final = 2.0
CALM_SECONDS: Final = 0.05  # between two readings
RESUMING: Final = 4  # so many sockets at once read what they missed


class Listener(Protocol):
    """A dashboard."""

    def on_events(self) -> None:
        """There may be new events."""
        ...

    def on_stats(self) -> None:
        """There are new figures."""
        ...

    def on_cameras(self, changed: frozenset[int] | None) -> None:
        """These cameras, or who may watch them, have changed; None: nobody knows which."""
        ...


class News:
    """Reads for all dashboards of one event loop, while there are any."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: set[Listener] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._begin()

    def _begin(self) -> None:
        self.ring: EventRing | None = None
        self._started = asyncio.Event()
        self._announced = asyncio.Event()
        self._resuming = asyncio.Semaphore(RESUMING)
        self._facts: list[dict[str, Any]] | None = None
        self._texts: dict[tuple[frozenset[int], bool], str] = {}
        self._setups: dict[int, Any] | None = None

    def join(self, listener: Listener) -> None:
        """Tell a dashboard from now on."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a new server: the sockets of the last one are gone
            self._loop, self._tasks = loop, []
            self._listeners.clear()
        self._listeners.add(listener)
        if not self._tasks:
            self._begin()
            parts = (self._follow_events, self._read_stats, self._hear_announcements)
            self._tasks = [loop.create_task(self._keep_at(part)) for part in parts]

    def leave(self, listener: Listener) -> None:
        """Tell a dashboard nothing more; after the last one nothing is read any more."""
        self._listeners.discard(listener)
        if not self._listeners:
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    # ------------------------------------------------------------ what a dashboard asks for
    async def position(self) -> int:
        """Return the number up to which events are known; waits until that is known."""
        await self._started.wait()
        assert self.ring is not None
        return self.ring.top

    async def page(self, after: int, cameras: frozenset[int]) -> Page:
        """Return the next changes after a number, from memory or, further back, the database."""
        await self._started.wait()
        ring = self.ring
        assert ring is not None
        if ring.covers(after):
            return ring.page(after, cameras)
        # Read before the rows: whatever is below is seen by the question that follows.
        top = ring.top
        async with self._resuming:
            changes = await _read_changes(after, MOST_AT_ONCE, cameras)
        last = changes[-1].sequence if changes else after
        done = len(changes) < MOST_AT_ONCE
        return Page([change.text for change in changes], max(last, top) if done else last, True)

    def stats(self, cameras: frozenset[int], *, in_full: bool) -> str | None:
        """Return the newest figures of these cameras as JSON; the same text for all who ask.

        Args:
            cameras: Ids of those that the user may watch.
            in_full: Whether reasons name addresses and files: for administrators only.
        """
        if self._facts is None:
            return None
        key = cameras, in_full
        if key not in self._texts:
            mine = [facts for facts in self._facts if facts["id"] in cameras]
            mine = mine if in_full else [without_addresses(facts) for facts in mine]
            found = {"type": "stats", **stats_of(mine, at=timezone.now())}
            self._texts[key] = json.dumps(found)
        return self._texts[key]

    # ------------------------------------------------------------ the tasks
    async def _keep_at(self, part: Callable[[], Awaitable[None]]) -> None:
        """Go on with a part for ever; what is away is tried again."""
        while True:
            try:
                await part()
            except DatabaseError as error:
                logger.warning("News of cameras could not be read: %s", error)
            except Exception:
                logger.exception("News of cameras could not be read")
            await asyncio.sleep(AWAY_SECONDS)

    async def _follow_events(self) -> None:
        if self.ring is None:
            self.ring = EventRing(await _read_last_sequence())
            self._started.set()
        while True:
            await self._read_events(self.ring)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._announced.wait()
            self._announced.clear()
            await asyncio.sleep(CALM_SECONDS)

    async def _read_events(self, ring: EventRing) -> None:
        full = True
        while full:
            changes = await _read_changes(ring.top, READ_AT_ONCE, None)
            ring.add(changes)
            if changes:
                self._tell(lambda listener: listener.on_events())
            full = len(changes) == READ_AT_ONCE

    async def _read_stats(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._facts = await _read_facts()
            self._texts.clear()
            self._tell(lambda listener: listener.on_stats())
            await asyncio.sleep(max(0.1, began + STATS_SECONDS - loop.time()))

    async def _hear_announcements(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(LIVE_GROUP, channel)
        # What was announced before is read now.
        self._announced.set()
        try:
            await self._compare_setups()
            while True:
                await self._hear((await layer.receive(channel)).get("payload", {}))
        finally:
            # Bounded: a connection that was interrupted in the middle of a word may never answer,
            # and the loop waits for this task when it ends.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AWAY_SECONDS):
                    await layer.group_discard(LIVE_GROUP, channel)

    async def _hear(self, payload: dict[str, Any]) -> None:
        if payload.get("type") == "events":
            self._announced.set()
        elif payload.get("type") == "cameras":
            look_again()
            changed = await self._compare_setups()
            self._tell(lambda listener: listener.on_cameras(changed))

    async def _compare_setups(self) -> frozenset[int] | None:
        """Return which cameras have been set up anew since the last time; None: nobody knows."""
        before = self._setups
        try:
            self._setups = after = await _read_setups()
        except DatabaseError as error:
            logger.warning("Changes of cameras could not be read: %s", error)
            self._setups = None
            return None
        if before is None:
            return None
        ids = before.keys() | after.keys()
        return frozenset(pk for pk in ids if before.get(pk) != after.get(pk)) or None

    def _tell(self, tell: Callable[[Listener], None]) -> None:
        for listener in tuple(self._listeners):
            tell(listener)


def _changes(after: int, limit: int, cameras: Collection[int] | None) -> list[Change]:
    rows = selectors.changes_after(after, limit=limit, cameras=cameras)
    return [Change(row.sequence, row.camera_id, json.dumps(event_facts(row))) for row in rows]


# Threads of their own: a database that hangs must not hold what else runs in the sensitive one.
_read_changes = database_sync_to_async(_changes, thread_sensitive=False)
_read_last_sequence = database_sync_to_async(selectors.last_sequence, thread_sensitive=False)
_read_setups = database_sync_to_async(selectors.read_camera_setups, thread_sensitive=False)
_read_facts = database_sync_to_async(selectors.read_camera_facts, thread_sensitive=False)

news = News()
