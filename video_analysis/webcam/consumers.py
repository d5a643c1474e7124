"""`/ws/webcam/`: JPEG in, boxes out."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from typing import Any, Final

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from common.accounts.roles import may_create, role_of
from common.broadcast.consumers import NOT_SIGNED_IN, ROLE_CHANGED, SEND_SECONDS, TOO_MANY, TOO_SLOW
from common.broadcast.watcher import Standing, session_hash_of, watcher
from common.errors import ServiceError
from common.inference import InferenceUnavailable
from common.uploads.errors import UploadRejected
from detector.kinds import page_of
from detector.services.options import parse_options
from detector.services.sessions import MAX_NAME
from video_analysis.services.webcam import MOST_BYTES, WebcamLook
from vision.errors import VisionError

logger = logging.getLogger(__name__)

NONSENSE: Final = 4400
NOT_ALLOWED: Final = 4405  # 4403 is a role that has changed: the page connects anew
_HEADER: Final = struct.Struct(">I")
_MOST_TEXT: Final = 4096
_MOST_BAD: Final = 10  # messages in a row that are no pictures; then it is no webcam


class WebcamConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Looks at one picture at a time, always the newest: one that waits is replaced and counted.

    A binary message is a number (four bytes, big endian) and a JPEG; the answer is JSON of the type
    "boxes" with this number, and with how many pictures were left out since the last one. A text is
    ``{"type": "options", "model", "confidence", "classes"}`` or ``{"type": "save", "name"}``.
    """

    closing = False
    look: WebcamLook | None = None

    async def connect(self) -> None:
        """Accept people who may run detections; others are told why not."""
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not user.is_active:
            await self.close(code=NOT_SIGNED_IN)
            return
        if not await database_sync_to_async(may_create)(user):
            await self.close(code=NOT_ALLOWED)
            return
        self.user_id = user.pk
        self.session_key = str(self.scope["session"].session_key)
        self.session_hash = session_hash_of(self.scope["session"])
        self.role = await database_sync_to_async(role_of)(user)
        if not watcher.add(self):
            await self.give_up(TOO_MANY)
            return
        self.look = WebcamLook(parse_options(task="detect"))
        self.waiting: tuple[int, bytes] | None = None
        self.dropped = self.bad = 0
        self.fresh = asyncio.Event()
        self.one_at_a_time = asyncio.Lock()
        self.worker = asyncio.create_task(self._work())
        await self.deliver({"type": "hello", "most_bytes": MOST_BYTES})

    async def disconnect(self, code: int) -> None:
        """Stop looking."""
        self.closing = True
        if self.look is not None:
            watcher.remove(self)
            self.worker.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take a picture, in the place of one that still waits, or a wish."""
        if self.look is None or self.closing:
            return
        if bytes_data is not None:
            await self._take(bytes_data)
        elif text_data is not None:
            await self._obey(text_data)

    async def stand(self, standing: Standing | None) -> None:
        """Close when the user has signed out, or is something else now: the watcher's word."""
        if standing is None or standing.role != self.role:
            await self.give_up(NOT_SIGNED_IN if standing is None else ROLE_CHANGED)

    async def deliver(self, message: dict[str, Any]) -> None:
        """Send, or give up a page that does not read."""
        if self.closing:
            return
        try:
            await asyncio.wait_for(self.send(text_data=json.dumps(message)), SEND_SECONDS)
        except TimeoutError:
            await self.give_up(TOO_SLOW)

    async def give_up(self, code: int) -> None:
        """Close the socket; nothing is sent from now on."""
        self.closing = True
        watcher.remove(self)
        await self.close(code=code)

    async def _take(self, data: bytes) -> None:
        if len(data) <= _HEADER.size or len(data) > MOST_BYTES + _HEADER.size:
            await self._refuse(
                0,
                "bad_message",
                f"A message is a number of four bytes and a JPEG of at most {MOST_BYTES:,} bytes.",
            )
            return
        if self.waiting is not None:
            self.dropped += 1
        self.waiting = (_HEADER.unpack_from(data)[0], data[_HEADER.size :])
        self.fresh.set()

    async def _work(self) -> None:
        while True:
            await self.fresh.wait()
            self.fresh.clear()
            if self.waiting is None:
                continue
            (number, data), self.waiting = self.waiting, None
            await self._answer(number, data)

    async def _answer(self, number: int, data: bytes) -> None:
        assert self.look is not None
        try:
            async with self.one_at_a_time:
                found = await sync_to_async(self.look.look, thread_sensitive=False)(data)
        except (VisionError, InferenceUnavailable) as error:
            await self._say_error(number, error.code, error.message)
        except ServiceError as error:
            if error.status >= 500:
                await self._say_error(number, error.code, error.message)
            else:
                await self._refuse(number, error.code, error.message)
        except Exception:
            logger.exception("A picture of a webcam could not be looked at")
            await self._say_error(number, "server_error", "The picture could not be looked at.")
        else:
            self.bad = 0
            dropped, self.dropped = self.dropped, 0
            await self.deliver({"type": "boxes", "number": number, "dropped": dropped, **found})

    async def _say_error(self, number: int, code: str, message: str) -> None:
        """Say why there is no answer; what fails on this side is not the page's fault."""
        await self.deliver({"type": "error", "number": number, "code": code, "message": message})

    async def _refuse(self, number: int, code: str, message: str) -> None:
        """Say what is wrong with a message; whoever sends nothing else is no webcam."""
        self.bad += 1
        await self._say_error(number, code, message)
        if self.bad >= _MOST_BAD:
            await self.give_up(NONSENSE)

    async def _obey(self, text: str) -> None:
        try:
            wish = json.loads(text) if len(text) <= _MOST_TEXT else None
        except (ValueError, RecursionError):
            wish = None
        kind = wish.get("type") if isinstance(wish, dict) else None
        if kind == "options":
            await self._choose(wish)
        elif kind == "save":
            await self._save(wish)
        else:
            await self._refuse(0, "bad_message", "A text is a JSON object of a known type.")

    async def _choose(self, wish: dict[str, Any]) -> None:
        given = {name: wish[name] for name in ("model", "confidence", "classes") if name in wish}
        try:
            options = await sync_to_async(parse_options, thread_sensitive=False)(
                task="detect", **given
            )
        except ServiceError as error:
            await self._refuse(0, error.code, error.message)
            return
        async with self.one_at_a_time:
            self.look = WebcamLook(options)

    async def _save(self, wish: dict[str, Any]) -> None:
        assert self.look is not None
        name = wish.get("name", "")
        name = " ".join(name.split())[:MAX_NAME] if isinstance(name, str) else ""
        try:
            async with self.one_at_a_time:
                save = database_sync_to_async(self.look.save, thread_sensitive=False)
                session = await save(owner=self.scope["user"], name=name)
        except (ServiceError, UploadRejected) as error:
            message = {"type": "not_saved", "code": error.code, "message": error.message}
            await self.deliver(message)
        except Exception:
            logger.exception("A picture of a webcam could not be kept")
            message = "The picture could not be kept."
            await self.deliver({"type": "not_saved", "code": "server_error", "message": message})
        else:
            saved = {"type": "saved", "name": session.name, "url": page_of(session)}
            await self.deliver(saved)
