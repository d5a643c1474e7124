"""The newest pictures of all tiles that somebody looks at, read once for all who look.

One task per process asks all slots together, 25 times a second while anybody looks: in memory a
few dictionary look-ups, with Redis one exchange of numbers and one of the pictures that are new.
One more viewer costs no more reading. Who looks is told in the same turn of the loop and keeps
only the newest picture: nothing here is ever queued.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, Protocol

from django.conf import settings

from common.previews import Preview, read_newer

logger = logging.getLogger(__name__)

Size = Literal["small", "large"]
SIZES: Final[tuple[Size, ...]] = ("small", "large")
TICK_SECONDS: Final = 0.04
BOUNDARY: Final = b"--frame\r\n"
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Tile:
    """A camera in one size.

    Attributes:
        camera: Id of the camera.
        size: Which of its pictures.
    """

    camera: int
    size: Size

    @property
    def slot(self) -> str:
        """Name of the slot of its pictures."""
        return f"camera:{self.camera}:{self.size}"


@dataclass(eq=False)
class Picture:
    """One picture of a tile; what is made of it is made once for all who look.

    Attributes:
        tile: What it shows.
        number: Grows with every picture: milliseconds since 1970 of its capture.
        jpeg: The picture.
        meta: What the runner says beside it, as JSON.
    """

    tile: Tile
    number: int
    jpeg: bytes = field(repr=False)
    meta: bytes = field(repr=False)

    @cached_property
    def message(self) -> bytes:
        """As the wall's socket sends it: the length of meta in four bytes, meta, the JPEG."""
        meta = json.dumps({**self.facts, "size": self.tile.size, "number": self.number})
        packed = meta.encode()
        return b"".join((_LENGTH.pack(len(packed)), packed, self.jpeg))

    @cached_property
    def part(self) -> bytes:
        """As a stream of pictures sends it: with the next boundary, so that it is shown at once."""
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(self.jpeg)}\r\n"
        head += f"X-Timestamp: {self.number / 1000:.3f}\r\n\r\n"
        return b"".join((head.encode(), self.jpeg, b"\r\n", BOUNDARY))

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the runner says beside it; the camera is always named."""
        try:
            found = json.loads(self.meta)
        except ValueError:
            found = {}
        return {**(found if isinstance(found, dict) else {}), "camera": self.tile.camera}


class Viewer(Protocol):
    """Somebody who looks at tiles."""

    def show(self, picture: Picture) -> None:
        """Take note of a new picture; must not wait."""
        ...


class LiveFeed:
    """Reads the tiles that are looked at, and shows what is new to who looks at them."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._viewers: dict[Tile, set[Viewer]] = {}
        self._newest: dict[Tile, Picture] = {}
        self._task: asyncio.Task[None] | None = None
        # Redis blocks; one thread for all, so that there is one question at a time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")

    @property
    def tiles(self) -> list[Tile]:
        """What is looked at."""
        return list(self._viewers)

    def look(self, viewer: Viewer, tile: Tile) -> None:
        """Show a viewer the newest picture of a tile, if it is known, and every newer one."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # a new server: the viewers of the last one are gone
            self._loop, self._task = loop, None
            self._viewers.clear()
            self._newest.clear()
        self._viewers.setdefault(tile, set()).add(viewer)
        if tile in self._newest:
            viewer.show(self._newest[tile])
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())

    def leave(self, viewer: Viewer, tiles: Iterable[Tile]) -> None:
        """Show a viewer nothing more of these tiles."""
        for tile in tiles:
            viewers = self._viewers.get(tile, set())
            viewers.discard(viewer)
            if not viewers:
                # The next one who looks begins with a fresh look, not with an old picture.
                self._viewers.pop(tile, None)
                self._newest.pop(tile, None)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._viewers:
            began = loop.time()
            try:
                self._show(await self._read())
            except Exception:
                logger.exception("Live pictures could not be read")
                await asyncio.sleep(1.0)
            await asyncio.sleep(max(0.005, began + TICK_SECONDS - loop.time()))

    async def _read(self) -> dict[Tile, Preview]:
        tiles = {tile.slot: tile for tile in self._viewers}
        known = {
            name: self._newest[tile].number if tile in self._newest else -1
            for name, tile in tiles.items()
        }
        if settings.REDIS_URL:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._thread, read_newer, known)
        else:
            found = read_newer(known)
        return {tiles[name]: preview for name, preview in found.items()}

    def _show(self, found: dict[Tile, Preview]) -> None:
        for tile, preview in found.items():
            viewers = self._viewers.get(tile)
            if viewers is None:  # the last one has left meanwhile
                continue
            picture = Picture(tile, preview.number, preview.jpeg, preview.meta)
            self._newest[tile] = picture
            for viewer in tuple(viewers):
                viewer.show(picture)


feed = LiveFeed()
