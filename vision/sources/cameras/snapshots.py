"""Cameras that give single JPEG pictures: they are asked again and again."""

import contextlib
import time
from collections.abc import Iterator
from fractions import Fraction

import av.error
from av.codec import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from vision.sources.cameras.errors import CameraError
from vision.sources.cameras.feeds import Arrival, broken
from vision.sources.cameras.pacing import Pacer
from vision.sources.cameras.slots import MOST_PIXELS
from vision.sources.cameras.web import WebClient


class SnapshotFeed:
    """A ``Feed`` of such a camera.

    Args:
        client: Asks for the pictures.
        first: The first one, JPEG.
        fps: How many to ask for in a second.
    """

    codec = "mjpeg"

    def __init__(self, client: WebClient, first: bytes, fps: float) -> None:
        self.rate = 0.0
        self.aspect = Fraction(1)
        self._client = client
        self._first: bytes | None = first
        self._interval = 1 / fps

    def arrivals(self, pacer: Pacer) -> Iterator[Arrival]:
        """Give what comes, as ``Feed`` says."""
        while True:
            asked = time.monotonic()
            picture, self._first = self._first or self._ask(), None
            began = time.perf_counter()
            frame = decode_jpeg(picture)
            yield Arrival(frame, None, (time.perf_counter() - began) * 1000)
            time.sleep(max(0.0, asked + self._interval - time.monotonic()))

    def _ask(self) -> bytes:
        with contextlib.closing(self._client.open()) as body:
            if body.format != "jpeg":
                raise CameraError("not_a_stream", "The camera has stopped giving JPEG pictures.")
            return body.read_all()


def decode_jpeg(data: bytes) -> VideoFrame:
    """Return the picture.

    Raises:
        CameraError: ``broken``.
    """
    context = CodecContext.create("mjpeg", "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.options = {"max_pixels": str(MOST_PIXELS)}
    try:
        frames = [*context.decode(Packet(data)), *context.decode(None)]
    except (av.error.FFmpegError, ValueError):
        frames = []
    if not frames:
        raise broken()
    return frames[0]
