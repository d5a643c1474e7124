"""The shared cache: what it believes, what it counts, and what happens when Redis is in trouble."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from common.cache import ResilientRedisCache
from common.cache.client import UNREADABLE, SignedSerializer
from tests.servers import MissingServerError, RedisServer

VALUES = [0, 7, -3, 1.5, "text", "7", None, True, [1.0, 2.0], {"a": (1, 2)}, b"\x00\xff"]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis of these tests' own."""
    made: RedisServer | None = None
    try:
        made = RedisServer()
        made.start()
    except MissingServerError as error:
        pytest.skip(f"needs redis-server: {error}")
    yield made
    made.stop()


@pytest.fixture
def cache(server: RedisServer) -> Iterator[ResilientRedisCache]:
    found = ResilientRedisCache(server.url, {"KEY_PREFIX": secrets.token_hex(4)})
    yield found
    found.close()


class Trap:
    """Does something when it is unpickled."""

    sprung = False

    def __reduce__(self) -> Any:
        return _spring, ()


def _spring() -> None:
    Trap.sprung = True


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_as_they_were(value: Any) -> None:
    serializer = SignedSerializer()
    assert serializer.loads(serializer.dumps(value)) == value


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_survive_redis(cache: ResilientRedisCache, value: Any) -> None:
    cache.set("key", value)
    assert cache.get("key", "nothing") == value
    assert cache.get_many(["key", "other"]) == {"key": value}


def test_what_somebody_else_has_written_is_never_unpickled(
    cache: ResilientRedisCache, server: RedisServer
) -> None:
    for written in (pickle.dumps(Trap()), b"x" * 32 + pickle.dumps(Trap()), b"", b"short"):
        with redis.Redis.from_url(server.url) as client:
            client.set(cache.make_key("key"), written)
        assert cache.get("key", "nothing") == "nothing"
        assert cache.get_many(["key"]) == {}
    assert not Trap.sprung
    assert SignedSerializer().loads(pickle.dumps(Trap())) is UNREADABLE


def test_a_counter_keeps_its_end_and_one_that_ran_out_is_not_made_anew(
    cache: ResilientRedisCache, server: RedisServer
) -> None:
    cache.set("counter", 1, timeout=100)
    assert (cache.incr("counter"), cache.incr("counter", 5), cache.decr("counter")) == (2, 7, 6)
    with redis.Redis.from_url(server.url) as client:
        assert 0 < client.ttl(cache.make_key("counter")) <= 100
        with pytest.raises(ValueError, match="not found"):
            cache.incr("no counter")
        assert not client.exists(cache.make_key("no counter"))


def test_a_redis_that_is_full_fails_no_page(
    cache: ResilientRedisCache, server: RedisServer
) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        try:
            assert cache.add("key", 1)
            assert cache.incr("key") == 2
        finally:
            client.config_set("maxmemory", 0)
