"""Decodes a video frame by frame; broken ones are left out, limits hold all the way."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import av.error
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vision.sources.videos.clock import FrameClock
from vision.sources.videos.headers import OpenVideo, check_sizes, open_checked
from vision.sources.videos.info import VideoError, VideoInfo, VideoLimits
from vision.sources.videos.limits import check_progress, check_size, end_of
from vision.sources.videos.pixels import FrameConverter, display_size, rotation_of

_MISSING_SECONDS: Final = 0.5
_MISSING_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded frame: (H, W, 3) uint8 BGR, a view on libav's memory; seconds from 0.0."""

    image: NDArray[np.uint8]
    timestamp: float


class VideoDecoder:
    """The frames of a video, in the calling process.

    Args:
        path: A local file.
        limits: What is accepted.

    Attributes:
        info: What is known about the video; the first good frame has been decoded.
        origin: Seconds of the file's own time line at which the first good frame is shown.
        skipped: Frames left out so far because they cannot be decoded.
        truncated: True, after the last frame, when the video ends earlier than it says.
        end: Seconds at which the picture given last stops being shown.

    Raises:
        VideoError: The file may not be decoded, or not one of its frames can be.
    """

    def __init__(self, path: Path, limits: VideoLimits) -> None:
        self.skipped = 0
        self.truncated = False
        self.end = 0.0
        self._limits = limits
        self._opened = open_checked(path, limits)
        try:
            self._frames = self._decode()
            first = next(self._frames, None)
            if first is None:
                raise self._nothing_decoded()
            check_sizes(first.width, first.height, self._opened.aspect, limits)
            self._first: VideoFrame | None = first
            self.info = _describe(self._opened, first)
            self.origin = (self._time_of(first) or 0.0) if self._opened.has_times else 0.0
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Picture]:
        """Give the pictures, once.

        Raises:
            VideoError: A limit is exceeded.
        """
        converter = FrameConverter(self._opened.aspect)
        clock = FrameClock(1 / self.info.rate)
        last = 0.0
        for index, frame in enumerate(self._all_frames()):
            check_size(frame.width, frame.height, self._limits)
            last = clock.stamp(self._time_of(frame))
            check_progress(index, last, self._limits)
            self.end = end_of(last, _seconds_shown(frame), self.info, self._limits)
            yield Picture(converter.convert(frame), last)
        missing = self.info.duration - self.end
        self.truncated |= missing > max(_MISSING_SECONDS, _MISSING_SHARE * self.info.duration)

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def _all_frames(self) -> Iterator[VideoFrame]:
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        yield from self._frames

    def _decode(self) -> Iterator[VideoFrame]:
        for packet in self._packets():
            try:
                frames = packet.decode()
            except MemoryError:
                raise
            except EOFError:
                return
            except (av.error.FFmpegError, ValueError):
                self.skipped += 1
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.skipped += 1
                else:
                    yield frame

    def _packets(self) -> Iterator["Packet[VideoStream]"]:
        packets = self._opened.file.demux(self._opened.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except MemoryError:
                raise
            except av.error.FFmpegError:
                # What was read so far is shown; the decoder still holds frames of it.
                self.truncated = True
                yield self._flushing_packet()
                return
            yield packet

    def _flushing_packet(self) -> "Packet[VideoStream]":
        packet = cast("Packet[VideoStream]", Packet())
        packet.stream = self._opened.stream
        return packet

    def _time_of(self, frame: VideoFrame) -> float | None:
        """Return the seconds that the file gives a frame, or None.

        Frames come in the order in which they are shown, so where only decoding times are known
        these, in that same order, are the times to show them.
        """
        stamp = frame.pts if self._opened.has_times else frame.dts
        if stamp is None or frame.time_base is None:
            return None
        return float(stamp * frame.time_base)

    def _nothing_decoded(self) -> VideoError:
        if self.skipped or self.truncated:
            return VideoError(
                "damaged_video", "The video is damaged: not one of its frames can be decoded."
            )
        return VideoError("damaged_video", "The video holds no frames.")


def _describe(opened: OpenVideo, first: VideoFrame) -> VideoInfo:
    rotation = rotation_of(first)
    upright = rotation % 180 == 0
    width, height = display_size(first.width, first.height, opened.aspect)
    return VideoInfo(
        container=opened.kind.name,
        codec=opened.codec,
        width=width if upright else height,
        height=height if upright else width,
        rotation=rotation,
        duration=opened.outline.duration,
        frames=opened.outline.frames,
        rate=opened.outline.rate,
        has_audio=opened.has_audio,
        media_type=opened.kind.media_type,
        extension=opened.kind.extension,
        pixel_format=first.format.name,
    )


def _seconds_shown(frame: VideoFrame) -> float:
    """Return for how long the file shows a frame; 0.0 when it does not say."""
    if not frame.duration or frame.time_base is None:
        return 0.0
    return max(0.0, float(frame.duration * frame.time_base))
