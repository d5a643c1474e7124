"""A file that plays over and over, as if it were a camera."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av.error

from vision.sources.cameras.feeds import (
    Arrival,
    broken,
    check_codec,
    check_size,
    decode,
    seconds_of,
)
from vision.sources.cameras.pacing import Pacer
from vision.sources.videos.clock import FrameClock
from vision.sources.videos.headers import OpenVideo, open_checked
from vision.sources.videos.info import VideoLimits
from vision.sources.videos.pixels import display_size

_LATE: Final = 1.0  # seconds that a lap may make up for


class LoopFeed:
    """A ``Feed`` of a file: each frame comes at its time.

    Args:
        path: A file that may be opened.
        limits: What is accepted of it.

    Raises:
        VideoError: The file may not be decoded.
        CameraError: Nor may its pictures.
    """

    def __init__(self, path: Path, limits: VideoLimits) -> None:
        self._path = path
        self._limits = limits
        self._opened: OpenVideo | None = open_checked(path, limits)
        self.codec = check_codec(self._opened.codec)
        self.rate = self._opened.outline.rate
        self.aspect = self._opened.aspect
        context = self._opened.stream.codec_context
        check_size(*display_size(context.width, context.height, self.aspect))

    def arrivals(self, pacer: Pacer) -> Iterator[Arrival]:
        """Give what comes, as ``Feed`` says; a lap follows the one before without a gap."""
        lap, start = 0, time.monotonic()
        while True:
            opened = self._opened or open_checked(self._path, self._limits)
            self._opened = None
            end = None
            with contextlib.closing(opened):
                for arrival in self._lap(opened):
                    assert arrival.seconds is not None
                    end = start + arrival.seconds
                    time.sleep(max(0.0, end - time.monotonic()))
                    arrival.lap = lap
                    yield arrival
            if end is None:
                raise broken()
            lap += 1
            # A process that was stopped for a while goes on from now.
            start = max(end + 1 / self.rate, time.monotonic() - _LATE)

    def _lap(self, opened: OpenVideo) -> Iterator[Arrival]:
        """Give all frames, their seconds from 0.0 and increasing."""
        clock = FrameClock(1 / self.rate)
        # A damaged file ends where it cannot be read any further.
        with contextlib.suppress(av.error.FFmpegError):
            for packet in opened.file.demux(opened.stream):
                began = time.perf_counter()
                frames = decode(packet)
                elapsed = (time.perf_counter() - began) * 1000
                for frame in frames:
                    stamp = seconds_of(frame) if opened.has_times else None
                    yield Arrival(frame, clock.stamp(stamp), elapsed)
