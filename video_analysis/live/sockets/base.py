"""What both sockets of live cameras share: who they are for, and how they end.

A plain ASGI application rather than a consumer of Channels: no layer stands behind it, and at a
thousand pictures a second each step between the page and the loop is felt.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from common.broadcast.consumers import NOT_SIGNED_IN, TOO_MANY, TOO_SLOW
from common.broadcast.watcher import Standing, read_standings_async, session_hash_of, watcher
from video_analysis.live.sockets.access import NONE, cameras_of

logger = logging.getLogger(__name__)

NONSENSE: Final = 4400
MOST_LETTERS: Final = 16 * 1024
SEND_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 20.0
# What a page may say at once, and then a second; acknowledged pictures do not count.
MOST_WORDS: Final = 100
WORDS_PER_SECOND: Final = 20.0

Message = dict[str, Any]


class GivenUpError(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Allowance:
    """How much a page may say: so much at once, and so much more with every second."""

    def __init__(self, most: float, per_second: float) -> None:
        self._most, self._per_second = most, per_second
        self._left, self._at = most, time.monotonic()

    def take(self) -> bool:
        """Take one; False when there is none left."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second) - 1
        self._at = now
        return self._left >= 0


class PageSocket:
    """One open WebSocket of a page that shows cameras.

    What the page is to be told is not queued: ``say`` looks what is the newest whenever the
    socket can take more. A page that does not take it for five seconds is disconnected (4408), as
    is one that talks nonsense (4400) or too much (4429), and whoever is not or no longer signed in
    (4401). Subclasses hear the page in ``hear`` and follow permissions in ``allow``.
    """

    def __init__(self, scope: Message, receive: Any, send: Any) -> None:
        self.scope = scope
        self._receive: Callable[[], Awaitable[Message]] = receive
        self._send: Callable[[Message], Awaitable[None]] = send
        self.visible: frozenset[int] = NONE
        self.standing: Standing | None = None
        self.heard = time.monotonic()
        self._wake = asyncio.Event()
        self._end: int | None = None
        self._words = Allowance(MOST_WORDS, WORDS_PER_SECOND)

    @classmethod
    def as_asgi(cls) -> Any:
        """Return the ASGI application."""

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await cls(scope, receive, send).run()

        return application

    # ------------------------------------------------------------ for subclasses
    async def hear(self, message: Message) -> None:
        """React to what the page says.

        Raises:
            GivenUpError: It makes no sense.
        """
        raise NotImplementedError

    async def say(self) -> None:
        """Send what is to be sent now; called after every `wake`."""
        raise NotImplementedError

    def allow(self, cameras: frozenset[int]) -> None:
        """Follow a change of the cameras that the user may watch."""
        self.visible = cameras

    def begin(self) -> None:
        """Take part; the page is signed in, and ``visible`` is known."""

    def finish(self) -> None:
        """Take part no more."""

    # ------------------------------------------------------------ life
    async def run(self) -> None:
        """Serve the page from its first to its last word."""
        if (await self._receive())["type"] != "websocket.connect":
            return
        await self._send({"type": "websocket.accept"})
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not user.is_active:
            await self._close(NOT_SIGNED_IN)
            return
        self.user_id = user.pk
        self.session_key = str(self.scope["session"].session_key)
        self.session_hash = session_hash_of(self.scope["session"])
        if not watcher.add(self):
            await self._close(TOO_MANY)
            return
        try:
            code = await self._serve()
        finally:
            watcher.remove(self)
        if code is not None:
            await self._close(code)

    async def _serve(self) -> int | None:
        """Talk and listen until the end; return the code to close with, None when it is gone."""
        standings = await read_standings_async([self])
        self.standing = standings.get(self.session_key)
        if self.standing is None:
            return NOT_SIGNED_IN
        self.allow(await cameras_of(self.user_id, self.standing))
        self.begin()
        tasks = [asyncio.ensure_future(self._listen()), asyncio.ensure_future(self._talk())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            self.finish()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> int | None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return None
            self.heard = time.monotonic()
            try:
                await self.hear(_read(message.get("text")))
            except GivenUpError as error:
                return error.code

    async def _talk(self) -> int | None:
        try:
            while self._end is None:
                await self.say()
                await self._wake.wait()
                self._wake.clear()
        except GivenUpError as error:
            return error.code
        except OSError:  # the page has gone
            return None
        return self._end

    # ------------------------------------------------------------ tools
    def wake(self) -> None:
        """Have ``say`` called: something is new."""
        self._wake.set()

    def give_up(self, code: int) -> None:
        """Close the socket as soon as it can be said."""
        self._end = code
        self._wake.set()

    def count_word(self) -> None:
        """Count something that the page says without having been asked.

        Raises:
            GivenUpError: It says too much.
        """
        if not self._words.take():
            raise GivenUpError(TOO_MANY)

    async def send(self, content: str | bytes) -> None:
        """Send one message.

        Raises:
            GivenUpError: The page has not taken it within five seconds.
        """
        message: Message = {"type": "websocket.send"}
        message["text" if isinstance(content, str) else "bytes"] = content
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._send(message)
        except TimeoutError:
            raise GivenUpError(TOO_SLOW) from None

    async def send_json(self, payload: Message) -> None:
        """Send one message as JSON."""
        await self.send(json.dumps(payload))

    async def stand(self, standing: Standing | None) -> None:
        """Follow what the user is and may watch: the watcher's word, every three seconds."""
        if self.standing is None:  # not begun yet
            return
        if standing is None:
            self.give_up(NOT_SIGNED_IN)
            return
        self.standing = standing
        await self.look_again()

    async def look_again(self) -> None:
        """Ask what the user may watch, and follow."""
        if self.standing is None:
            return
        cameras = await cameras_of(self.user_id, self.standing)
        if cameras != self.visible:
            self.allow(cameras)

    async def _close(self, code: int) -> None:
        """Say why and end. A page that still does not read is left to the server."""
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": code})


def _read(text: str | None) -> Message:
    if text is None or len(text) > MOST_LETTERS:  # no page of ours sends bytes, or so much
        raise GivenUpError(NONSENSE)
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise GivenUpError(NONSENSE) from None
    if not isinstance(message, dict):
        raise GivenUpError(NONSENSE)
    return message
