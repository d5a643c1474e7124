"""Whose large bodies are read at all."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.test import Client
from knox.models import AuthToken

from detection_project import large_bodies
from detection_project.large_bodies import STRANGERS_BYTES, LargeBodies, find_sender
from integration.conftest import make_user

LARGE = str(STRANGERS_BYTES + 1).encode()
SMALL = str(STRANGERS_BYTES).encode()


def ask(
    method: str, headers: list[tuple[bytes, bytes]], path: str = "/api/detect/"
) -> tuple[int, list[bytes]]:
    """Return the status of a request, and what of its body the application has read."""
    pieces = [b"first", b"second"]
    reached: list[bytes] = []
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reached.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        scope = {"type": "http", "method": method, "path": path, "headers": headers}
        await LargeBodies(application)(scope, receive, send)
        await sync_to_async(connections.close_all)()  # in the thread that asked

    asyncio.run(run())
    if sent[0]["status"] == 401:
        body = b"".join(message.get("body", b"") for message in sent)
        assert json.loads(body)["error"]["code"] == "not_authenticated"
        assert not pieces  # listened to the end, so that the caller reads the answer
    return sent[0]["status"], reached


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", [(b"content-length", SMALL)], 200),
        ("POST", [(b"content-length", LARGE)], 401),
        ("POST", [], 401),
        ("POST", [(b"content-length", b"many")], 401),
        ("GET", [], 200),
        ("POST", [(b"content-length", LARGE), (b"authorization", b"Token made-up")], 401),
        ("POST", [(b"content-length", LARGE), (b"authorization", b"Token \xff\xfe")], 401),
        ("POST", [(b"content-length", LARGE), (b"authorization", b"Token")], 401),
        ("POST", [(b"content-length", LARGE), (b"cookie", b"sightline_session=made-up")], 401),
        ("POST", [(b"content-length", LARGE), (b"cookie", b"\xff=;;;sightline_session=")], 401),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_stranger_sends_little(
    method: str, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    answered, reached = ask(method, headers)
    assert answered == status
    assert reached == ([b"first"] if status == 200 else [])


def test_an_installation_open_for_detection_reads_everything(settings: Any) -> None:
    settings.SIGHTLINE_OPEN_DETECT = True
    assert ask("POST", [(b"content-length", LARGE)])[0] == 200


@pytest.mark.parametrize("path", ["/api/videos/", "/videos/create/", "/api/sessions/"])
@pytest.mark.django_db(transaction=True)
def test_it_is_open_for_nothing_else(settings: Any, path: str) -> None:
    settings.SIGHTLINE_OPEN_DETECT = True
    assert ask("POST", [(b"content-length", LARGE)], path)[0] == 401


@pytest.mark.parametrize(
    ("role", "length", "status"),
    [
        ("viewer", LARGE, 403),
        ("operator", LARGE, 200),
        ("operator", str(10**15).encode(), 507),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_video_comes_from_who_may_add_it_and_has_room(
    role: str, length: bytes, status: int
) -> None:
    _, token = AuthToken.objects.create(make_user("sender", role=role))
    headers = [(b"content-length", length), (b"authorization", f"Token {token}".encode())]
    assert ask("POST", headers, "/api/videos/")[0] == status


def test_a_token_and_a_signed_in_browser_are_known(user: Any, client: Client) -> None:
    _, token = AuthToken.objects.create(user)
    client.force_login(user)
    cookie = client.cookies["sightline_session"].value
    assert find_sender({b"authorization": f"Token {token}".encode()})
    assert find_sender({b"cookie": f"a=b; sightline_session={cookie}".encode()})
    client.logout()
    assert not find_sender({b"cookie": f"sightline_session={cookie}".encode()})
    user.is_active = False
    user.save()
    assert not find_sender({b"authorization": f"Token {token}".encode()})


def test_while_the_database_is_away_nobody_is_called_a_stranger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(headers: Any) -> bool:
        raise OperationalError("away")

    monkeypatch.setattr(large_bodies, "find_sender", fail)
    assert ask("POST", [(b"content-length", LARGE)]) == (503, [])
