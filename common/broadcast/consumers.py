"""The WebSocket that keeps a user's pages up to date."""

import asyncio
import json
from typing import Any

from channels.db import database_sync_to_async  # type: ignore[import-untyped]
from channels.generic.websocket import AsyncWebsocketConsumer  # type: ignore[import-untyped]

from common.accounts.groups import group_ids_of
from common.accounts.roles import role_of
from common.broadcast.publisher import member_group, user_group
from common.broadcast.watcher import Standing, session_hash_of, watcher

NOT_SIGNED_IN = 4401
ROLE_CHANGED = 4403
TOO_SLOW = 4408
TOO_MANY = 4429
SEND_SECONDS = 5.0


class UserEventsConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Sends what concerns the signed-in user and their groups; what the page sends is ignored.

    A page that does not read for five seconds is disconnected; it reconnects and asks again for
    what it shows. Whoever signs out, is switched off or changes the password elsewhere is closed
    with 4401 within five seconds, and a change of the role with 4403: the page then connects anew.
    Who leaves a group hears nothing of it within the same time.
    """

    closing = False
    standing: Standing | None = None

    async def connect(self) -> None:
        """Accept, join and greet, or close with the reason."""
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not user.is_active:
            await self.close(code=NOT_SIGNED_IN)
            return
        self.user_id = user.pk
        self.session_key = str(self.scope["session"].session_key)
        self.session_hash = session_hash_of(self.scope["session"])
        if not watcher.add(self):
            await self.give_up(TOO_MANY)
            return
        try:
            self.standing = await database_sync_to_async(_standing_of)(user)
            for group in self._channels(self.standing):
                await self.channel_layer.group_add(group, self.channel_name)
        except BaseException:  # Redis or the database is away: nobody will say goodbye
            watcher.remove(self)
            raise
        await self.deliver({"type": "hello"})

    async def disconnect(self, code: int) -> None:
        """Leave all groups."""
        self.closing = True
        if not hasattr(self, "user_id"):
            return
        watcher.remove(self)
        if self.standing is not None:
            for group in self._channels(self.standing):
                await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore what the page says."""

    async def broadcast_message(self, event: dict[str, Any]) -> None:
        """Pass a message of the user's groups on."""
        payload = dict(event["payload"])
        # What had been queued before the end is not sent: that would be an error.
        if payload.pop("but", None) != self.user_id and not self.closing:
            await self.deliver(payload)

    async def stand(self, standing: Standing | None) -> None:
        """Follow a change of what the user is: the watcher's word."""
        before = self.standing
        if self.closing or before is None or standing == before:
            return
        if standing is None or standing.role != before.role:
            await self.give_up(NOT_SIGNED_IN if standing is None else ROLE_CHANGED)
            return
        for group in self._channels(before) - self._channels(standing):
            await self.channel_layer.group_discard(group, self.channel_name)
        for group in self._channels(standing) - self._channels(before):
            await self.channel_layer.group_add(group, self.channel_name)
        # Not before: what failed, since Redis is away, is tried again at the next look.
        self.standing = standing
        await self.deliver({"type": "groups"})

    async def deliver(self, payload: dict[str, Any]) -> None:
        """Send one message, or give the page up when it does not read."""
        try:
            await asyncio.wait_for(self.send(text_data=json.dumps(payload)), SEND_SECONDS)
        except TimeoutError:
            await self.give_up(TOO_SLOW)

    async def give_up(self, code: int) -> None:
        """Close the socket; nothing is sent from now on."""
        self.closing = True
        watcher.remove(self)
        await self.close(code=code)

    def _channels(self, standing: Standing) -> set[str]:
        return {user_group(self.user_id), *map(member_group, standing.groups)}


def _standing_of(user: Any) -> Standing:
    return Standing(role_of(user), frozenset(group_ids_of(user)))
