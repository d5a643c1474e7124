"""Handing messages from any thread to the channel layer, on one event loop.

Django's own bridge wakes an idle loop only when something else does, seconds later. Here every
message goes into one queue, and the loop is woken for it with `call_soon_threadsafe`. The loop is
the server's where there is one. A worker has none: with Redis behind the channel layer its messages
reach the pages of other processes through a loop in a thread, which starts with the first message.
With a layer in memory nobody can be listening there, and the message is dropped.
"""

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from channels.layers import get_channel_layer  # type: ignore[import-untyped]
from django.conf import settings

logger = logging.getLogger(__name__)

MESSAGE_TYPE = "broadcast.message"
MOST_WAITING = 10_000
SEND_SECONDS = 2.0
AWAY_SECONDS = 2.0  # after a failure, messages are dropped for so long without another try


class Publisher:
    """Owns the queue between the threads and the loop; one per process.

    Messages of one thread arrive in their order. Each carries the next sequence number of its
    group in this process, so that a page sees a gap when it was too slow and messages were dropped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[tuple[str, dict[str, Any]]] = deque(maxlen=MOST_WAITING)
        self._sequence: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake = False
        self._drain: asyncio.Task[None] | None = None
        self._away_until = 0.0
        self._away = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Deliver on this loop from now on."""
        with self._lock:
            self._loop = loop
            self._awake = False
            self._queue.clear()

    def detach(self) -> None:
        """Drop messages from now on."""
        with self._lock:
            self._loop = None
            self._queue.clear()

    def publish(self, group: str, payload: Mapping[str, Any]) -> None:
        """Queue a message and wake the loop, if there is one."""
        with self._lock:
            if self._loop is None:
                if not settings.REDIS_URL:
                    return
                self._loop = _start_loop()
            self._sequence[group] += 1
            self._queue.append((group, {**payload, "seq": self._sequence[group]}))
            if self._awake:
                return
            try:
                self._loop.call_soon_threadsafe(self._start_drain)
            except RuntimeError:  # the loop is closed: nobody listens any more
                self._queue.clear()
                return
            self._awake = True

    def _start_drain(self) -> None:
        self._drain = asyncio.ensure_future(self._deliver())

    async def _deliver(self) -> None:
        layer = get_channel_layer()
        while True:
            with self._lock:
                if not self._queue:
                    self._awake = False
                    return
                group, payload = self._queue.popleft()
            if layer is not None and time.monotonic() >= self._away_until:
                await self._send(layer, group, payload)

    async def _send(self, layer: Any, group: str, payload: dict[str, Any]) -> None:
        """Send one message; while the layer is away, drop it, and say so once."""
        message = {"type": MESSAGE_TYPE, "payload": payload}
        try:
            await asyncio.wait_for(layer.group_send(group, message), SEND_SECONDS)
        except Exception as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            if not self._away:
                logger.warning("Messages to open pages are lost for a while: %r", error)
            self._away = True
        else:
            if self._away:
                logger.warning("Messages reach open pages again.")
            self._away = False


def _start_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="broadcast", daemon=True).start()
    return loop


_publisher = Publisher()


def attach_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Deliver messages on this event loop: the one that runs the WebSockets."""
    _publisher.attach(loop)


def detach_loop() -> None:
    """Stop delivering on that loop."""
    _publisher.detach()


def publish(group: str, payload: Mapping[str, Any]) -> None:
    """Send a small JSON message to everyone in a group. Thread safe, never blocks.

    Args:
        group: E.g. `user_group(user.pk)`.
        payload: JSON values with a "type"; a sequence number "seq" is added.
    """
    _publisher.publish(group, payload)


def user_group(user_id: object) -> str:
    """Return the group of a user's open pages."""
    return f"user.{user_id}"


def member_group(group_id: object) -> str:
    """Return the group of the open pages of all members of a group of people.

    A message with the id of a user under "but" passes that user's pages by.
    """
    return f"members.{group_id}"
