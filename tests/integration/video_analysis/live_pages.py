"""Cameras, events and pictures as a runner would leave them, and pages that look at them."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import time
import uuid
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from PIL import Image

from common.previews import Preview, write_preview
from detection_project.asgi import application
from video_analysis.cameras.models import Camera
from video_analysis.models import CameraEvent, CameraState, EventSequence

HOST = "localhost:8123"
_names = itertools.count()


def make_camera(*groups: Group, name: str = "", **fields: Any) -> Camera:
    """A camera that members of these groups may watch."""
    camera = Camera.objects.create(
        name=name or f"camera {next(_names)}", address="loop:shop.mp4", **fields
    )
    camera.groups.set(groups)
    return camera


def make_state(camera: Camera, **fields: Any) -> CameraState:
    """A camera that is live."""
    figures = {
        "fps": {"in": 12.0, "processed": 10.0, "gated": 2.0, "dropped": 0.5},
        "age_ms": {"p50": 60, "p95": 90, "newest": 45},
        "ms": {"decode": 2.0, "detect": 20.0, "total": 35.0},
        "counts": {"person": 3},
        "tracks": 3,
        "occupancy": {"4": 2},
        "model": "yolov8n",
    }
    made = {"state": "live", "figures": figures, "updated_at": timezone.now(), **fields}
    state, _ = CameraState.objects.update_or_create(camera=camera, defaults=made)
    return state


def make_event(camera: Camera, **fields: Any) -> CameraEvent:
    """An event with the next number, as the runner writes it."""
    with transaction.atomic():
        EventSequence.objects.get_or_create(pk=1)
        EventSequence.objects.update(value=F("value") + 1)
        made = {"kind": "entry", "label": "person", "track_number": 12, "start": timezone.now()}
        made |= {"sequence": EventSequence.objects.get().value, **fields}
        return CameraEvent.objects.create(camera=camera, **made)


def change_event(event: CameraEvent, **fields: Any) -> int:
    """Another state of an event, with the next number, which is returned."""
    with transaction.atomic():
        EventSequence.objects.update(value=F("value") + 1)
        number = EventSequence.objects.get().value
        CameraEvent.objects.filter(pk=event.pk).update(sequence=number, **fields)
    return number


def make_jpeg(
    size: tuple[int, int] = (64, 48), color: tuple[int, int, int] = (40, 90, 160)
) -> bytes:
    """A small JPEG."""
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


def write_picture(
    camera: int, size: str = "small", *, number: int | None = None, jpeg: bytes = b"", **meta: Any
) -> int:
    """Put a picture in a camera's slot; return its number."""
    number = number or int(time.time() * 1000)
    facts = {"camera": camera, "at": number, "objects": [], **meta}
    preview = Preview(number, jpeg or make_jpeg(), json.dumps(facts).encode())
    write_preview(f"camera:{camera}:{size}", preview)
    return number


def sign_in(user: Any) -> str:
    """Return the cookie of a new session."""
    client = Client()
    client.force_login(user)
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


class LivePage:
    """The other end of a WebSocket to the whole application."""

    def __init__(self, path: str, cookie: str = "", *, origin: str = f"http://{HOST}") -> None:
        headers = [(b"host", HOST.encode()), (b"origin", origin.encode())]
        if cookie:
            name = django_settings.SESSION_COOKIE_NAME
            headers.append((b"cookie", f"{name}={cookie}".encode()))
        scope = {"type": "websocket", "path": path, "headers": headers, "scheme": "ws"}
        self.wire = ApplicationCommunicator(application, scope)

    async def open(self) -> Any:
        """The first thing that the page hears."""
        await self.wire.send_input({"type": "websocket.connect"})
        first = await self.wire.receive_output(5)
        return await self.hear() if first["type"] == "websocket.accept" else first

    async def say(self, **message: Any) -> None:
        await self.send(json.dumps(message))

    async def send(self, text: str) -> None:
        await self.wire.send_input({"type": "websocket.receive", "text": text})

    async def hear(self, seconds: float = 5) -> Any:
        """The next message, a picture as (meta, JPEG), or the code of the end."""
        heard = await self.wire.receive_output(seconds)
        if heard.get("bytes") is not None:
            return read_picture(heard["bytes"])
        return heard.get("code") or json.loads(heard["text"])

    async def hear_of(self, kind: str, seconds: float = 5) -> Any:
        """The next message of a kind; what comes before is passed by."""
        until = asyncio.get_running_loop().time() + seconds
        while True:
            heard = await self.hear(until - asyncio.get_running_loop().time())
            if isinstance(heard, dict) and heard["type"] == kind:
                return heard
            assert not isinstance(heard, int), f"closed with {heard}"

    async def leave(self) -> None:
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wire.wait(5)


def read_picture(message: bytes) -> tuple[dict[str, Any], bytes]:
    """Meta and JPEG of a binary message."""
    length = int.from_bytes(message[:4], "big")
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def unique() -> str:
    return uuid.uuid4().hex
