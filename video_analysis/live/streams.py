"""Pictures over HTTP: the newest one of a camera, and streams that any browser or recorder shows.

All viewers of a camera are shown the same bytes: what is read, drawn and encoded for one serves
all. A viewer who is slow misses pictures, and never makes anything wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import supervision as sv
from django.http import StreamingHttpResponse

from common.errors import ServiceError
from common.previews import read_preview
from video_analysis.live.sockets.feed import BOUNDARY, Picture, Tile, Viewer, feed
from vision.drawing.video import FrameDrawer
from vision.encoding.images import encode_jpeg
from vision.errors import VisionError
from vision.sources.pictures import decode_picture

logger = logging.getLogger(__name__)

MOST_STREAMS: Final = 100
MOST_PER_USER: Final = 50
CHECK_SECONDS: Final = 3.0  # so often the permission is asked again
STALL_SECONDS: Final = 5.0
FRESH_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 3.0
JPEG_QUALITY: Final = 80
CONTENT_TYPE: Final = "multipart/x-mixed-replace; boundary=frame"


class StreamsFullError(ServiceError):
    """So many streams are open already, of one user or of all (503)."""

    def __init__(self, whose: str, most: int) -> None:
        message = f"{most} streams{whose} are open already. Try again in a little."
        super().__init__("too_many_streams", message, status=503, retry_after=10)


class Eye:
    """Sees the newest picture, once."""

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._new = asyncio.Event()

    def show(self, picture: Picture) -> None:
        """Replace the picture that was not seen yet."""
        self._picture = picture
        self.wake()

    def wake(self) -> None:
        """Have `next` return, with or without a picture."""
        self._new.set()

    async def next(self, seconds: float) -> Picture | None:
        """Return the newest picture as soon as there is a new one; None when none comes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._new.wait()
        self._new.clear()
        picture, self._picture = self._picture, None
        return picture


# ---------------------------------------------------------------- one picture
async def newest_picture(tile: Tile) -> Picture | None:
    """Return a fresh picture of a tile; waits three seconds for one, and None when none comes.

    Fresh is what was taken within five seconds. Where clocks of machines differ, what comes while
    one waits is fresh as well.
    """
    eye = Eye()
    until = time.monotonic() + PATIENCE_SECONDS
    feed.look(eye, tile)
    try:
        picture = await eye.next(PATIENCE_SECONDS)
        if picture is not None and time.time() - picture.number / 1000 > FRESH_SECONDS:
            return await eye.next(until - time.monotonic())
        return picture
    finally:
        feed.leave(eye, [tile])


# ---------------------------------------------------------------- boxes
class _Boxes:
    """Draws the boxes into the pictures of one tile, once for all who want them."""

    def __init__(self, tile: Tile) -> None:
        self._tile = tile
        self._eye = Eye()
        self._viewers: set[Viewer] = set()
        self._newest: Picture | None = None
        self._task: asyncio.Task[None] | None = None

    def look(self, viewer: Viewer) -> None:
        """Show a viewer every drawn picture."""
        self._viewers.add(viewer)
        if self._newest is not None:
            viewer.show(self._newest)
        if self._task is None:
            feed.look(self._eye, self._tile)
            self._task = asyncio.ensure_future(self._run())

    def leave(self, viewer: Viewer) -> bool:
        """Show a viewer nothing more; return whether nobody is left."""
        self._viewers.discard(viewer)
        if self._viewers:
            return False
        feed.leave(self._eye, [self._tile])
        if self._task is not None:
            self._task.cancel()
        return True

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            picture = await self._eye.next(CHECK_SECONDS)
            if picture is None:
                continue
            try:
                drawn = await loop.run_in_executor(_pencils, draw_boxes, picture)
            except (VisionError, ValueError, TypeError, LookupError):
                logger.exception("A picture of camera %s could not be drawn on", self._tile.camera)
                continue
            self._newest = drawn
            for viewer in tuple(self._viewers):
                viewer.show(drawn)


_pencils = ThreadPoolExecutor(2, thread_name_prefix="live-boxes")
_boxes: weakref.WeakKeyDictionary[Any, dict[Tile, _Boxes]] = weakref.WeakKeyDictionary()


def draw_boxes(picture: Picture) -> Picture:
    """Return the picture with a box around each object, its class and its number.

    Raises:
        VisionError: It is no picture.
    """
    image = decode_picture(picture.jpeg)
    height, width = image.shape[:2]
    detections = _detections(picture.facts.get("objects") or [], width, height)
    drawer = FrameDrawer(["boxes"], width=width, height=height)
    drawer.draw(image, detections, timestamp=picture.number / 1000)
    return Picture(picture.tile, picture.number, encode_jpeg(image, JPEG_QUALITY), picture.meta)


def _detections(objects: list[Any], width: int, height: int) -> sv.Detections:
    """Objects as [track, class, confidence, x, y, w, h], 0..1 of the picture, as boxes in it."""
    if not objects:
        return sv.Detections.empty()
    tracks, names, confidences, *sides = zip(*objects, strict=True)
    x, y, w, h = np.asarray(sides, np.float64)
    boxes = np.stack((x, y, x + w, y + h), axis=1) * (width, height, width, height)
    return sv.Detections(
        xyxy=boxes.astype(np.float32),
        confidence=np.asarray(confidences, np.float32),
        tracker_id=np.asarray([track or 0 for track in tracks], np.int64),
        data={"class_name": np.asarray(names, str)},
    )


@contextlib.contextmanager
def _looking(viewer: Viewer, tile: Tile, *, boxes: bool) -> Iterator[None]:
    """Have a viewer shown a tile, with or without boxes."""
    if not boxes:
        feed.look(viewer, tile)
        try:
            yield
        finally:
            feed.leave(viewer, [tile])
        return
    drawn = _boxes.setdefault(asyncio.get_running_loop(), {})
    source = drawn.setdefault(tile, _Boxes(tile))
    source.look(viewer)
    try:
        yield
    finally:
        if source.leave(viewer) and drawn.get(tile) is source:
            del drawn[tile]


# ---------------------------------------------------------------- streams
class PictureStream(StreamingHttpResponse):
    """A camera as a stream of JPEGs, each replacing the one before.

    Ends when the permission does, and when the viewer takes nothing for five seconds. Without an
    event loop of the server (the test client, WSGI) there is only the picture of this moment.

    Args:
        tile: What is shown.
        user_id: Who looks.
        boxes: Whether boxes are drawn.
        may_go_on: Asked every few seconds.

    Raises:
        StreamsFullError: There are too many already, or too many of this user.
    """

    def __init__(
        self,
        tile: Tile,
        *,
        user_id: int,
        boxes: bool,
        may_go_on: Callable[[], Awaitable[bool]],
    ) -> None:
        if len(_open) >= MOST_STREAMS:
            raise StreamsFullError("", MOST_STREAMS)
        if sum(stream.user_id == user_id for stream in list(_open)) >= MOST_PER_USER:
            raise StreamsFullError(" of yours", MOST_PER_USER)
        super().__init__(iter(()), content_type=CONTENT_TYPE)
        self.user_id = user_id
        self._tile, self._boxes, self._may_go_on = tile, boxes, may_go_on
        self._eye: Eye | None = None
        self._over = False
        self["Cache-Control"] = "private, no-store"
        self["X-Content-Type-Options"] = "nosniff"
        self["X-Accel-Buffering"] = "no"  # a proxy that collects pictures shows none
        _open.add(self)

    def end(self) -> None:
        """Send nothing more; called on the event loop."""
        self._over = True
        if self._eye is not None:
            self._eye.wake()

    def close(self) -> None:
        """Make room for another one."""
        _open.discard(self)
        super().close()

    def __iter__(self) -> Iterator[bytes]:
        preview = read_preview(self._tile.slot)
        yield BOUNDARY
        if preview is not None:
            yield Picture(self._tile, preview.number, preview.jpeg, preview.meta).part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._eye = eye = Eye()
        asked = time.monotonic()
        try:
            with _looking(eye, self._tile, boxes=self._boxes):
                yield BOUNDARY
                while not self._over:
                    # No longer than until the next question, whenever pictures come.
                    due = asked + CHECK_SECONDS - time.monotonic()
                    picture = await eye.next(max(0.0, due))
                    if time.monotonic() - asked >= CHECK_SECONDS:
                        if not await self._may_go_on():
                            return
                        asked = time.monotonic()
                    if picture is not None:
                        with _patience():
                            yield picture.part
        finally:
            _open.discard(self)


_open: weakref.WeakSet[PictureStream] = weakref.WeakSet()


def end_streams() -> None:
    """End all streams of this process: the server stops, and would wait for them."""
    for stream in list(_open):
        stream.end()


def count_streams() -> int:
    """How many streams are open in this process."""
    return len(_open)


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """End the request when the viewer does not take what it is given in time."""
    task = asyncio.current_task()
    assert task is not None
    timer = asyncio.get_running_loop().call_later(STALL_SECONDS, task.cancel)
    try:
        yield
    finally:
        timer.cancel()
