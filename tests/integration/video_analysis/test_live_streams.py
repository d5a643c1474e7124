"""MJPEG and the newest picture under ASGI; many viewers and sockets at once over real ports."""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
import websockets
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.layers import channel_layers
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import connections, transaction
from django.utils import timezone
from knox.models import AuthToken
from PIL import Image

from common.api.authentication import memory
from common.broadcast import detach_loop
from common.previews import Preview, is_watched, slots, write_preview
from detection_project.asgi import application
from detection_project.server import server_config
from tests.integration.conftest import make_user, wait_until
from tests.integration.video_analysis.live_pages import (
    HOST,
    LivePage,
    make_camera,
    make_jpeg,
    read_picture,
    sign_in,
    write_picture,
)
from tests.servers import MissingServerError, RedisServer
from video_analysis.cameras.announcing import announce_events
from video_analysis.cameras.models import Camera
from video_analysis.live import streams
from video_analysis.live.sockets import base, ring
from video_analysis.live.sockets.feed import Picture, Tile, feed
from video_analysis.live.sockets.news import news
from video_analysis.models import CameraEvent, EventSequence

pytestmark = pytest.mark.django_db(transaction=True)

GREY = (90, 90, 90)
PERSON = [12, "person", 0.87, 0.25, 0.25, 0.5, 0.5]


@pytest.fixture(autouse=True)
def own_everything() -> Iterator[None]:
    """Slots, a channel layer and a memory of tokens of the test's own."""
    slots._slots.cache_clear()
    channel_layers.backends = {}
    memory.forget()
    yield
    detach_loop()
    channel_layers.backends = {}
    # Threads of requests keep their connection, which the next test's database does not want.
    for thread in application.application_mapping["http"].application.idle:
        thread.submit(connections.close_all).result(5)


@pytest.fixture
def team(user: Any) -> Group:
    """The group of the user."""
    group = Group.objects.create(name="Night shift")
    group.user_set.add(user)
    return group


@pytest.fixture
def camera(team: Group) -> Camera:
    """A camera that the user may watch."""
    return make_camera(team, name="Entrance")


class Watching:
    """A client of one HTTP request to the whole application."""

    def __init__(self, path: str, *, method: str = "GET", **headers: str) -> None:
        path, _, query = path.partition("?")
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"host", HOST.encode()), *pairs],
            "scheme": "http",
            "client": ("127.0.0.1", 9),
        }
        self.wire = ApplicationCommunicator(application, scope)

    async def start(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""
        await self.wire.send_input({"type": "http.request", "body": b""})
        found = await self.wire.receive_output(5)
        headers = {name.decode().lower(): value.decode() for name, value in found["headers"]}
        return found["status"], headers

    async def piece(self, seconds: float = 5) -> bytes | None:
        """The next piece; None at the end."""
        found = await self.wire.receive_output(seconds)
        return found.get("body") or None

    async def picture(self, seconds: float = 5) -> Image.Image:
        """The next picture."""
        found = await self.piece(seconds)
        assert found is not None
        head, _, rest = found.partition(b"\r\n\r\n")
        assert b"Content-Type: image/jpeg" in head
        assert rest.endswith(b"\r\n--frame\r\n")
        return Image.open(io.BytesIO(rest))

    async def end(self, seconds: float = 5) -> None:
        """Take what comes until the stream ends."""
        until = time.monotonic() + seconds
        while await self.piece(max(0.01, until - time.monotonic())) is not None:
            pass

    async def leave(self) -> None:
        await self.wire.send_input({"type": "http.disconnect"})
        await self.wire.wait(5)


async def watch(user: Any, camera: Camera, query: str = "") -> Watching:
    """A stream of which the first boundary has come."""
    name, cookie = django_settings.SESSION_COOKIE_NAME, await sync_to_async(sign_in)(user)
    client = Watching(f"/api/stream/{camera.pk}.mjpg{query}", cookie=f"{name}={cookie}")
    status, headers = await client.start()
    assert (status, headers["content-type"]) == (200, streams.CONTENT_TYPE)
    assert "no-store" in headers["cache-control"]
    assert await client.piece() == b"--frame\r\n"
    return client


async def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait beside the loop for something that its tasks bring about."""
    await sync_to_async(wait_until, thread_sensitive=False)(condition, seconds)


async def until_nobody_looks() -> None:
    await wait_for(lambda: not feed.tiles and not streams.count_streams(), 5)


# ---------------------------------------------------------------- what is sent
async def test_each_new_picture_is_sent_once(user: Any, camera: Camera) -> None:
    client = await watch(user, camera, "?size=small")
    for width in (32, 48, 64):
        write_picture(camera.pk, number=width, jpeg=make_jpeg((width, 24)))
        assert (await client.picture()).width == width
    assert await client.wire.receive_nothing(0.2)
    await client.leave()
    await until_nobody_looks()


@pytest.mark.parametrize(("query", "changed"), [("?boxes=1", True), ("?boxes=false", False)])
async def test_boxes_are_drawn_when_they_are_asked_for(
    user: Any, camera: Camera, query: str, changed: bool
) -> None:
    client = await watch(user, camera, query)
    write_picture(camera.pk, "large", jpeg=make_jpeg((320, 240), GREY), objects=[PERSON])
    pixels = np.asarray(await client.picture(), np.int16)
    assert (np.abs(pixels - 90).max() > 40) is np.bool_(changed)
    assert np.abs(pixels[100:140, 140:180] - 90).max() < 10  # inside the box
    await client.leave()
    await until_nobody_looks()


async def test_boxes_are_drawn_once_for_all_who_look(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    draw = streams.draw_boxes

    def count(picture: Picture) -> Picture:
        drawn.append(picture.number)
        return draw(picture)

    monkeypatch.setattr(streams, "draw_boxes", count)
    clients = [await watch(user, camera, "?boxes=1&size=small") for _ in range(5)]
    for number in (1, 2, 3):
        write_picture(camera.pk, number=number, jpeg=make_jpeg(), objects=[PERSON])
        for client in clients:
            await client.picture()
    assert drawn == [1, 2, 3]
    for client in clients:
        await client.leave()
    await until_nobody_looks()


@pytest.mark.parametrize(
    ("jpeg", "meta"),
    [
        (b"no picture", b"{}"),
        (make_jpeg(), b'{"objects": [[1, "person"]]}'),
        (make_jpeg(), b'{"objects": [7]}'),
        (make_jpeg(), b'{"objects": {"a": 1}}'),
        (make_jpeg(), b'{"objects": [[1, "person", "x", "y", 0, 0, 0]]}'),
    ],
    ids=range(5),
)
async def test_a_picture_that_cannot_be_drawn_on_ends_no_stream(
    user: Any, camera: Camera, jpeg: bytes, meta: bytes
) -> None:
    client = await watch(user, camera, "?boxes=1&size=small")
    write_preview(f"camera:{camera.pk}:small", Preview(1, jpeg, meta))
    assert await client.wire.receive_nothing(0.2)
    write_picture(camera.pk, number=2, jpeg=make_jpeg((48, 36)))
    assert (await client.picture()).width == 48
    await client.leave()


@pytest.mark.parametrize("meta", [b"", b"{}", b"[]", b"no JSON", b'{"objects": null}'])
def test_without_objects_the_picture_stays_as_it_is(meta: bytes) -> None:
    picture = Picture(Tile(7, "small"), 5, make_jpeg(), meta)
    assert streams.draw_boxes(picture).number == 5
    facts, jpeg = read_picture(picture.message)
    assert jpeg == picture.jpeg
    assert (facts["camera"], facts["size"], facts["number"]) == (7, "small", 5)


# ---------------------------------------------------------------- how it ends
def sign_out(user: Any, camera: Camera) -> None:
    Session.objects.all().delete()


def switch_off(user: Any, camera: Camera) -> None:
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def leave_the_group(user: Any, camera: Camera) -> None:
    user.groups.clear()


def take_the_group_away(user: Any, camera: Camera) -> None:
    camera.groups.clear()


def delete_the_camera(user: Any, camera: Camera) -> None:
    camera.delete()


@pytest.mark.parametrize(
    "act", [sign_out, switch_off, leave_the_group, take_the_group_away, delete_the_camera]
)
async def test_a_stream_ends_with_what_it_was_opened_on(
    user: Any, camera: Camera, act: Callable[[Any, Any], None]
) -> None:
    client = await watch(user, camera)
    write_picture(camera.pk, "large")
    await client.picture()
    await sync_to_async(act)(user, camera)
    began = time.monotonic()
    await client.end(6)
    assert time.monotonic() - began < 5
    await until_nobody_looks()


def revoke(row: AuthToken) -> None:
    row.delete()


def let_expire(row: AuthToken) -> None:
    AuthToken.objects.filter(pk=row.pk).update(expiry=timezone.now())


@pytest.mark.parametrize("act", [revoke, let_expire, None])
async def test_a_stream_of_a_token_lasts_as_long_as_the_token(
    user: Any, camera: Camera, act: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "CHECK_SECONDS", 0.2)
    row, token = await sync_to_async(AuthToken.objects.create)(user)
    client = Watching(f"/api/stream/{camera.pk}.mjpg", authorization=f"Token {token}")
    assert (await client.start())[0] == 200
    assert await client.piece() == b"--frame\r\n"
    if act is None:
        assert await client.wire.receive_nothing(1.5)  # it was asked again, and went on
        await client.leave()
    else:
        await sync_to_async(act)(row)
        await client.end()
    await until_nobody_looks()


async def test_streams_end_when_the_server_stops(user: Any, camera: Camera) -> None:
    clients = [await watch(user, camera, query) for query in ("", "?boxes=1")]
    streams.end_streams()
    for client in clients:
        await client.end(2)
    await until_nobody_looks()


async def test_so_many_streams_and_no_more(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_STREAMS", 2)
    clients = [await watch(user, camera) for _ in range(2)]
    name, cookie = django_settings.SESSION_COOKIE_NAME, await sync_to_async(sign_in)(user)
    third = Watching(f"/api/stream/{camera.pk}.mjpg", cookie=f"{name}={cookie}")
    status, headers = await third.start()
    assert (status, headers["retry-after"]) == (503, "10")
    assert json.loads(await third.piece() or b"")["error"]["code"] == "too_many_streams"
    await clients.pop().leave()
    clients.append(await watch(user, camera))
    for client in clients:
        await client.leave()
    await until_nobody_looks()


async def test_one_user_does_not_take_all_streams(
    user: Any, other_user: Any, team: Group, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_PER_USER", 2)
    await sync_to_async(team.user_set.add)(other_user)
    clients = [await watch(user, camera) for _ in range(2)]
    name, cookie = django_settings.SESSION_COOKIE_NAME, await sync_to_async(sign_in)(user)
    third = Watching(f"/api/stream/{camera.pk}.mjpg", cookie=f"{name}={cookie}")
    assert (await third.start())[0] == 503
    assert json.loads(await third.piece() or b"")["error"]["code"] == "too_many_streams"
    clients.append(await watch(other_user, camera))
    for client in clients:
        await client.leave()
    await until_nobody_looks()


async def test_who_asks_for_the_head_opens_no_stream(user: Any, camera: Camera) -> None:
    name, cookie = django_settings.SESSION_COOKIE_NAME, await sync_to_async(sign_in)(user)
    path = f"/api/stream/{camera.pk}.mjpg"
    client = Watching(path, method="HEAD", cookie=f"{name}={cookie}")
    status, headers = await client.start()
    assert (status, headers["content-type"]) == (200, streams.CONTENT_TYPE)
    assert await client.piece() is None
    assert not streams.count_streams()
    assert not feed.tiles


async def test_a_slow_source_does_not_prolong_a_permission(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "CHECK_SECONDS", 4.0)
    client = await watch(user, camera)
    began = time.monotonic()
    await sync_to_async(Session.objects.all().delete)()
    await asyncio.sleep(3.5 - (time.monotonic() - began))
    write_picture(camera.pk, "large")
    await client.end(10)
    assert time.monotonic() - began < 7  # the next picture would prolong it to 7.5
    await until_nobody_looks()


async def test_a_viewer_who_takes_nothing_is_given_up(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STALL_SECONDS", 0.2)
    client = await watch(user, camera)

    async def hang(message: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(client.wire.output_queue, "put", hang)
    # The application holds the method that it was given: the queue itself has to be full.
    client.wire.output_queue._maxsize = 1  # type: ignore[attr-defined]
    for number in range(1, 20):
        write_picture(camera.pk, "large", number=number)
        await asyncio.sleep(0.05)
        if not streams.count_streams():
            break
    await until_nobody_looks()
    with suppress(Exception):
        await client.leave()


# ---------------------------------------------------------------- the newest picture
async def test_who_asks_for_the_newest_picture_is_waited_for(user: Any, camera: Camera) -> None:
    """Nobody has looked for a while: the runner begins to encode when somebody does."""
    name, cookie = django_settings.SESSION_COOKIE_NAME, await sync_to_async(sign_in)(user)
    client = Watching(f"/api/cameras/{camera.pk}/latest.jpg", cookie=f"{name}={cookie}")
    asked = asyncio.ensure_future(client.start())
    slot = f"camera:{camera.pk}:large"
    await wait_for(lambda: is_watched(slot))
    number = write_picture(camera.pk, "large")
    status, headers = await asked
    assert (status, headers["x-frame"]) == (200, str(number))
    await until_nobody_looks()


# ---------------------------------------------------------------- through Redis
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


async def test_pictures_come_through_redis_as_from_memory(
    user: Any, camera: Camera, settings: Any, redis_url: str
) -> None:
    cookie = await sync_to_async(sign_in)(user)
    settings.REDIS_URL = redis_url
    page = LivePage("/ws/cameras/", cookie)
    assert await page.open() == {"type": "hello"}
    await page.say(type="watch", tiles=[{"camera": camera.pk, "size": "small"}])
    for width in (32, 48):
        await sync_to_async(write_picture)(camera.pk, number=width, jpeg=make_jpeg((width, 24)))
        meta, jpeg = await page.hear()
        assert (meta["number"], Image.open(io.BytesIO(jpeg)).width) == (width, width)
    assert await sync_to_async(is_watched)(f"camera:{camera.pk}:small")
    await page.leave()


# ---------------------------------------------------------------- many at once
@contextmanager
def running_server() -> Iterator[int]:
    """The real server in a thread; yields its port.

    Its sockets have small buffers in the kernel, so that who does not read is felt soon.
    """
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
    server = uvicorn.Server(server_config())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield listener.getsockname()[1]
    finally:
        server.force_exit = server.should_exit = True
        thread.join(20)
        listener.close()


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def connect(port: int, path: str, cookie: str, **options: Any) -> Any:
    """A real client of a WebSocket."""
    name = django_settings.SESSION_COOKIE_NAME
    return websockets.connect(
        f"ws://127.0.0.1:{port}{path}",
        additional_headers={"Cookie": f"{name}={cookie}"},
        origin=f"http://127.0.0.1:{port}",
        proxy=None,
        **options,
    )


def add_events(camera: Camera, count: int) -> int:
    """Write so many events at once, as the runner does; return the number of the last."""
    with transaction.atomic():
        row, _ = EventSequence.objects.get_or_create(pk=1)
        CameraEvent.objects.bulk_create(
            CameraEvent(
                sequence=row.value + number,
                kind="entry",
                camera=camera,
                label="person",
                place="A place with a name that is rather long " * 2,
                track_number=number,
                start=timezone.now(),
            )
            for number in range(1, count + 1)
        )
        row.value += count
        row.save()
    return row.value


class Reader:
    """A dashboard that reads everything."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port, self.cookie = port, cookie
        self.sequences: list[int] = []
        self.ready = asyncio.Event()

    async def run(self, last: int) -> None:
        async with connect(self.port, "/ws/dashboard/", self.cookie) as wire:
            await wire.send('{"type": "listen", "after": 0}')
            self.ready.set()
            async for text in wire:
                message = json.loads(text)
                if message["type"] == "events":
                    self.sequences += [event["sequence"] for event in message["events"]]
                    if message["sequence"] >= last:
                        return


class Deaf:
    """A dashboard that never reads."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port, self.cookie = port, cookie

    async def run(self) -> None:
        name = django_settings.SESSION_COOKIE_NAME
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1024)
        head = (
            "GET /ws/dashboard/ HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self.port}\r\nOrigin: http://127.0.0.1:{self.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Cookie: {name}={self.cookie}\r\n\r\n"
        )
        text = b'{"type": "listen", "after": 0}'
        # Masked with zeros: what a client sends has to be masked.
        frame = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
        self.writer.write(head.encode())
        assert b"101" in await self.reader.readuntil(b"\r\n\r\n")
        self.writer.write(frame)
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]

    async def last_code(self) -> int:
        """Read at last, and return the code that it was closed with."""
        self.writer.transport.resume_reading()  # type: ignore[attr-defined]
        tail = b""
        with suppress(ConnectionError):
            async with asyncio.timeout(20):
                while piece := await self.reader.read(65536):
                    tail = (tail + piece)[-64:]
        self.writer.close()
        at = tail.rfind(b"\x88\x02")
        return int.from_bytes(tail[at + 2 : at + 4], "big") if at >= 0 else 0


@pytest.mark.slow
@pytest.mark.once
async def test_of_two_hundred_sockets_those_that_read_lose_no_event(
    team: Group, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty never read: nobody waits for them, and they cost no memory."""
    monkeypatch.setattr(base, "SEND_SECONDS", 2.0)

    def make_people() -> list[str]:
        people = [make_user(f"person {number}") for number in range(10)]
        team.user_set.add(*people)
        return [sign_in(person) for person in people for _ in range(20)]

    cookies = await sync_to_async(make_people)()
    batches, each, warm = 40, 75, 10
    last = batches * each
    with running_server() as port:
        deaf = [Deaf(port, cookie) for cookie in cookies[:20]]
        readers = [Reader(port, cookie) for cookie in cookies[20:]]
        for one in deaf:
            await one.run()
        tasks = [asyncio.ensure_future(reader.run(last)) for reader in readers]
        for reader in readers:
            await asyncio.wait_for(reader.ready.wait(), 60)
        await wait_for(lambda: len(news._listeners) == 200)
        for batch in range(batches):
            if batch == warm:  # every buffer has been made, the clients' as well
                await wait_for(lambda: all(len(one.sequences) >= warm * each for one in readers))
                before = resident_mb()
            announce_events(await sync_to_async(add_events)(camera, each))
        await asyncio.wait_for(asyncio.gather(*tasks), 120)
        grown = resident_mb() - before
        whole = list(range(1, last + 1))
        assert all(reader.sequences == whole for reader in readers)
        assert grown < 100, f"{grown:.0f} MB"
        assert news.ring is None or len(news.ring._changes) <= ring.MOST_KEPT * 1.25
        await wait_for(lambda: not news._listeners)
        codes = await asyncio.gather(*(one.last_code() for one in deaf))
        assert codes == [4408] * 20


async def count_pictures(port: int, cookie: str, camera: int, seconds: float) -> int:
    """Watch a stream over a real connection; return how many pictures came."""
    name = django_settings.SESSION_COOKIE_NAME
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    head = f"GET /api/stream/{camera}.mjpg?boxes=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    writer.write(f"{head}Cookie: {name}={cookie}\r\n\r\n".encode())
    found, until = 0, time.monotonic() + seconds
    with suppress(TimeoutError):
        while (left := until - time.monotonic()) > 0:
            async with asyncio.timeout(left):
                found += (await reader.readuntil(b"--frame\r\n")).count(b"image/jpeg")
    writer.close()
    return found


@pytest.mark.slow
@pytest.mark.once
async def test_fifty_viewers_of_a_stream_all_get_pictures(
    user: Any, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = await sync_to_async(sign_in)(user)
    noise = np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", quality=40)
    drawn: list[int] = []
    draw = streams.draw_boxes
    monkeypatch.setattr(
        streams, "draw_boxes", lambda picture: (drawn.append(picture.number), draw(picture))[1]
    )
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.1):
            write_picture(camera.pk, "large", jpeg=buffer.getvalue(), objects=[PERSON])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with running_server() as port:
            before = resident_mb()
            counts = await asyncio.gather(
                *(count_pictures(port, cookie, camera.pk, 8) for _ in range(50))
            )
            grown = resident_mb() - before
            await wait_for(lambda: not streams.count_streams() and not feed.tiles)
    finally:
        over.set()
        writer.join()
    assert min(counts) >= 10, counts
    assert len(drawn) == len(set(drawn)) <= 120  # once each, however many look
    assert grown < 100, f"{grown:.0f} MB"
