"""Streams that libav takes apart: RTSP, HTTP, RTMP and USB."""

import time
from collections.abc import Callable, Iterator
from typing import Final

import av.container
import av.error
from av.packet import Packet
from av.video.stream import VideoStream

from vision.sources.cameras.errors import CameraError
from vision.sources.cameras.feeds import (
    Arrival,
    broken,
    check_codec,
    check_size,
    decode,
    ended,
    seconds_of,
)
from vision.sources.cameras.pacing import Pacer
from vision.sources.cameras.slots import MOST_PIXELS
from vision.sources.videos.headers import pixel_aspect

_INTRA_ONLY: Final = frozenset({"mjpeg", "rawvideo"})
# Seconds of packets none of which can be decoded; at first, until the next complete picture.
_BROKEN_SECONDS: Final = 3.0
_BROKEN_AT_FIRST: Final = 10.0
_LONGEST_NAP: Final = 1.0  # seconds
_MOST_RATE: Final = 1000.0

Failure = Callable[[], CameraError | None]


class StreamFeed:
    """A ``Feed`` of a stream.

    Args:
        container: The opened stream.
        failure: Returns why whoever brings the bytes has stopped, or None.

    Raises:
        CameraError: It holds nothing that may be shown.
    """

    def __init__(self, container: av.container.InputContainer, failure: Failure) -> None:
        self._container = container
        self._failure = failure
        self._failing_since: float | None = None
        self._patience = _BROKEN_AT_FIRST
        self._stream = _choose(container)
        context = self._stream.codec_context
        # A stream whose codec libav cannot decode at all comes without a context.
        self.codec = check_codec(context.codec.canonical_name if context is not None else "unknown")
        if context.width and context.height:
            check_size(context.width, context.height)
        # Frame threads would hold pictures back, one for each thread.
        context.thread_count = 1
        context.options = {**context.options, "max_pixels": str(MOST_PIXELS)}
        self.rate = _declared_rate(self._stream)
        self.aspect = pixel_aspect(self._stream)

    def arrivals(self, pacer: Pacer) -> Iterator[Arrival]:
        """Give what comes, as ``Feed`` says."""
        for packet in self._packets():
            now = time.monotonic()
            if self.codec in _INTRA_ONLY and not pacer.is_due(now):
                yield Arrival(None, None, 0.0)
            else:
                yield from self._decode(packet, now)
            stamp = None if packet.pts is None else float(packet.pts * packet.time_base)
            time.sleep(min(_LONGEST_NAP, pacer.hold_back(stamp, now)))

    def _decode(self, packet: "Packet[VideoStream]", now: float) -> Iterator[Arrival]:
        began = time.perf_counter()
        frames = decode(packet)
        elapsed = (time.perf_counter() - began) * 1000
        if frames:
            self._failing_since = None
            self._patience = _BROKEN_SECONDS
        elif self._failing_since is None:
            self._failing_since = now
        elif now - self._failing_since > self._patience:
            raise broken()
        for frame in frames:
            yield Arrival(frame, seconds_of(frame), elapsed)

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    yield packet
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError) as error:
            raise self._failure() or _end_of(error) from None
        raise self._failure() or ended()


def _end_of(error: Exception) -> CameraError:
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return CameraError("silent", "The camera has stopped sending pictures.")
    if isinstance(error, av.error.InvalidDataError):
        return broken()
    return CameraError("ended", "The camera has closed the connection.")


def _choose(container: av.container.InputContainer) -> VideoStream:
    if not container.streams.video:
        what = "only sound" if container.streams.audio else "no pictures"
        raise CameraError("not_a_stream", f"The stream holds {what}.")
    return container.streams.video[0]


def _declared_rate(stream: VideoStream) -> float:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= _MOST_RATE:
            return float(rate)
    return 0.0
