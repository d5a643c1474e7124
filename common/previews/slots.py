"""Slots with one JPEG each: in memory where one process is all, in Redis where there are more.

Who looks leaves a mark that fades after some seconds; without a mark nobody encodes a picture. What
is not fetched is overwritten, and Redis being away only means that nothing is seen for a while.
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import redis
from django.conf import settings
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WATCHED_SECONDS = 4.0
KEPT_SECONDS = 30.0
_ASK_SECONDS = 0.5  # a worker asks Redis no more often whether somebody looks
_HEADER = struct.Struct(">QI")


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture and its number, which grows.

    Attributes:
        number: Its number.
        jpeg: The picture.
        meta: What is said beside it, as whoever writes and reads it agree.
    """

    number: int
    jpeg: bytes
    meta: bytes = b""

    def pack(self) -> bytes:
        """Return it as bytes."""
        return _HEADER.pack(self.number, len(self.meta)) + self.meta + self.jpeg

    @classmethod
    def unpack(cls, data: bytes) -> Preview:
        """Read what ``pack`` has made."""
        number, length = _HEADER.unpack_from(data)
        end = _HEADER.size + length
        return cls(number, data[end:], data[_HEADER.size : end])


class Slots(Protocol):
    """Where pictures and marks are kept."""

    def write(self, name: str, preview: Preview) -> None: ...

    def read(self, name: str) -> Preview | None: ...

    def is_watched(self, name: str) -> bool: ...


def write_preview(name: str, preview: Preview) -> None:
    """Put a picture in the place of the one before."""
    _slots(settings.REDIS_URL).write(name, preview)


def read_preview(name: str) -> Preview | None:
    """Return the newest picture, if there is one, and leave the mark of somebody who looks."""
    return _slots(settings.REDIS_URL).read(name)


def is_watched(name: str) -> bool:
    """Tell whether somebody has looked within the last seconds; cheap enough for every frame."""
    return _slots(settings.REDIS_URL).is_watched(name)


@lru_cache(maxsize=4)
def _slots(url: str) -> Slots:
    return RedisSlots(url) if url else MemorySlots()


class MemorySlots:
    """Slots of one process; thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pictures: dict[str, tuple[float, Preview]] = {}
        self._watched: dict[str, float] = {}

    def write(self, name: str, preview: Preview) -> None:
        """Keep a picture, and forget those that nobody has replaced for a while."""
        now = time.monotonic()
        with self._lock:
            self._pictures[name] = (now, preview)
            for old in [key for key, (at, _) in self._pictures.items() if now - at > KEPT_SECONDS]:
                del self._pictures[old]

    def read(self, name: str) -> Preview | None:
        """Return a picture, and note that somebody looks."""
        now = time.monotonic()
        with self._lock:
            self._watched = {
                key: at for key, at in self._watched.items() if now - at < WATCHED_SECONDS
            }
            self._watched[name] = now
            at, preview = self._pictures.get(name, (0.0, None))
        return preview if now - at < KEPT_SECONDS else None

    def is_watched(self, name: str) -> bool:
        """Tell whether somebody looks."""
        return time.monotonic() - self._watched.get(name, -WATCHED_SECONDS) < WATCHED_SECONDS


class RedisSlots:
    """Slots that all processes share."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
        self._asked: dict[str, tuple[float, bool]] = {}

    def write(self, name: str, preview: Preview) -> None:
        """Keep a picture for some seconds."""
        try:
            self._redis.set(_key("picture", name), preview.pack(), px=int(KEPT_SECONDS * 1000))
        except RedisError as error:
            logger.debug("A preview was lost: %s", error)

    def read(self, name: str) -> Preview | None:
        """Return a picture, and note that somebody looks."""
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.set(_key("watched", name), 1, px=int(WATCHED_SECONDS * 1000))
                pipeline.get(_key("picture", name))
                _, message = pipeline.execute()
        except RedisError as error:
            logger.debug("A preview could not be read: %s", error)
            return None
        return Preview.unpack(message) if message else None

    def is_watched(self, name: str) -> bool:
        """Tell whether somebody looks, or did half a second ago."""
        now = time.monotonic()
        asked, answer = self._asked.get(name, (-1.0, False))
        if now - asked < _ASK_SECONDS:
            return answer
        try:
            answer = bool(self._redis.exists(_key("watched", name)))
        except RedisError:
            answer = False
        # One name at a time is worked on by a thread; more than some are those that have ended.
        if len(self._asked) > 64:
            self._asked.clear()
        self._asked[name] = (now, answer)
        return answer


def _key(kind: str, name: str) -> str:
    return f"sightline:preview:{kind}:{name}"
