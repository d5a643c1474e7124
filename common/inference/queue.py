"""The queue of pictures between web processes and workers: Redis keys, and what happens to them.

A picture waits as two keys: its bytes under a name of its own, which expires with the patience of
whoever asked, and that name in one sorted set by deadline. Whoever offers a picture first takes
those out whose time is over, so nobody computes for nobody after a stall, and counts the rest, so
the queue and its memory are bounded. Each asker waits on a list of its own, which expires as well.
"""

import contextlib
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from common.inference.errors import busy, queue_unavailable

CONNECT_SECONDS = 1.0
BLOCK_SECONDS = 2.0
"""A blocking command waits no longer than this, so that its caller can look around."""

_PREFIX = "sightline:inference:"
_WAITING = f"{_PREFIX}waiting"
_SPARE_SECONDS = 5  # keys outlive the patience of those who wait for them by a little

# KEYS: waiting. ARGV: member, bytes of the request, seconds, most pictures, most bytes.
# A member is "<name>:<bytes>", so that the bytes that wait can be added up. Redis' own clock is the
# only one that is asked. The request itself stays out of the script, which would copy it twice.
_LINE_UP = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local waiting = redis.call('ZRANGE', KEYS[1], 0, -1)
local bytes = tonumber(ARGV[2])
for _, member in ipairs(waiting) do
  bytes = bytes + tonumber(string.match(member, ':(%d+)$'))
end
if #waiting >= tonumber(ARGV[4]) or (#waiting > 0 and bytes > tonumber(ARGV[5])) then
  return 0
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
return 1
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that a worker has taken: its name and its message."""

    name: str
    message: bytes


class InferenceQueue:
    """One Redis server as a queue of pictures; used from any thread.

    Args:
        url: Of the server.

    Every method raises `InferenceUnavailable` (``queue_unavailable``) while Redis is away.
    """

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=BLOCK_SECONDS + 3.0,
            max_connections=10_000,  # one per thread that waits
            # Once: the server may have closed an idle connection. Not after silence, which is slow.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )

    def offer(
        self, name: str, message: bytes, *, seconds: float, most: int, most_bytes: int
    ) -> None:
        """Put a request in line; offering it again changes nothing while it waits.

        Args:
            name: Made by `new_name`.
            message: What the worker reads.
            seconds: How long an answer is of use.
            most: So many requests may wait.
            most_bytes: So many bytes may wait; a single request always may.

        Raises:
            InferenceUnavailable: ``busy``: the queue is full.
        """
        member = f"{name}:{len(message)}"
        with _reached(), self._redis.pipeline(transaction=False) as commands:
            commands.set(_request_key(name), message, px=max(1, round(seconds * 1000)))
            # By its text: Redis knows it again, and asking whether it does would be another trip.
            commands.eval(
                *(_LINE_UP, 1, _WAITING),
                *(member, len(message), str(seconds), most, most_bytes),
            )
            _, lined_up = commands.execute()
        if not lined_up:
            self.withdraw(name, len(message))
            raise busy()

    def withdraw(self, name: str, size: int) -> None:
        """Take a request of so many bytes back, whatever has become of it."""
        with _reached(), self._redis.pipeline(transaction=False) as commands:
            commands.zrem(_WAITING, f"{name}:{size}")
            commands.delete(_request_key(name))
            commands.execute()

    def take(self, worker: str, *, seconds: float = BLOCK_SECONDS) -> Taken | None:
        """Wait for a request and take it; None when there was none, or only one out of time.

        Args:
            worker: Who takes it; noted, so that its death is noticed.
            seconds: How long to wait.
        """
        with _reached():
            popped: Any = self._redis.bzpopmin(
                [_WAITING, _wake_key(worker)], timeout=min(seconds, BLOCK_SECONDS)
            )
            if popped is None or popped[0] != _WAITING.encode():
                return None
            name = popped[1].decode().partition(":")[0]
            with self._redis.pipeline(transaction=False) as commands:
                commands.getdel(_request_key(name))
                commands.set(f"{_PREFIX}taker:{name}", worker, ex=120)
                message, _ = commands.execute()
        return None if message is None else Taken(name, message)

    def wake(self, worker: str, threads: int) -> None:
        """Have so many threads of a worker that wait in `take` come back at once."""
        with _reached(), self._redis.pipeline(transaction=False) as commands:
            commands.zadd(_wake_key(worker), {str(number): 0 for number in range(threads)})
            commands.expire(_wake_key(worker), _SPARE_SECONDS)
            commands.execute()

    def answer(self, name: str, message: bytes, *, seconds: float) -> None:
        """Answer a request; if nobody fetches the answer, it is gone after so many seconds."""
        key = f"{_PREFIX}reply:{name}"
        with _reached(), self._redis.pipeline(transaction=False) as commands:
            commands.rpush(key, message)
            commands.expire(key, round(seconds) + _SPARE_SECONDS)
            commands.delete(f"{_PREFIX}taker:{name}")
            commands.execute()

    def receive(self, name: str, *, seconds: float) -> bytes | None:
        """Wait for the answer of a request, at most `BLOCK_SECONDS`."""
        with _reached():
            found: Any = self._redis.blpop(
                f"{_PREFIX}reply:{name}", timeout=max(0.001, min(seconds, BLOCK_SECONDS))
            )
        return None if found is None else bytes(found[1])

    def has_lost(self, name: str) -> bool:
        """Tell whether a worker took the request and has died since."""
        with _reached():
            worker: Any = self._redis.get(f"{_PREFIX}taker:{name}")
            return worker is not None and not self._redis.exists(_sign_key(worker.decode()))

    def give_sign(self, worker: str, message: bytes, *, seconds: float) -> None:
        """Keep a worker on the list for so many seconds."""
        with _reached(), self._redis.pipeline(transaction=False) as commands:
            commands.sadd(f"{_PREFIX}workers", worker)
            commands.set(_sign_key(worker), message, px=round(seconds * 1000))
            commands.execute()

    def take_leave(self, worker: str) -> None:
        """Take a worker off the list; nothing of it remains."""
        with _reached(), self._redis.pipeline(transaction=False) as commands:
            commands.srem(f"{_PREFIX}workers", worker)
            commands.delete(_sign_key(worker), _wake_key(worker))
            commands.execute()

    def signs(self) -> dict[str, bytes]:
        """Return the last sign of every worker that is on the list."""
        with _reached():
            listed: Any = self._redis.smembers(f"{_PREFIX}workers")
            names = sorted(name.decode() for name in listed)
            if not names:
                return {}
            signs: Any = self._redis.mget([_sign_key(name) for name in names])
            silent = [name for name, sign in zip(names, signs, strict=True) if sign is None]
            if silent:
                self._redis.srem(f"{_PREFIX}workers", *silent)
        return {name: sign for name, sign in zip(names, signs, strict=True) if sign is not None}

    def count_waiting(self) -> int:
        """Return how many requests wait, those out of time included."""
        with _reached():
            count: Any = self._redis.zcard(_WAITING)
        return int(count)

    def close(self) -> None:
        """Close the idle connections."""
        self._redis.close()


def new_name() -> str:
    """Return a name that nobody can guess: whoever knows it could fetch the answer."""
    return secrets.token_hex(12)


def get_queue(url: str) -> InferenceQueue:
    """Return this process's queue on a server."""
    if not url:
        raise queue_unavailable()
    with _lock:
        return _queue(url)


_lock = threading.Lock()


@lru_cache(maxsize=4)
def _queue(url: str) -> InferenceQueue:
    return InferenceQueue(url)


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise queue_unavailable() from error


def _request_key(name: str) -> str:
    return f"{_PREFIX}request:{name}"


def _wake_key(worker: str) -> str:
    return f"{_PREFIX}wake:{worker}"


def _sign_key(worker: str) -> str:
    return f"{_PREFIX}worker:{worker}"
