"""Handing messages from any thread to the channel layer on the server's event loop.

Django's own bridge wakes an idle loop only when something else does, seconds later. Here every
message goes into one queue, and the loop is woken for it with `call_soon_threadsafe`. Without a
loop (a management command, say) nobody can be listening, and the message is dropped.
"""

import asyncio
import logging
import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from channels.layers import get_channel_layer  # type: ignore[import-untyped]

logger = logging.getLogger(__name__)

MESSAGE_TYPE = "broadcast.message"


class Publisher:
    """Owns the queue between the threads and the loop; one per process.

    Messages of one thread arrive in their order. Each carries the next sequence number of its
    group, so that a page sees a gap when it was too slow and messages were dropped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[tuple[str, dict[str, Any]]] = deque()
        self._sequence: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake = False
        self._drain: asyncio.Task[None] | None = None

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
                return
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
            if layer is None:
                continue
            try:
                await layer.group_send(group, {"type": MESSAGE_TYPE, "payload": payload})
            except Exception:
                logger.exception("A message to %s was lost", group)


_publisher = Publisher()


def attach_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Deliver messages on this event loop: the one that runs the WebSockets."""
    _publisher.attach(loop)


def detach_loop() -> None:
    """Stop delivering; messages are dropped until a loop is attached again."""
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
