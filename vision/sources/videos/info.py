"""What a video is, what is accepted, and what a source of its frames looks like."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

from vision.errors import VisionError
from vision.structures import Frame

GIB: Final = 1024**3

VIDEO_CODECS: Final = frozenset(
    {
        *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "h263"),
        *("mjpeg", "prores", "gif", "png", "rawvideo"),
    }
)
VIDEO_ERRORS: Final = frozenset(
    {
        *("missing_file", "empty_file", "file_too_large", "not_a_video", "unsupported_container"),
        *("unsupported_codec", "no_video_stream", "truncated_video", "damaged_video"),
        *("video_too_large", "video_too_long", "too_many_frames", "rate_too_high"),
        *("decoder_failed", "decoder_memory", "decoder_timeout"),
    }
)


class VideoError(VisionError):
    """A file is no video, or not one that may be decoded, or its decoding failed.

    Codes: ``missing_file``, ``empty_file``, ``file_too_large``, ``not_a_video``,
    ``unsupported_container``, ``unsupported_codec``, ``no_video_stream``, ``truncated_video``,
    ``damaged_video``, ``video_too_large`` (pixels), ``video_too_long`` (seconds),
    ``too_many_frames``, ``rate_too_high``, ``decoder_failed``, ``decoder_memory``,
    ``decoder_timeout``.
    """


def out_of_memory() -> VideoError:
    """Return the error of a video whose decoding needs more memory than it may have."""
    return VideoError(
        "decoder_memory",
        "Decoding this video needs more memory than is allowed. Make it smaller, or save it again "
        "with another program.",
    )


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """What is accepted. Headers are checked against it first, then every decoded frame.

    Attributes:
        max_bytes: Bytes of the file.
        max_seconds: Seconds from the first frame to the last.
        max_pixels: Pixels of one frame.
        max_side: Pixels along the longer side.
        max_frames: Frames of the whole video.
        max_rate: Frames per second, on average.
    """

    max_bytes: int = 4 * GIB
    max_seconds: float = 4 * 3600.0
    max_pixels: int = 4096 * 2304
    max_side: int = 8192
    max_frames: int = 1_000_000
    max_rate: float = 250.0


DEFAULT_LIMITS: Final = VideoLimits()


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video's headers and its first good frame say.

    Attributes:
        container: ``"mp4"``, ``"mov"``, ``"matroska"``, ``"webm"``, ``"avi"`` or ``"gif"``.
        codec: The codec's usual name, e.g. ``"h264"``.
        width: Pixels as displayed, that is square ones, after the rotation.
        height: Pixels as displayed, that is square ones, after the rotation.
        rotation: Degrees clockwise by which the stored picture is turned for display: 0, 90, 180
            or 270. Frames come turned already.
        duration: Seconds; an estimate, 0.0 when nothing is known.
        frames: An estimate; 0 when nothing is known. Only counting the frames gives their number.
        rate: Frames per second, above 0; an estimate. Frames may come unevenly: then it is that of
            the usual distance between two, where one that stays for long does not count.
        has_audio: Whether there is sound.
        media_type: E.g. ``"video/mp4"``.
        extension: The usual one, with its dot.
        pixel_format: libav's name, e.g. ``"yuv420p10le"``.
    """

    container: str
    codec: str
    width: int
    height: int
    rotation: int
    duration: float
    frames: int
    rate: float
    has_audio: bool
    media_type: str
    extension: str
    pixel_format: str


class VideoSource(Protocol):
    """The frames of one video, from the first to the last, once.

    Attributes:
        info: What is known about the video.
        skipped: Frames left out so far because they cannot be decoded.
        truncated: True, after the last frame, when the video ends earlier than it says.
        end: Seconds at which the frame given last stops being shown: the end of the video, once
            all have been given. At least one interval after its timestamp, within the limits.
    """

    @property
    def info(self) -> VideoInfo: ...

    @property
    def skipped(self) -> int: ...

    @property
    def truncated(self) -> bool: ...

    @property
    def end(self) -> float: ...

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames.

        All have the size of the first one: a picture of another size is scaled to it. Pixels that
        are stored wider or narrower than high are made square. The images
        are writable and belong to the caller. Timestamps are those of the file (so of variable
        rate, where it has one), shifted so that the first frame is at 0.0, and strictly increasing.

        Raises:
            VideoError: A limit is exceeded, or decoding failed for good.
        """
        ...

    def close(self) -> None:
        """Stop decoding and free everything; may be called twice, and from another thread."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
