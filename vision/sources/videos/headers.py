"""Opens a video and judges its headers, before any frame is decoded."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av.container
from av.video.stream import VideoStream

from vision.sources.videos.demuxing import choose_stream, open_file
from vision.sources.videos.info import VIDEO_CODECS, VideoError, VideoLimits
from vision.sources.videos.limits import check_claims, check_size
from vision.sources.videos.outline import Outline, outline_of
from vision.sources.videos.pixels import display_size
from vision.sources.videos.signatures import AVI, Container

# Pixels of real formats are up to 2.5 times as wide as high; beyond this it is an error.
_NARROWEST: Final = Fraction(1, 4)
_WIDEST: Final = Fraction(4)
# Programs that scale videos leave ratios like 1279:1280, for less than a pixel's difference.
_NEARLY_SQUARE: Final = Fraction(1, 100)


@dataclass(slots=True)
class OpenVideo:
    """A video whose headers have been read and found within the limits.

    Attributes:
        aspect: Width of a stored pixel by its height, as it is displayed.
    """

    kind: Container
    file: av.container.InputContainer
    stream: VideoStream
    codec: str
    aspect: Fraction
    outline: Outline

    @property
    def has_times(self) -> bool:
        """Whether the container says when frames are shown; AVI says when they are decoded."""
        return self.kind is not AVI

    @property
    def has_audio(self) -> bool:
        """Whether there is at least one audio stream."""
        return bool(self.file.streams.audio)

    def close(self) -> None:
        """Close the file."""
        self.file.close()


def open_checked(path: Path, limits: VideoLimits) -> OpenVideo:
    """Open a video and check what its headers claim.

    Raises:
        VideoError: As ``open_file``, or ``no_video_stream``, ``unsupported_codec`` or one of the
            limits' codes.
    """
    kind, opened = open_file(path, limits)
    try:
        stream = choose_stream(opened)
        codec = _check_codec(stream)
        aspect = pixel_aspect(stream)
        check_sizes(stream.codec_context.width, stream.codec_context.height, aspect, limits)
        outline = outline_of(path, kind, opened, stream, limits)
        check_claims(
            duration=outline.duration, frames=outline.frames, rate=outline.rate, limits=limits
        )
    except BaseException:
        opened.close()
        raise
    # Frame threads cost no more processor time in all, but memory; small pictures need no help.
    stream.thread_count = 2 if stream.codec_context.width >= 1280 else 1
    stream.thread_type = "AUTO"
    return OpenVideo(kind, opened, stream, codec, aspect, outline)


def check_sizes(width: int, height: int, aspect: Fraction, limits: VideoLimits) -> None:
    """Refuse pictures beyond the limits, as they are stored or as they are displayed.

    Raises:
        VideoError: ``video_too_large``.
    """
    check_size(width, height, limits)
    check_size(*display_size(width, height, aspect), limits)


def _check_codec(stream: VideoStream) -> str:
    context = stream.codec_context
    # A stream whose codec libav cannot decode at all comes without a context.
    name = context.codec.canonical_name if context is not None else "unknown"
    if name not in VIDEO_CODECS:
        raise VideoError(
            "unsupported_codec",
            f"The video's codec ({name}) is not supported; H.264, H.265, AV1, VP8, VP9, MPEG-4, "
            "MPEG-2, ProRes and Motion JPEG are.",
        )
    return name


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Return the width of a stored pixel by its height; wild claims count as square."""
    aspect = stream.sample_aspect_ratio
    if not aspect or not _NARROWEST <= aspect <= _WIDEST:
        return Fraction(1)
    return Fraction(1) if abs(aspect - 1) < _NEARLY_SQUARE else aspect
