"""Who may hold a WebSocket, what it hears, and how soon it ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.layers import channel_layers
from django.conf import settings as django_settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common.broadcast import (
    attach_loop,
    consumers,
    detach_loop,
    publish,
    user_group,
    watcher,
)
from common.broadcast.origins import is_allowed_origin
from common.broadcast.publisher import member_group
from common.models import Account
from detection_project.asgi import application
from tests.integration.conftest import make_user

pytestmark = pytest.mark.django_db(transaction=True)

HOST = "localhost:8123"


@pytest.fixture(autouse=True)
def own_layer() -> Iterator[None]:
    """A channel layer of the test's own, and no loop left attached."""
    channel_layers.backends = {}
    yield
    detach_loop()
    channel_layers.backends = {}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the sockets checked all the time."""
    monkeypatch.setattr(watcher, "CHECK_SECONDS", 0.05)


class Page:
    """The other end of a WebSocket to the whole application."""

    def __init__(self, cookie: str = "", *, origin: str | None = f"http://{HOST}") -> None:
        headers = [(b"host", HOST.encode())]
        if cookie:
            name = django_settings.SESSION_COOKIE_NAME
            headers.append((b"cookie", f"{name}={cookie}".encode()))
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        scope = {"type": "websocket", "path": "/ws/events/", "headers": headers, "scheme": "ws"}
        self.wire = ApplicationCommunicator(application, scope)

    async def open(self) -> Any:
        """The first thing that the page hears."""
        await self.wire.send_input({"type": "websocket.connect"})
        first = await self.wire.receive_output(5)
        return await self.hear() if first["type"] == "websocket.accept" else first

    async def hear(self, seconds: float = 5) -> Any:
        """The next message, or the code of the end."""
        heard = await self.wire.receive_output(seconds)
        return heard.get("code") or json.loads(heard["text"])

    async def leave(self) -> None:
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wire.wait(5)


def sign_in(user: Any) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


async def open_page(user: Any) -> Page:
    attach_loop(asyncio.get_running_loop())
    page = Page(await sync_to_async(sign_in)(user))
    assert await page.open() == {"type": "hello"}
    return page


# ---------------------------------------------------------------- whose page
ORIGINS = [
    # origin, host, scheme, allowed
    ("http://localhost:8123", "localhost:8123", "ws", True),
    ("https://localhost", "localhost", "wss", True),
    ("http://localhost:9000", "localhost:8123", "ws", False),  # another program of this machine
    ("http://localhost", "localhost:8123", "ws", False),
    ("https://localhost:8123", "localhost:8123", "ws", False),
    ("http://localhost:8123", "localhost:8123", "wss", False),
    ("http://evil.example", "localhost:8123", "ws", False),
    ("http://localhost:8123.evil.example", "localhost:8123", "ws", False),
    ("http://evil.example", "evil.example", "ws", False),  # a name of theirs for our address
    ("https://trusted.example", "localhost:8123", "ws", True),
    ("https://trusted.example:444", "localhost:8123", "ws", False),
    ("http://trusted.example", "localhost:8123", "ws", False),
    ("https://a.wide.example", "localhost:8123", "ws", True),
    ("https://a.wide.example.evil.example", "localhost:8123", "ws", False),
    ("https://[", "localhost:8123", "ws", False),
    ("null", "localhost:8123", "ws", False),
    ("", "localhost:8123", "ws", False),
]


@pytest.mark.parametrize(("origin", "host", "scheme", "allowed"), ORIGINS)
def test_a_page_of_this_origin_or_a_trusted_one_may_connect(
    settings: Any, origin: str, host: str, scheme: str, allowed: bool
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example", "https://*.wide.example"]
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
    assert is_allowed_origin({"headers": headers, "scheme": scheme}) is allowed


@pytest.mark.parametrize(("told", "allowed"), [("https", True), ("http", False), ("", False)])
def test_behind_a_proxy_the_scheme_is_the_proxys_word(
    settings: Any, told: str, allowed: bool
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = [(b"host", b"localhost"), (b"origin", b"https://localhost")]
    headers.append((b"x-forwarded-proto", told.encode()))
    assert is_allowed_origin({"headers": headers, "scheme": "ws"}) is allowed


@pytest.mark.parametrize("origin", ["http://localhost:9000", "http://evil.example", None])
async def test_a_foreign_page_is_refused_before_the_handshake(
    user: Any, origin: str | None
) -> None:
    cookie = await sync_to_async(sign_in)(user)
    refused = await Page(cookie, origin=origin).open()
    assert refused["type"] == "websocket.close"


async def test_who_is_not_signed_in_is_told_so() -> None:
    assert await Page().open() == 4401


# ---------------------------------------------------------------- what it hears
async def test_members_hear_of_what_is_shared_with_them_and_the_owner_hears_it_once(
    user: Any, other_user: Any
) -> None:
    group = await Group.objects.acreate(name="Night shift")
    await sync_to_async(group.user_set.set)([user, other_user])
    stranger = await sync_to_async(make_user)("eve")
    pages = [await open_page(person) for person in (user, other_user, stranger)]
    publish(user_group(user.pk), {"type": "session", "id": "1"})
    publish(member_group(group.pk), {"type": "session", "id": "1", "but": user.pk})
    publish(user_group(stranger.pk), {"type": "session", "id": "2"})
    heard = [await page.hear() for page in pages]
    assert [news["id"] for news in heard] == ["1", "1", "2"]
    assert "but" not in heard[1]
    assert [await page.wire.receive_nothing() for page in pages] == [True, True, True]
    for page in pages:
        await page.leave()


# ---------------------------------------------------------------- how it ends
def sessions_of(user: Any) -> Any:
    mine = [
        row.pk for row in Session.objects.all() if row.get_decoded()[SESSION_KEY] == str(user.pk)
    ]
    return Session.objects.filter(pk__in=mine)


def sign_out(user: Any) -> None:
    sessions_of(user).delete()


def let_the_session_expire(user: Any) -> None:
    sessions_of(user).update(expire_date="2020-01-01T00:00:00Z")


def switch_off(user: Any) -> None:
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def remove(user: Any) -> None:
    user.delete()


def change_the_password(user: Any) -> None:
    user.set_password("something else")
    user.save()


def take_the_role_away(user: Any) -> None:
    Account.objects.filter(user=user).update(role="viewer")


def take_the_account_away(user: Any) -> None:
    Account.objects.filter(user=user).delete()


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (sign_out, 4401),
        (let_the_session_expire, 4401),
        (switch_off, 4401),
        (remove, 4401),
        (change_the_password, 4401),
        (take_the_role_away, 4403),
        (take_the_account_away, 4403),
    ],
)
@pytest.mark.usefixtures("quick")
async def test_a_silent_socket_ends_with_what_it_was_opened_on(
    user: Any, other_user: Any, act: Callable[[Any], None], code: int
) -> None:
    page, bystander = await open_page(user), await open_page(other_user)
    user_id = user.pk
    await sync_to_async(act)(user)
    assert await page.hear() == code
    publish(user_group(user_id), {"type": "session", "id": "secret"})
    assert await page.wire.receive_nothing()
    assert await bystander.wire.receive_nothing()
    for left in (page, bystander):
        await left.leave()


async def test_it_ends_within_five_seconds(user: Any) -> None:
    page = await open_page(user)
    await sync_to_async(sign_out)(user)
    began = time.monotonic()
    assert await page.hear(6) == 4401
    assert time.monotonic() - began < 5
    await page.leave()


@pytest.mark.usefixtures("quick")
async def test_who_leaves_a_group_hears_nothing_of_it_and_who_joins_one_does(user: Any) -> None:
    old, new = [await Group.objects.acreate(name=name) for name in ("old", "new")]
    await sync_to_async(user.groups.set)([old])
    page = await open_page(user)
    await sync_to_async(user.groups.set)([new])
    assert await page.hear() == {"type": "groups"}
    for number, group in enumerate((old, new)):
        publish(member_group(group.pk), {"type": "session", "id": str(number)})
    assert (await page.hear())["id"] == "1"
    publish(user_group(user.pk), {"type": "session", "id": "mine"})
    assert (await page.hear())["id"] == "mine"
    await page.leave()


# ---------------------------------------------------------------- how much it costs
async def test_all_sockets_are_checked_with_three_queries(user: Any, other_user: Any) -> None:
    pages = [await open_page(person) for person in (user, other_user) for _ in range(10)]

    def ask() -> int:
        with CaptureQueriesContext(connection) as queries:
            standings = watcher.read_standings(watcher.watcher.sockets)
        assert len(standings) == 20
        return len(queries)

    assert await sync_to_async(ask)() == 3
    for page in pages:
        await page.leave()
    assert not watcher.watcher.sockets


def test_without_sockets_nothing_is_asked(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert watcher.read_standings([]) == {}


async def test_a_user_has_twenty_sockets_at_most(user: Any, other_user: Any) -> None:
    pages = [await open_page(user) for _ in range(20)]
    cookie = await sync_to_async(sign_in)(user)
    assert await Page(cookie).open() == 4429
    pages.append(await open_page(other_user))  # others have their own twenty
    await pages.pop(0).leave()
    pages.append(await open_page(user))
    for page in pages:
        await page.leave()


@pytest.mark.usefixtures("quick")
async def test_a_database_that_is_away_ends_no_socket(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    page = await open_page(user)
    asked = asyncio.Event()

    async def fail(sockets: Any) -> Any:
        asked.set()
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(watcher, "read_standings_async", fail)
        await asyncio.wait_for(asked.wait(), 5)
        assert await page.wire.receive_nothing()
    await sync_to_async(sign_out)(user)  # it is back
    assert await page.hear() == 4401
    await page.leave()


async def test_a_socket_that_cannot_be_told_keeps_nobody_else_waiting(
    user: Any, other_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(watcher, "TELL_SECONDS", 0.1)
    stuck, other = await open_page(user), await open_page(other_user)
    held = asyncio.Event()

    async def hang(standing: Any) -> None:
        held.set()
        await asyncio.Event().wait()

    first = next(one for one in watcher.watcher.sockets if one.user_id == user.pk)
    monkeypatch.setattr(first, "stand", hang)
    await asyncio.wait_for(held.wait(), 5)
    await sync_to_async(Session.objects.all().delete)()
    assert await other.hear(3) == 4401
    await stuck.leave()
    await other.leave()


async def test_a_page_that_could_not_join_its_groups_takes_no_place(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(user: Any) -> None:
        raise ConnectionError("away")

    cookie = await sync_to_async(sign_in)(user)
    with monkeypatch.context() as patched:
        patched.setattr(consumers, "_standing_of", fail)
        with pytest.raises(ConnectionError):
            await Page(cookie).open()
    assert not watcher.watcher.sockets


async def test_a_group_that_could_not_be_left_is_left_at_the_next_look() -> None:
    class Layer:
        away = True
        left: list[str] = []

        async def group_discard(self, group: str, channel: str) -> None:
            if self.away:
                raise ConnectionError("away")
            self.left.append(group)

    page = consumers.UserEventsConsumer()
    page.user_id, page.channel_name, page.channel_layer = 1, "mine", Layer()
    page.standing = watcher.Standing("operator", frozenset({7}))
    heard: list[Any] = []

    async def hear(payload: Any) -> None:
        heard.append(payload)

    page.deliver = hear  # type: ignore[method-assign]
    alone = watcher.Standing("operator", frozenset())
    with pytest.raises(ConnectionError):
        await page.stand(alone)
    Layer.away = False
    await page.stand(alone)
    assert (Layer.left, heard) == ([member_group(7)], [{"type": "groups"}])
