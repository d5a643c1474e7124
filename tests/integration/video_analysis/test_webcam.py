"""The browser's own camera: who may use it, what it answers, what it keeps, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as django_settings
from django.test import Client

from common.accounts.models import Account
from common.broadcast import watcher
from common.models import Upload
from detection_project.asgi import application
from detector.models import DetectionSession
from tests.integration.conftest import make_picture, make_user
from tests.integration.detector.conftest import FakeEngine, engine  # noqa: F401
from video_analysis.services.webcam import MOST_BYTES
from vision.errors import VisionError

pytestmark = pytest.mark.django_db(transaction=True)

HOST = "localhost:8123"


class Webcam:
    """A page with a camera, at the other end of the socket."""

    def __init__(self, cookie: str = "", origin: str = f"http://{HOST}") -> None:
        headers = [(b"host", HOST.encode()), (b"origin", origin.encode())]
        if cookie:
            name = django_settings.SESSION_COOKIE_NAME
            headers.append((b"cookie", f"{name}={cookie}".encode()))
        scope = {"type": "websocket", "path": "/ws/webcam/", "headers": headers, "scheme": "ws"}
        self.wire = ApplicationCommunicator(application, scope)

    async def open(self) -> Any:
        await self.wire.send_input({"type": "websocket.connect"})
        first = await self.wire.receive_output(5)
        return await self.hear() if first["type"] == "websocket.accept" else first

    async def hear(self) -> Any:
        """The next message, or the code of the end."""
        heard = await self.wire.receive_output(10)
        return heard.get("code") or json.loads(heard["text"])

    async def show(self, picture: bytes, number: int = 1) -> None:
        data = struct.pack(">I", number) + picture
        await self.wire.send_input({"type": "websocket.receive", "bytes": data})

    async def say(self, **wish: Any) -> None:
        await self.wire.send_input({"type": "websocket.receive", "text": json.dumps(wish)})

    async def leave(self) -> None:
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.wire.wait(5)


@pytest.fixture
def camera_picture() -> bytes:
    return make_picture("JPEG", (160, 120))


async def _cookie(name: str, role: str = "operator") -> str:
    def sign_in() -> str:
        client = Client()
        client.force_login(make_user(name, role))
        return client.cookies[django_settings.SESSION_COOKIE_NAME].value

    return await sync_to_async(sign_in)()


@pytest.fixture(autouse=True)
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standings are read all the time."""
    monkeypatch.setattr(watcher, "CHECK_SECONDS", 0.05)


async def test_pictures_are_answered_with_boxes_that_keep_their_numbers(
    engine: FakeEngine,  # noqa: F811
    camera_picture: bytes,
) -> None:
    page = Webcam(await _cookie("ada"))
    assert (await page.open())["type"] == "hello"
    answers = []
    for number in (7, 8, 9):
        await page.show(camera_picture, number)
        answers.append(await page.hear())
    assert [answer["number"] for answer in answers] == [7, 8, 9]
    assert [answer["type"] for answer in answers] == ["boxes"] * 3
    first, _, last = answers
    # Who was seen once has no number yet; from then on it stays.
    assert [item[0] for item in first["objects"]] == [None, None, None]
    assert sorted(filter(None, (item[0] for item in last["objects"]))) == [1, 2]
    assert last["objects"][0][1:] == ["person", 0.92, 0.0625, 0.1667, 0.25, 0.6667]
    assert set(last["colors"]) == {"person", "dog"}
    assert (last["width"], last["height"]) == (160, 120)
    await page.leave()


async def test_what_is_looked_for_can_be_chosen(
    engine: FakeEngine,  # noqa: F811
    camera_picture: bytes,
) -> None:
    page = Webcam(await _cookie("ada"))
    await page.open()
    await page.say(type="options", model="yolov8n", confidence=0.5, classes=["dog"])
    await page.show(camera_picture)
    answer = await page.hear()
    assert [item[1] for item in answer["objects"]] == ["dog"]
    await page.say(type="options", model="no-such-model")
    refused = await page.hear()
    assert refused["type"] == "error"
    assert refused["code"] == "unknown_model"
    await page.leave()


async def test_a_moment_is_kept_on_demand_and_nothing_otherwise(
    engine: FakeEngine,  # noqa: F811
    camera_picture: bytes,
) -> None:
    page = Webcam(await _cookie("ada"))
    await page.open()
    await page.say(type="save")
    early = await page.hear()
    assert (early["type"], early["code"]) == ("not_saved", "nothing_to_save")
    await page.show(camera_picture)
    await page.hear()
    assert await Upload.objects.acount() == 0
    await page.say(type="save", name="  The   door ")
    saved = await page.hear()
    session = await DetectionSession.objects.aget()
    assert saved == {
        "type": "saved",
        "name": "The door",
        "url": f"/sessions/{session.pk}/",
    }
    assert (session.kind, session.object_count) == ("webcam", 3)
    await page.leave()


@pytest.mark.parametrize(
    ("role", "code"), [("", 4401), ("viewer", 4405)], ids=["nobody", "who-only-looks"]
)
async def test_others_are_turned_away(role: str, code: int) -> None:
    page = Webcam(await _cookie("eve", role) if role else "")
    assert await page.open() == code


async def test_pages_of_other_origins_are_refused() -> None:
    page = Webcam(await _cookie("ada"), origin="https://evil.example")
    assert (await page.open())["type"] == "websocket.close"


async def test_who_may_no_longer_use_it_is_closed(engine: FakeEngine) -> None:  # noqa: F811
    page = Webcam(await _cookie("ada"))
    await page.open()
    await Account.objects.filter(user__username="ada").aupdate(role="viewer")
    assert await page.hear() == 4403


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "bad_message"),
        (b"\x00\x00", "bad_message"),
        (b"\x00" * (MOST_BYTES + 5), "bad_message"),
        (struct.pack(">I", 1) + b"GIF89a not a picture", None),
        (struct.pack(">I", 1) + make_picture("PNG", (64, 48)), "not_a_jpeg"),
        (struct.pack(">I", 1) + make_picture("JPEG", (4000, 20)), "side_too_long"),
        (struct.pack(">I", 1) + make_picture("JPEG", (64, 48))[:300], None),
    ],
    ids=["empty", "short", "too-long", "gif", "png", "too-wide", "cut-off"],
)
async def test_what_is_no_picture_of_a_webcam_is_refused(
    data: bytes,
    code: str | None,
    engine: FakeEngine,  # noqa: F811
    camera_picture: bytes,
) -> None:
    page = Webcam(await _cookie("ada"))
    await page.open()
    await page.wire.send_input({"type": "websocket.receive", "bytes": data})
    refused = await page.hear()
    assert refused["type"] == "error"
    assert code in (None, refused["code"])
    assert engine.calls == []
    await page.show(camera_picture)
    assert (await page.hear())["type"] == "boxes"
    await page.leave()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "not json", '{"type": "dance"}', "[" * 100_000], ids=range(6)
)
async def test_nonsense_ends_the_socket_after_a_while(text: str) -> None:
    page = Webcam(await _cookie("ada"))
    await page.open()
    for _ in range(10):
        await page.wire.send_input({"type": "websocket.receive", "text": text})
        assert (await page.hear())["code"] == "bad_message"
    assert await page.hear() == 4400


async def test_of_a_flood_only_the_newest_picture_is_looked_at(
    engine: FakeEngine,  # noqa: F811
    camera_picture: bytes,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(10)

    engine.before = wait
    page = Webcam(await _cookie("ada"))
    await page.open()
    await page.show(camera_picture, 1)
    assert await asyncio.to_thread(begun.wait, 10)
    for number in range(2, 62):
        await page.show(camera_picture, number)
    await page.say(type="dance")
    assert (await page.hear())["code"] == "bad_message"  # all before it have been taken
    go_on.set()
    first, newest = await page.hear(), await page.hear()
    assert (first["number"], newest["number"]) == (1, 61)
    assert newest["dropped"] + first["dropped"] == 59
    assert len(engine.calls) == 2
    await page.leave()


async def test_an_engine_that_fails_is_told_and_not_the_end(
    engine: FakeEngine,  # noqa: F811
    camera_picture: bytes,
) -> None:
    page = Webcam(await _cookie("ada"))
    await page.open()
    errors = {
        "engine_closed": VisionError("engine_closed", "The engine has been closed."),
        "server_error": RuntimeError("nobody knows"),
    }
    for code, error in (*errors.items(),) * 8:  # for longer than nonsense is listened to
        engine.error = error
        await page.show(camera_picture)
        assert (await page.hear())["code"] == code
    engine.error = None
    await page.show(camera_picture)
    assert (await page.hear())["type"] == "boxes"
    await page.leave()
