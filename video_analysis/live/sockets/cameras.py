"""The one socket of the wall: the newest pictures of all tiles on the screen."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from common.broadcast.consumers import TOO_SLOW
from video_analysis.live.sockets.base import NONSENSE, SEND_SECONDS, GivenUpError, PageSocket
from video_analysis.live.sockets.feed import SIZES, Picture, Tile, feed

MOST_TILES: Final = 32
MOST_UNSEEN: Final = 2
MOST_NUMBER: Final = 2**63 - 1


@dataclass
class _Pane:
    """A tile on the page: the newest picture for it, and those that it has not shown yet."""

    waiting: Picture | None = None
    unseen: deque[tuple[int, float]] = field(default_factory=deque)

    @property
    def is_ready(self) -> bool:
        """Whether there is a picture that the page can take."""
        return self.waiting is not None and len(self.unseen) < MOST_UNSEEN


class CamerasSocket(PageSocket):
    """``/ws/cameras/``: the page names its tiles, and is sent the newest picture of each.

    Of each tile at most two pictures are on their way; the page acknowledges what it has shown.
    What comes meanwhile replaces what waits. See docs/live.md for the words.
    """

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        self._panes: dict[Tile, _Pane] = {}
        self._greeted = False
        self._refused: dict[int, None] = {}
        self._pongs = 0

    async def hear(self, message: dict[str, Any]) -> None:
        """Follow the page's tiles and what it has shown.

        Raises:
            GivenUpError: It makes no sense, or is too much.
        """
        kind = message.get("type")
        if kind == "ack":
            self._acknowledge(message)
            return
        self.count_word()
        if kind == "watch":
            await self._watch(_tiles_of(message))
        elif kind == "ping":
            self._pongs = 1
            self.wake()
        else:
            raise GivenUpError(NONSENSE)

    def show(self, picture: Picture) -> None:
        """Keep the newest picture of a tile: the feed's word."""
        pane = self._panes.get(picture.tile)
        if pane is None:
            return
        pane.waiting = picture
        if pane.is_ready:
            self.wake()
        elif self._is_deaf(pane):
            self.give_up(TOO_SLOW)

    async def say(self) -> None:
        """Send what is known, and the pictures that the page can take."""
        if not self._greeted:
            self._greeted = True
            await self.send_json({"type": "hello"})
        sent = True
        while sent:
            await self._say_words()
            sent = False
            # One of each tile in turn, so that none starves while the page is slow.
            for pane in list(self._panes.values()):
                sent = await self._send_picture(pane) or sent

    def allow(self, cameras: frozenset[int]) -> None:
        """Show nothing more of cameras that the user may not watch any longer."""
        super().allow(cameras)
        lost = [tile for tile in self._panes if tile.camera not in cameras]
        self._drop(lost)
        self._refuse(tile.camera for tile in lost)

    def finish(self) -> None:
        """Look at nothing more."""
        self._drop(list(self._panes))

    async def _watch(self, tiles: list[Tile]) -> None:
        if any(tile.camera not in self.visible for tile in tiles):
            await self.look_again()  # a camera may be new
        allowed = [tile for tile in tiles if tile.camera in self.visible]
        self._refuse(tile.camera for tile in tiles if tile.camera not in self.visible)
        self._drop([tile for tile in self._panes if tile not in allowed])
        for tile in allowed:
            if tile not in self._panes:
                self._panes[tile] = _Pane()
                feed.look(self, tile)

    def _acknowledge(self, message: dict[str, Any]) -> None:
        tile, number = _tile_of(message), message.get("number")
        if not isinstance(number, int):
            raise GivenUpError(NONSENSE)
        pane = self._panes.get(tile)
        if pane is None or not pane.unseen or pane.unseen[0][0] > number:
            self.count_word()  # of a tile that is no longer watched: rare
            return
        while pane.unseen and pane.unseen[0][0] <= number:
            pane.unseen.popleft()
        if pane.is_ready:
            self.wake()

    def _is_deaf(self, pane: _Pane) -> bool:
        """Whether the page has neither shown a picture nor said anything for too long."""
        oldest = max(self.heard, pane.unseen[0][1]) if pane.unseen else self.heard
        return time.monotonic() - oldest > SEND_SECONDS

    async def _say_words(self) -> None:
        while self._refused:
            camera = next(iter(self._refused))
            del self._refused[camera]
            await self.send_json({"type": "refused", "camera": camera})
        if self._pongs:
            self._pongs = 0
            await self.send_json({"type": "pong"})

    async def _send_picture(self, pane: _Pane) -> bool:
        picture = pane.waiting
        if picture is None or not pane.is_ready or picture.tile.camera not in self.visible:
            return False
        pane.waiting = None
        pane.unseen.append((picture.number, time.monotonic()))
        await self.send(picture.message)
        return True

    def _refuse(self, cameras: Any) -> None:
        self._refused.update(dict.fromkeys(cameras))
        if self._refused:
            self.wake()

    def _drop(self, tiles: list[Tile]) -> None:
        feed.leave(self, tiles)
        for tile in tiles:
            del self._panes[tile]


def _tiles_of(message: dict[str, Any]) -> list[Tile]:
    tiles = message.get("tiles")
    if not isinstance(tiles, list) or len(tiles) > MOST_TILES:
        raise GivenUpError(NONSENSE)
    return list(dict.fromkeys(_tile_of(tile) for tile in tiles))


def _tile_of(found: Any) -> Tile:
    if not isinstance(found, dict):
        raise GivenUpError(NONSENSE)
    camera, size = found.get("camera"), found.get("size", "small")
    if not isinstance(camera, int) or isinstance(camera, bool) or size not in SIZES:
        raise GivenUpError(NONSENSE)
    if not 0 <= camera <= MOST_NUMBER:
        raise GivenUpError(NONSENSE)
    return Tile(camera, size)
