"""Slots with one JPEG each: in memory where one process is all, in Redis where there are more.

Who looks leaves a mark that fades after some seconds; without a mark nobody encodes a picture. What
is not fetched is overwritten, and Redis being away only means that nothing is seen for a while.
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import redis
from django.conf import settings
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WATCHED_SECONDS = 4.0
KEPT_SECONDS = 30.0
_ASK_SECONDS = 0.5  # a worker asks Redis no more often whether somebody looks
_ASKED_NAMES = 1024
_HEADER = struct.Struct(">QI")
_NUMBER = struct.Struct(">Q")  # as _HEADER begins


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

    def read_newer(self, known: Mapping[str, int]) -> dict[str, Preview]: ...

    def is_watched(self, name: str) -> bool: ...

    def forget(self, name: str) -> None: ...


def write_preview(name: str, preview: Preview) -> None:
    """Put a picture in the place of the one before."""
    _slots(settings.REDIS_URL).write(name, preview)


def read_preview(name: str) -> Preview | None:
    """Return the newest picture, if there is one, and leave the mark of somebody who looks."""
    return _slots(settings.REDIS_URL).read(name)


def read_newer(known: Mapping[str, int]) -> dict[str, Preview]:
    """Return the newest pictures of many slots at once, but for those that are known already.

    Leaves the marks of somebody who looks at all of them. Made to be called many times a second:
    what has not changed is not fetched. With Redis it blocks for two round trips at most.

    Args:
        known: By name, the number of the picture that one has; -1 for none.
    """
    return _slots(settings.REDIS_URL).read_newer(known)


def is_watched(name: str) -> bool:
    """Tell whether somebody has looked within the last seconds; cheap enough for every frame."""
    return _slots(settings.REDIS_URL).is_watched(name)


def forget_preview(name: str) -> None:
    """Empty a slot; whoever looks sees nothing until the next picture."""
    _slots(settings.REDIS_URL).forget(name)


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

    def read_newer(self, known: Mapping[str, int]) -> dict[str, Preview]:
        """Return pictures with another number than the known one, and note who looks."""
        now = time.monotonic()
        found: dict[str, Preview] = {}
        with self._lock:
            self._watched = {
                key: at for key, at in self._watched.items() if now - at < WATCHED_SECONDS
            }
            for name, number in known.items():
                self._watched[name] = now
                at, preview = self._pictures.get(name, (0.0, None))
                if preview is not None and preview.number != number and now - at < KEPT_SECONDS:
                    found[name] = preview
        return found

    def is_watched(self, name: str) -> bool:
        """Tell whether somebody looks."""
        return time.monotonic() - self._watched.get(name, -WATCHED_SECONDS) < WATCHED_SECONDS

    def forget(self, name: str) -> None:
        """Drop a picture."""
        with self._lock:
            self._pictures.pop(name, None)


class RedisSlots:
    """Slots that all processes share."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
        self._asked: dict[str, tuple[float, bool]] = {}
        self._marked: dict[str, float] = {}

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

    def read_newer(self, known: Mapping[str, int]) -> dict[str, Preview]:
        """Return pictures with another number than the known one, and note who looks.

        The numbers are asked for first, which are the first bytes of what is kept.
        """
        names = list(known)
        if not names:
            return {}
        try:
            numbers = self._ask_numbers(names)
            changed = [
                name for name, number in numbers.items() if number not in (None, known[name])
            ]
            if not changed:
                return {}
            messages: Any = self._redis.mget([_key("picture", name) for name in changed])
        except RedisError as error:
            logger.debug("Previews could not be read: %s", error)
            return {}
        pairs = zip(changed, messages, strict=True)
        return {name: Preview.unpack(message) for name, message in pairs if message}

    def _ask_numbers(self, names: list[str]) -> dict[str, int | None]:
        now = time.monotonic()
        before = now - WATCHED_SECONDS / 4
        due = [name for name in names if self._marked.get(name, before) <= before]
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in due:
                pipeline.set(_key("watched", name), 1, px=int(WATCHED_SECONDS * 1000))
            for name in names:
                pipeline.getrange(_key("picture", name), 0, _NUMBER.size - 1)
            answers = pipeline.execute()[len(due) :]
        self._marked = {name: at for name, at in self._marked.items() if at > before}
        self._marked.update(dict.fromkeys(due, now))
        return {
            name: _NUMBER.unpack(answer)[0] if len(answer) == _NUMBER.size else None
            for name, answer in zip(names, answers, strict=True)
        }

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
        # A process works on so many names at once; more are those that have ended.
        if len(self._asked) > _ASKED_NAMES:
            self._asked.clear()
        self._asked[name] = (now, answer)
        return answer

    def forget(self, name: str) -> None:
        """Drop a picture; what Redis keeps nevertheless is gone after some seconds."""
        try:
            self._redis.delete(_key("picture", name))
        except RedisError as error:
            logger.debug("A preview could not be dropped: %s", error)


def _key(kind: str, name: str) -> str:
    return f"sightline:preview:{kind}:{name}"
