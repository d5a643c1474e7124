"""What the child process reads a camera's pictures from, whatever kind of camera it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Protocol

import av.error
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vision.sources.cameras.errors import CameraError
from vision.sources.cameras.pacing import Pacer
from vision.sources.cameras.slots import LONGEST_SIDE, MOST_PIXELS, SHORTEST_SIDE
from vision.sources.videos.info import VIDEO_CODECS

CODECS: Final = VIDEO_CODECS - {"gif", "png", "prores"}


@dataclass(slots=True)
class Arrival:
    """What came: a decoded frame, or None where one was left out before it was decoded.

    Attributes:
        frame: The frame.
        seconds: The source's own time of it, or None.
        decode_ms: Milliseconds that decoding took.
        lap: How often the source has started over.
    """

    frame: VideoFrame | None
    seconds: float | None
    decode_ms: float
    lap: int = 0


class Feed(Protocol):
    """The pictures of one connection.

    Attributes:
        codec: Its usual name.
        rate: Frames per second as declared; 0.0 where it is not.
        aspect: Width of a stored pixel by its height.
    """

    codec: str
    rate: float
    aspect: Fraction

    def arrivals(self, pacer: Pacer) -> Iterator[Arrival]:
        """Give what comes, until it ends or fails.

        Raises:
            CameraError: Why there is no more.
        """
        ...


def check_codec(name: str) -> str:
    """Return the codec's name if its pictures may be decoded.

    Raises:
        CameraError: ``unsupported_codec``.
    """
    if name not in CODECS:
        raise CameraError(
            "unsupported_codec",
            f"The camera's codec ({name}) is not supported; H.264, H.265, AV1, VP8, VP9, MPEG-4, "
            "MPEG-2 and Motion JPEG are. Choose another one in the camera's settings.",
        )
    return name


def check_size(width: int, height: int) -> None:
    """Refuse pictures that are too small to show anything, or too large.

    Raises:
        CameraError: ``too_small`` or ``too_large``.
    """
    if min(width, height) < SHORTEST_SIDE:
        raise CameraError(
            "too_small",
            f"The camera's pictures have {width} x {height} pixels; at least {SHORTEST_SIDE} along "
            "each side are needed.",
        )
    if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise CameraError(
            "too_large",
            f"The camera's pictures have {width:,} x {height:,} pixels; at most 4096 x 2304 are "
            "accepted. Choose a smaller size in the camera's settings, or its second stream.",
        )


def decode(packet: "Packet[VideoStream]") -> list[VideoFrame]:
    """Return the frames that a packet brings; damaged ones are left out."""
    try:
        frames = packet.decode()
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError):
        return []
    return [frame for frame in frames if not frame.is_corrupt]


def seconds_of(frame: VideoFrame) -> float | None:
    """Return the time that the source gives a frame, or None."""
    if frame.pts is None or frame.time_base is None:
        return None
    return float(frame.pts * frame.time_base)


def broken() -> CameraError:
    """Return the error of a source that sends what cannot be decoded."""
    return CameraError("broken", "The camera sends pictures that cannot be decoded.")


def ended() -> CameraError:
    """Return the error of a source that has stopped by itself."""
    return CameraError("ended", "The camera has ended the stream.")
