"""Writes pictures as a video that every browser plays: H.264 in MP4.

``VideoWriter`` writes the pictures; ``finish_video`` then adds the sound of the original and moves
the table of frames to the front, so that playing starts before the file has arrived.
"""

import contextlib
import math
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

import av
import av.container
import av.error
import cv2
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vision.encoding.video_finish import finish_video

__all__ = ["VideoWriter", "finish_video"]

_TICKS: Final = 90_000  # of the time base, in a second
_KEY_SECONDS: Final = 2.0
_LONGEST_KEY_INTERVAL: Final = 600  # frames
_LONGEST_SHOWN: Final = (1 << 31) - 1  # ticks that MP4 can show one picture for
_LONGEST_SIDE: Final = 16_384  # H.264's own

# As libav numbers them: BT.601's matrix, which OpenCV converts with, sRGB-like primaries.
_MATRIX_SMPTE170M: Final = 6
_PRIMARIES_BT709: Final = 1
_TRANSFER_BT709: Final = 1
_LIMITED_RANGE: Final = 1


class VideoWriter:
    """Writes BGR pictures to an MP4 file as H.264, yuv420p.

    A picture of odd width or height is extended by a copy of its last column or row, because the
    format stores colours for two by two pixels: no pixel is lost or blurred, and coordinates stay.

    Args:
        path: The file to write; an existing one is replaced.
        width: Pixels of every picture.
        height: Pixels of every picture.
        rate: Frames per second, about; the timestamps decide when a picture is shown, the rate
            only for how long the last one is, and how far key frames are apart (2 s).
        quality: x264's constant rate factor, 0 (best) to 51.
        threads: Of the encoder.

    Raises:
        ValueError: A size or rate that no video can have.
        OSError: The file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        rate: float,
        quality: int = 23,
        threads: int = 1,
    ) -> None:
        if not (1 <= width <= _LONGEST_SIDE and 1 <= height <= _LONGEST_SIDE):
            raise ValueError(f"a video cannot have {width} x {height} pixels")
        if not 0 < rate <= 1000:
            raise ValueError(f"a video cannot have {rate} frames per second")
        self._path = path
        self._shape = (height, width, 3)
        self._duration = max(1, round(_TICKS / rate))
        self._last = -1
        # The last packet waits for the time at which its picture ends.
        self._held: Packet[VideoStream] | None = None
        self._container: av.container.OutputContainer | None = av.open(
            f"file:{path.absolute()}", "w", format="mp4"
        )
        self._stream = self._add_stream(self._container, rate, quality, threads)

    def write(self, image: NDArray[np.uint8], timestamp: float) -> None:
        """Add a picture.

        Args:
            image: (H, W, 3) uint8 BGR, contiguous or not; it is not kept.
            timestamp: Seconds, 0 or more. One that is not after the one before is set a tick
                (1/90000 s) after it.

        Raises:
            ValueError: The picture has another size, or the writer is closed.
            OSError: The file cannot be written, e.g. because the disk is full.
        """
        container = self._opened()
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(
                f"expected {self._shape} uint8, got {tuple(image.shape)} {image.dtype}"
            )
        self._last = max(self._last + 1, round(timestamp * _TICKS))
        frame = _to_frame(image)
        frame.pts = self._last
        frame.duration = self._duration
        frame.time_base = Fraction(1, _TICKS)
        self._mux(container, self._stream.encode(frame))

    def close(self, end: float | None = None) -> None:
        """Finish the file; may be called twice. A file without pictures is removed.

        Args:
            end: Seconds until which the last picture is shown; None, or a time that is not after
                its own, shows it for one interval of the rate.

        Raises:
            OSError: The file cannot be written; it is removed.
        """
        if self._container is None:
            return
        if self._last < 0:
            self.abort()
            return
        try:
            self._mux(self._container, self._stream.encode(None))
            if self._held is not None:
                self._held.duration = self._last_duration(end)
                self._container.mux_one(self._held)
            self._container.close()
        except BaseException:
            self.abort()
            raise
        self._container = None

    def abort(self) -> None:
        """Give up and remove the file; may be called twice, and after ``close`` does nothing."""
        if self._container is None:
            return
        container, self._container = self._container, None
        with contextlib.suppress(av.error.FFmpegError, ValueError):
            container.close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the file, or remove it when an error passes."""
        if kind is None:
            self.close()
        else:
            self.abort()

    def _mux(
        self, container: av.container.OutputContainer, packets: Iterable["Packet[VideoStream]"]
    ) -> None:
        for packet in packets:
            if self._held is not None:
                container.mux_one(self._held)
            self._held = packet

    def _last_duration(self, end: float | None) -> int:
        """Return for how many ticks the last picture is shown."""
        if end is None or not math.isfinite(end):
            return self._duration
        ticks = round(end * _TICKS) - self._last
        return min(ticks, _LONGEST_SHOWN) if ticks > 0 else self._duration

    def _opened(self) -> av.container.OutputContainer:
        if self._container is None:
            raise ValueError("the writer is closed")
        return self._container

    def _add_stream(
        self, container: av.container.OutputContainer, rate: float, quality: int, threads: int
    ) -> VideoStream:
        stream = container.add_stream(
            "libx264",
            rate=Fraction(rate).limit_denominator(1001),
            # Without B-frames packets keep the order of the pictures, so that the length is right
            # at uneven rates too; encoding is faster, files are 7% larger.
            options={"preset": "veryfast", "crf": str(quality), "bf": "0"},
        )
        height, width, _ = self._shape
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, _TICKS)
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.thread_count = threads
        context.gop_size = max(1, min(_LONGEST_KEY_INTERVAL, round(_KEY_SECONDS * rate)))
        context.colorspace = _MATRIX_SMPTE170M
        context.color_primaries = _PRIMARIES_BT709
        context.color_trc = _TRANSFER_BT709
        context.color_range = _LIMITED_RANGE
        return stream


def _to_frame(image: NDArray[np.uint8]) -> VideoFrame:
    """Convert to yuv420p with OpenCV, three times as fast as libav's scaler from BGR."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = cast(
            "NDArray[np.uint8]",
            cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE),
        )
    height, width = image.shape[:2]
    converted = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420), np.uint8)
    frame = VideoFrame(width, height, "yuv420p")
    frame.colorspace = _MATRIX_SMPTE170M
    frame.color_range = _LIMITED_RANGE
    at = 0
    flat = converted.reshape(-1)
    for plane in frame.planes:
        size = plane.height * plane.width
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = flat[at : at + size].reshape(plane.height, plane.width)
        at += size
    return frame
