"""Messages from threads to open pages."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.layers import channel_layers, get_channel_layer
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore

from common.broadcast import attach_loop, consumers, detach_loop, publish, user_group, watcher
from common.broadcast.consumers import UserEventsConsumer

THREADS = 4
EACH = 250


@pytest.fixture(autouse=True)
def own_layer() -> Iterator[None]:
    """A channel layer of the test's own, and no loop left attached."""
    channel_layers.backends = {}
    yield
    detach_loop()
    channel_layers.backends = {}


def test_a_thousand_messages_from_four_threads_reach_an_idle_loop() -> None:
    received: list[dict[str, Any]] = []
    ready, done = threading.Event(), threading.Event()

    async def listen() -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add("everyone", channel)
        attach_loop(asyncio.get_running_loop())
        ready.set()
        while len(received) < THREADS * EACH:
            received.append((await layer.receive(channel))["payload"])
        done.set()

    def send(number: int) -> None:
        for step in range(EACH):
            publish("everyone", {"thread": number, "step": step})

    loop_thread = threading.Thread(target=asyncio.run, args=(listen(),), daemon=True)
    loop_thread.start()
    assert ready.wait(10)
    threads = [threading.Thread(target=send, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    assert done.wait(30), f"only {len(received)} arrived"
    loop_thread.join(5)

    begin = received[0]["seq"]
    assert [message["seq"] for message in received] == list(range(begin, begin + len(received)))
    for number in range(THREADS):
        steps = [message["step"] for message in received if message["thread"] == number]
        assert steps == list(range(EACH))


def test_each_group_has_its_own_sequence_without_gaps() -> None:
    async def scenario() -> dict[str, list[int]]:
        layer = get_channel_layer()
        attach_loop(asyncio.get_running_loop())
        channels = {}
        for group in ("red", "blue"):
            channels[group] = await layer.new_channel()
            await layer.group_add(group, channels[group])
        for group in ("red", "blue", "red", "red"):
            publish(group, {"type": "x"})
        return {
            group: [(await layer.receive(channel))["payload"]["seq"] for _ in range(count)]
            for (group, channel), count in zip(channels.items(), (3, 1), strict=True)
        }

    numbers = asyncio.run(scenario())
    assert numbers["red"] == list(range(numbers["red"][0], numbers["red"][0] + 3))


@pytest.mark.parametrize("attached", [False, True])
def test_publishing_without_a_running_loop_is_harmless(attached: bool) -> None:
    if attached:
        loop = asyncio.new_event_loop()
        attach_loop(loop)
        loop.close()
    publish("user.1", {"type": "x"})


class Page:
    """An open page: the other end of the WebSocket."""

    def __init__(self, user: Any) -> None:
        # The session is not in the database: whoever looks again finds nobody signed in.
        scope = {"type": "websocket", "path": "/ws/events/", "headers": []}
        scope |= {"user": user, "session": SessionStore()}
        self.wire = ApplicationCommunicator(UserEventsConsumer.as_asgi(), scope)

    async def open(self) -> None:
        await self.wire.send_input({"type": "websocket.connect"})
        assert (await self.wire.receive_output())["type"] == "websocket.accept"

    async def message(self) -> Any:
        return json.loads((await self.wire.receive_output())["text"])

    async def leave(self) -> None:
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wire.wait()


@pytest.mark.django_db(transaction=True)
async def test_nobody_is_told_anything_without_signing_in() -> None:
    page = Page(AnonymousUser())
    await page.open()
    closed = await page.wire.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


@pytest.mark.django_db(transaction=True)
async def test_a_user_hears_what_concerns_them_and_nothing_else(user: Any, other_user: Any) -> None:
    attach_loop(asyncio.get_running_loop())
    page = Page(user)
    await page.open()
    assert await page.message() == {"type": "hello"}
    publish(user_group(other_user.pk), {"type": "session", "id": "theirs"})
    publish(user_group(user.pk), {"type": "session", "id": "mine"})
    assert (await page.message())["id"] == "mine"
    await page.wire.send_input({"type": "websocket.receive", "text": "anything"})  # is ignored
    assert await page.wire.receive_nothing()
    await page.leave()
    assert get_channel_layer().groups == {}


@pytest.mark.django_db(transaction=True)
async def test_the_socket_of_a_session_that_ended_is_closed(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "CHECK_SECONDS", 0.0)
    attach_loop(asyncio.get_running_loop())
    page = Page(user)
    await page.open()
    await page.message()
    # Nothing has to be said to the page for that.
    closed = await page.wire.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


@pytest.mark.django_db(transaction=True)
async def test_a_page_that_does_not_read_is_given_up(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "SEND_SECONDS", 0.05)
    attach_loop(asyncio.get_running_loop())
    page = Page(user)
    await page.open()
    await page.message()

    async def never(self: Any, text_data: str) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(UserEventsConsumer, "send", never)
    publish(user_group(user.pk), {"type": "session", "id": "x"})
    closed = await page.wire.receive_output()
    assert closed["code"] == 4408
    publish(user_group(user.pk), {"type": "session", "id": "y"})
    assert await page.wire.receive_nothing(0.3)  # after the close every word would be an error
