"""A Redis cache that answers from memory while Redis is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from common.cache.client import SignedClient

logger = logging.getLogger(__name__)

# A server that answers, but only with errors, is no better: its memory or its disk may be full.
AWAY = (RedisConnectionError, RedisTimeoutError, ResponseError)
RETRY_SECONDS = 2.0
TIMEOUTS = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}


class ResilientRedisCache(RedisCache):
    """Counters and memories in Redis; while it is away, this process keeps its own.

    Limits are then counted per process, which is looser but never open, and no page fails
    because of a cache. Redis is asked again every two seconds.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        params = {**params, "OPTIONS": {**TIMEOUTS, **params.get("OPTIONS", {})}}
        super().__init__(server, params)
        self._class = SignedClient
        self._spare = LocMemCache(server, {"OPTIONS": {"MAX_ENTRIES": 10_000}})
        self._away_until = 0.0

    def _either(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if time.monotonic() >= self._away_until:
            try:
                return getattr(super(), name)(*args, **kwargs)
            except AWAY as error:
                self._away_until = time.monotonic() + RETRY_SECONDS
                logger.warning("Redis is away, this process counts alone: %s", error)
        return getattr(self._spare, name)(*args, **kwargs)


def _resilient(name: str) -> Callable[..., Any]:
    def call(self: ResilientRedisCache, *args: Any, **kwargs: Any) -> Any:
        return self._either(name, args, kwargs)

    call.__name__ = name
    return call


for _name in (
    *("add", "get", "set", "touch", "delete", "incr", "has_key", "clear"),
    *("get_many", "set_many", "delete_many"),
):
    setattr(ResilientRedisCache, _name, _resilient(_name))
