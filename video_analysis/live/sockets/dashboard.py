"""The socket beside the pictures: what happens, and how the cameras are."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from common.accounts.models import Account
from video_analysis.live.sockets.base import NONSENSE, GivenUpError, PageSocket
from video_analysis.live.sockets.cameras import MOST_NUMBER
from video_analysis.live.sockets.news import news

TOLD_EVERY: Final = 1000


class DashboardSocket(PageSocket):
    """``/ws/dashboard/``: every change of every event, in order, and figures every two seconds.

    The page says from which number on it wants to hear; each message says up to which number it
    has heard everything. See docs/live.md for the words.
    """

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        self._greeted = False
        self._heard_up_to: int | None = None  # None: the page has not asked for events yet
        self._told = 0
        self._cameras_changed = False
        self._stats_due = False
        self._pong_due = False
        self._looking: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ what brings something new
    def on_events(self) -> None:
        """There may be new events."""
        self.wake()

    def on_stats(self) -> None:
        """There are new figures."""
        self._stats_due = True
        self.wake()

    def on_cameras(self, changed: frozenset[int] | None) -> None:
        """These cameras, or who may watch them, have changed; None: nobody knows which."""
        self._looking = asyncio.ensure_future(self._follow_cameras(changed))

    def allow(self, cameras: frozenset[int]) -> None:
        """Tell the page that its list is another one."""
        super().allow(cameras)
        self._cameras_changed = self._greeted
        self._stats_due = True
        self.wake()

    async def hear(self, message: dict[str, Any]) -> None:
        """Begin to send events.

        Raises:
            GivenUpError: It makes no sense, or is too much.
        """
        self.count_word()
        kind = message.get("type")
        if kind == "ping":
            self._pong_due = True
        elif kind == "listen":
            await self._listen_from(message.get("after"))
        else:
            raise GivenUpError(NONSENSE)
        self.wake()

    # ------------------------------------------------------------ what the page is told
    def begin(self) -> None:
        """Be told."""
        news.join(self)

    def finish(self) -> None:
        """Be told nothing more."""
        news.leave(self)
        if self._looking is not None:
            self._looking.cancel()

    async def say(self) -> None:
        """Send all that is new, a page of events at a time."""
        if not self._greeted:
            self._told = await news.position()
            self._greeted = True
            await self.send_json({"type": "hello", "sequence": self._told})
        await self._say_words()
        while await self._say_events():
            await self._say_words()

    async def _say_words(self) -> None:
        if self._pong_due:
            self._pong_due = False
            await self.send_json({"type": "pong"})
        if self._cameras_changed:
            self._cameras_changed = False
            await self.send_json({"type": "cameras"})
        if self._stats_due:
            self._stats_due = False
            role = self.standing.role if self.standing is not None else None
            in_full = role == Account.Role.ADMINISTRATOR
            stats = news.stats(self.visible, in_full=in_full)
            if stats is not None:
                await self.send(stats)

    async def _say_events(self) -> bool:
        """Send the next events; return whether there may be more."""
        after = self._heard_up_to
        if after is None:
            return False
        page = await news.page(after, self.visible)
        if self._heard_up_to != after:  # the page has asked for others meanwhile
            return True
        self._heard_up_to = page.sequence
        # Who hears of little is told now and then how far it is: to resume costs less then.
        if page.texts or page.sequence - self._told >= TOLD_EVERY:
            self._told = page.sequence
            events = ",".join(page.texts)
            await self.send(f'{{"type":"events","events":[{events}],"sequence":{page.sequence}}}')
        return page.more

    async def _listen_from(self, after: Any) -> None:
        position = await news.position()
        if after is None:
            self._heard_up_to = position
        elif isinstance(after, int) and not isinstance(after, bool) and 0 <= after <= MOST_NUMBER:
            # A number that was never given is of another database, before it was put back.
            self._heard_up_to = min(after, position)
        else:
            raise GivenUpError(NONSENSE)

    async def _follow_cameras(self, changed: frozenset[int] | None) -> None:
        before = self.visible
        await self.look_again()  # tells the page when there are others
        if changed is None or changed & (before | self.visible):
            self._cameras_changed = True
            self.wake()
