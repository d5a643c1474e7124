"""What a child says that reads a camera, and may have been taken over by it."""

import contextlib
import os
import time
from typing import Any

import numpy as np
import pytest
from camera_servers import HERE

from vision.sources.cameras import CameraError, parse_address
from vision.sources.cameras import connection as connection_module
from vision.sources.cameras.connection import Connection
from vision.sources.cameras.slots import SLOTS, PictureSlots, create_slots

pytestmark = pytest.mark.once

GOOD = {
    **{"slot": 0, "width": 64, "height": 48, "seconds": 1.0, "at": 1.0, "ms": 1.0},
    **{"lap": 0, "received": 1, "dropped": 0},
}


class ScriptedChild:
    """Says what a child might say that was taken over by a camera."""

    pid = 1

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages = messages

    def __call__(self, *_: object, **__: object) -> "ScriptedChild":
        return self

    def send(self, _: object) -> None:
        pass

    def send_bytes(self, _: bytes) -> None:
        pass

    def receive(self, _: float) -> dict[str, Any]:
        return self.messages.pop(0)

    def close(self) -> None:
        pass


def scripted(monkeypatch: pytest.MonkeyPatch, *messages: dict[str, Any]) -> Connection:
    monkeypatch.setattr(connection_module, "Child", ScriptedChild(list(messages)))
    address, credentials = parse_address("rtsp://guest:hush-hush@cam/")
    return Connection(address, rules=HERE, credentials=credentials, fps=5)


@pytest.mark.parametrize(
    "lie",
    [
        *({"slot": SLOTS}, {"slot": -1}, {"slot": 0.0}, {"slot": True}, {"slot": None}),
        *({"width": 15}, {"width": 1 << 20}, {"height": 4097}, {"width": 4096, "height": 4096}),
        *({"seconds": "1"}, {"seconds": float("nan")}, {"seconds": True}, {"at": None}),
        *({"at": float("inf")}, {"ms": "1"}, {"received": 0.5}, {"dropped": -1}, {"lap": 1 << 60}),
    ],
    ids=str,
)
def test_lies_of_a_child_are_not_believed(
    monkeypatch: pytest.MonkeyPatch, lie: dict[str, Any]
) -> None:
    with contextlib.closing(scripted(monkeypatch, GOOD | lie)) as connection:
        with pytest.raises(CameraError, match="nonsense") as refusal:
            connection.next(1)
        assert refusal.value.code == "decoder_failed"


@pytest.mark.parametrize(
    "lie",
    [{}, {"slot": 0}, {"slot": 0, "received": 1}, {"slot": 1, "received": 3}],
    ids=str,
)
def test_lies_about_what_was_before_are_not_believed(
    monkeypatch: pytest.MonkeyPatch, lie: dict[str, Any]
) -> None:
    second = {**GOOD, "slot": 1, "received": 2}
    with contextlib.closing(scripted(monkeypatch, GOOD, second, second | lie)) as connection:
        connection.free(connection.next(1))
        connection.next(1)
        with pytest.raises(CameraError, match="nonsense"):
            connection.next(1)


def test_a_picture_is_never_newer_than_now(monkeypatch: pytest.MonkeyPatch) -> None:
    message = GOOD | {"at": time.monotonic() + 1000, "seconds": None, "ms": -5}
    with contextlib.closing(scripted(monkeypatch, message)) as connection:
        arrived = connection.next(1)
        assert arrived.at <= time.monotonic()
        assert arrived.seconds is None
        assert arrived.decode_ms == 0


@pytest.mark.parametrize("at", [-1e300, -1.0, 0.0, 1e300], ids=str)
def test_no_picture_is_older_than_its_connection(
    monkeypatch: pytest.MonkeyPatch, at: float
) -> None:
    before = time.monotonic()
    with contextlib.closing(scripted(monkeypatch, GOOD | {"at": at, "ms": 1e300})) as connection:
        arrived = connection.next(1)
        assert before <= arrived.at <= time.monotonic()
        assert arrived.decode_ms <= 60_000


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        ({"code": "not_found", "message": "No such stream."}, "not_found"),
        ({"code": "not_found", "message": "rtsp://guest:hush-hush@cam/"}, "not_found"),
        ({"code": "made_up", "message": "x"}, "decoder_failed"),
        ({"code": "not_found", "message": "a\nb"}, "decoder_failed"),
        ({"code": "not_found", "message": "x" * 501}, "decoder_failed"),
        ({"code": ["not_found"], "message": "x"}, "decoder_failed"),
        ({"code": "decoder_memory", "message": ""}, "decoder_memory"),
        ("not_found", "decoder_failed"),
    ],
    ids=str,
)
def test_reasons_of_a_child_are_checked(
    monkeypatch: pytest.MonkeyPatch, failed: object, code: str
) -> None:
    with contextlib.closing(scripted(monkeypatch, {"failed": failed})) as connection:
        with pytest.raises(CameraError) as refusal:
            connection.open(1)
        assert refusal.value.code == code
        assert "hush-hush" not in refusal.value.message


@pytest.mark.parametrize(
    "opened",
    [None, {}, {"codec": "h264"}, {"codec": "<b>", "rate": 1.0}, {"codec": "h264", "rate": -1.0}],
    ids=str,
)
def test_what_a_child_says_about_a_stream_is_checked(
    monkeypatch: pytest.MonkeyPatch, opened: object
) -> None:
    with contextlib.closing(scripted(monkeypatch, {"opened": opened})) as connection:
        with pytest.raises(CameraError) as refusal:
            connection.open(1)
        assert refusal.value.code == "decoder_failed"


def test_slots_hold_pictures_of_any_size_apart() -> None:
    memory = create_slots()
    slots = PictureSlots(memory)
    os.close(memory)
    pictures = [
        np.full((48 * (n + 1), 64, 3), 50 * (n + 1), np.uint8) for n in range(SLOTS)
    ]  # fmt: skip
    for number, picture in enumerate(pictures):
        slots.write(number, picture)
    for number, picture in enumerate(pictures):
        assert np.array_equal(slots.read(number, 64, picture.shape[0]), picture)
    for wrong in ((SLOTS, 64, 48), (-1, 64, 48), (0, 4096, 4096), (0, 8, 48)):
        with pytest.raises(IndexError):
            slots.read(*wrong)
    slots.close()
