"""The WebSocket that keeps a user's pages up to date."""

import asyncio
import json
import time
from typing import Any

from channels.auth import get_user  # type: ignore[import-untyped]
from channels.generic.websocket import AsyncWebsocketConsumer  # type: ignore[import-untyped]

from common.broadcast.publisher import user_group

NOT_SIGNED_IN = 4401
TOO_SLOW = 4408
SEND_SECONDS = 5.0
RECHECK_SECONDS = 30.0


class UserEventsConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Sends what concerns the signed-in user; what the page sends is ignored.

    A page that does not read for five seconds is disconnected; it reconnects and asks again for
    what it shows. A socket whose user has signed out or was disabled is closed with 4401 in place
    of the next message, half a minute later at most.
    """

    closing = False

    async def connect(self) -> None:
        """Accept, greet and join, or close with 4401."""
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not user.is_active:
            await self.close(code=NOT_SIGNED_IN)
            return
        self.user_id = user.pk
        self.checked_at = time.monotonic()
        self.group = user_group(user.pk)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.deliver({"type": "hello"})

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        if hasattr(self, "group"):
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore what the page says."""

    async def broadcast_message(self, event: dict[str, Any]) -> None:
        """Pass a message of the user's group on."""
        if self.closing:  # what had been queued before the end; sending now would be an error
            return
        if await self.is_still_signed_in():
            await self.deliver(event["payload"])
        else:
            await self.give_up(NOT_SIGNED_IN)

    async def deliver(self, payload: dict[str, Any]) -> None:
        """Send one message, or give the page up when it does not read."""
        try:
            await asyncio.wait_for(self.send(text_data=json.dumps(payload)), SEND_SECONDS)
        except TimeoutError:
            await self.give_up(TOO_SLOW)

    async def give_up(self, code: int) -> None:
        """Close the socket; nothing is sent from now on."""
        self.closing = True
        await self.close(code=code)

    async def is_still_signed_in(self) -> bool:
        """Ask the database again when the last answer is older than half a minute."""
        if time.monotonic() - self.checked_at < RECHECK_SECONDS:
            return True
        self.checked_at = time.monotonic()
        # A fresh session: the one in the scope remembers what it read at the start.
        session = self.scope["session"].__class__(self.scope["session"].session_key)
        user = await get_user({**self.scope, "session": session})
        return bool(user.pk == self.user_id and user.is_active)
