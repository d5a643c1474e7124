"""The newest picture of work in progress, in memory and in Redis: seen, overwritten, forgotten."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from common import previews
from common.previews import Preview, slots
from common.previews.slots import MemorySlots, RedisSlots, Slots
from tests.integration.conftest import wait_until
from tests.servers import MissingServerError, RedisServer, free_port


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """The Redis of this run, or one of our own."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    try:
        server = RedisServer()
    except MissingServerError:
        pytest.skip("needs redis-server")
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(params=["memory", "redis"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Slots:
    """Slots of each kind, whose marks and pictures fade soon."""
    monkeypatch.setattr(slots, "WATCHED_SECONDS", 0.4)
    monkeypatch.setattr(slots, "KEPT_SECONDS", 2.0)
    monkeypatch.setattr(slots, "_ASK_SECONDS", 0.1)
    if request.param == "memory":
        return MemorySlots()
    return RedisSlots(request.getfixturevalue("redis_url"))


@pytest.fixture
def name() -> str:
    return str(uuid.uuid4())


def test_the_newest_picture_is_seen(kept: Slots, name: str) -> None:
    assert kept.read(name) is None
    kept.write(name, Preview(1, b"one"))
    kept.write(name, Preview(2, b"two"))
    assert kept.read(name) == kept.read(name) == Preview(2, b"two")
    assert kept.read("another") is None


def test_a_picture_may_hold_any_bytes_and_its_number_may_be_large(kept: Slots, name: str) -> None:
    preview = Preview(2**40, bytes(range(256)) * 3)
    kept.write(name, preview)
    assert kept.read(name) == preview


def test_who_looks_is_known_for_a_while(kept: Slots, name: str) -> None:
    assert not kept.is_watched(name)

    def looks() -> bool:
        kept.read(name)
        return kept.is_watched(name)

    # Waited for: a worker asks Redis only now and then, and a busy machine takes its time.
    wait_until(looks)
    assert not kept.is_watched("another")
    wait_until(lambda: not kept.is_watched(name))


def test_of_many_only_what_is_new_is_read_and_all_are_marked(kept: Slots, name: str) -> None:
    names = [f"{name}-{number}" for number in range(3)]
    assert kept.read_newer({}) == {}
    assert kept.read_newer(dict.fromkeys(names, -1)) == {}
    for number, one in enumerate(names[:2]):
        kept.write(one, Preview(number, b"picture", b"{}"))
    first = kept.read_newer(dict.fromkeys(names, -1))
    assert first == {one: Preview(n, b"picture", b"{}") for n, one in enumerate(names[:2])}
    assert kept.read_newer({names[0]: 0, names[1]: 7, names[2]: -1}) == {names[1]: first[names[1]]}
    kept.write(names[0], Preview(5, b""))
    assert kept.read_newer({names[0]: 0, names[1]: 1}) == {names[0]: Preview(5, b"")}


def test_who_looks_at_many_is_known_as_long_as_they_look(kept: Slots, name: str) -> None:
    until = time.monotonic() + 1.0  # longer than a mark lasts

    def look() -> bool:
        kept.read_newer({name: -1})
        return kept.is_watched(name)

    wait_until(look)
    while time.monotonic() < until:
        assert look()
        time.sleep(0.02)
    wait_until(lambda: not kept.is_watched(name))


def test_a_picture_that_nobody_replaces_is_forgotten(kept: Slots, name: str) -> None:
    kept.write(name, Preview(1, b"one"))
    time.sleep(2.1)
    assert kept.read(name) is None


def test_memory_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "KEPT_SECONDS", 0.05)
    monkeypatch.setattr(slots, "WATCHED_SECONDS", 0.05)
    kept = MemorySlots()
    for number in range(50):
        kept.write(str(number), Preview(number, bytes(1000)))
        kept.read(str(number))
    time.sleep(0.1)
    kept.write("last", Preview(1, b""))
    kept.read("last")
    assert list(kept._pictures) == list(kept._watched) == ["last"]


def test_while_redis_is_away_nothing_is_seen_and_nothing_breaks(name: str) -> None:
    kept = RedisSlots(f"redis://127.0.0.1:{free_port()}/0")
    kept.write(name, Preview(1, b"one"))
    assert kept.read(name) is None
    assert kept.read_newer({name: -1}) == {}
    assert not kept.is_watched(name)


def test_a_worker_asks_redis_now_and_then_only(redis_url: str, name: str) -> None:
    kept = RedisSlots(redis_url)
    asked = 0
    ask = kept._redis.exists

    def count(*names: Any) -> Any:
        nonlocal asked
        asked += 1
        return ask(*names)

    kept._redis.exists = count  # type: ignore[method-assign]
    until = time.monotonic() + 0.6
    while time.monotonic() < until:
        kept.is_watched(name)
    assert 1 <= asked <= 3


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_the_settings_choose(request: pytest.FixtureRequest, settings: Any, kind: str) -> None:
    settings.REDIS_URL = "" if kind == "memory" else request.getfixturevalue("redis_url")
    name = str(uuid.uuid4())
    previews.write_preview(name, Preview(7, b"seven"))
    assert previews.read_preview(name) == Preview(7, b"seven")
    assert previews.is_watched(name)
