"""Opens a video with libav: one forced demuxer, one file, no protocols, known codecs only."""

import math
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import av.container
import av.error
import av.logging
from av.stream import Disposition
from av.video.stream import VideoStream

from vision.sources.videos.info import VideoError, VideoLimits
from vision.sources.videos.signatures import AVI, Container, sniff_file

VIDEO_CODECS: Final = frozenset(
    {
        *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "h263"),
        *("mjpeg", "prores", "gif", "png", "rawvideo"),
    }
)
# libav opens decoders while it looks for missing parameters: these and no others.
_DECODERS: Final = ",".join(
    (
        *sorted(VIDEO_CODECS),
        *("libdav1d", "aac", "mp3", "mp3float", "opus", "vorbis", "flac", "alac", "ac3", "eac3"),
        *("amrnb", "amrwb", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_f32le", "pcm_u8"),
        *("pcm_alaw", "pcm_mulaw"),
    )
)
_NOT_THE_VIDEO: Final = (
    Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
)
# Matroska tells the length of a single stream in a tag; its header's is that of the longest one.
_TAGGED_DURATION: Final = re.compile(r"(\d{1,6}):(\d\d):(\d\d(?:\.\d{1,12})?)")
_SCAN_SECONDS: Final = 5.0
_FALLBACK_RATE: Final = 25.0


@dataclass(frozen=True, slots=True)
class Outline:
    """What the headers claim, made plausible: seconds, frames (0: unknown), frames per second."""

    duration: float
    frames: int
    rate: float


@dataclass(slots=True)
class OpenVideo:
    """A video whose headers have been read and found within the limits."""

    kind: Container
    file: av.container.InputContainer
    stream: VideoStream
    codec: str
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


def open_file(path: Path, limits: VideoLimits) -> tuple[Container, av.container.InputContainer]:
    """Open a local file with the one demuxer that its signature names.

    Raises:
        VideoError: As ``sniff_file``, or ``truncated_video`` or ``damaged_video``.
    """
    kind = sniff_file(path, limits)
    av.logging.set_level(None)
    try:
        # "file:" keeps a name with a colon from being taken for a protocol.
        opened = av.open(
            f"file:{path.absolute()}",
            "r",
            format=kind.demuxer,
            options={
                "protocol_whitelist": "file",
                "format_whitelist": kind.demuxer,
                "codec_whitelist": _DECODERS,
            },
            metadata_errors="replace",
        )
    except MemoryError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise _unreadable(path, kind) from error
    return kind, opened


def open_checked(path: Path, limits: VideoLimits) -> OpenVideo:
    """Open a video and check what its headers claim, before any frame is decoded.

    Raises:
        VideoError: As ``open_file``, or ``no_video_stream``, ``unsupported_codec`` or one of the
            limits' codes.
    """
    kind, opened = open_file(path, limits)
    try:
        stream = choose_stream(opened)
        codec = _check_codec(stream)
        check_size(stream.codec_context.width, stream.codec_context.height, limits)
        outline = _outline(path, kind, opened, stream, limits)
        _check_outline(outline, limits)
    except BaseException:
        opened.close()
        raise
    # Frame threads cost no more processor time in all, but memory; small pictures need no help.
    stream.thread_count = 2 if stream.codec_context.width >= 1280 else 1
    stream.thread_type = "AUTO"
    return OpenVideo(kind, opened, stream, codec, outline)


def choose_stream(opened: av.container.InputContainer) -> VideoStream:
    """Return the video stream to show: the default one, or the first, never a cover picture.

    Raises:
        VideoError: ``no_video_stream``.
    """
    streams = [s for s in opened.streams.video if not s.disposition & _NOT_THE_VIDEO]
    if not streams:
        what = "only sound" if opened.streams.audio else "no pictures"
        raise VideoError("no_video_stream", f"This file holds {what}; it has no video.")
    return next((s for s in streams if s.disposition & Disposition.default), streams[0])


def check_size(width: int, height: int, limits: VideoLimits) -> None:
    """Refuse pictures beyond the limits.

    Raises:
        VideoError: ``video_too_large``.
    """
    if width * height > limits.max_pixels:
        raise VideoError(
            "video_too_large",
            f"The video has {width:,} x {height:,} pixels; at most "
            f"{limits.max_pixels / 1e6:.3g} million are accepted. Make it smaller first.",
        )
    if max(width, height) > limits.max_side:
        raise VideoError(
            "video_too_large",
            f"The video has {width:,} x {height:,} pixels; at most {limits.max_side:,} along a "
            "side are accepted.",
        )


def check_progress(index: int, timestamp: float, limits: VideoLimits) -> None:
    """Refuse to go on where a video is longer, or has more frames, than its headers said.

    Raises:
        VideoError: ``video_too_long``, ``too_many_frames`` or ``rate_too_high``.
    """
    if timestamp > limits.max_seconds:
        raise _too_long(timestamp, limits)
    if index >= limits.max_frames:
        raise _too_many_frames(index + 1, limits)
    # Two seconds' grace: a repaired time line may start with a cluster of frames.
    if index > limits.max_rate * (timestamp + 2.0):
        raise _rate_too_high(limits)


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


def _check_outline(outline: Outline, limits: VideoLimits) -> None:
    if outline.duration > limits.max_seconds:
        raise _too_long(outline.duration, limits)
    if outline.frames > limits.max_frames:
        raise _too_many_frames(outline.frames, limits)
    if outline.rate > limits.max_rate:
        raise _rate_too_high(limits)


def _outline(
    path: Path,
    kind: Container,
    opened: av.container.InputContainer,
    stream: VideoStream,
    limits: VideoLimits,
) -> Outline:
    duration = _claimed_duration(opened, stream)
    # A frame takes at least a byte: a count beyond that is a lie and not believed.
    frames = stream.frames if 0 < stream.frames <= path.stat().st_size else 0
    if duration <= 0:
        duration, frames = _scan(path, kind, limits)
    average = frames / duration if frames > 1 and duration > 0 else _FALLBACK_RATE
    rate = _claimed_rate(stream) or average
    if kind is AVI and stream.time_base:
        # Its tick is one frame. libav takes the length from the bytes that are there, the header
        # knows what should be.
        rate = float(1 / stream.time_base)
        duration = max(duration, frames / rate)
    expected = math.ceil(duration * rate)
    # A cut by an edit list shows fewer frames than the table counts.
    return Outline(duration, min(frames, expected) if frames else expected, rate)


def _claimed_duration(opened: av.container.InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return max(0.0, float(stream.duration * stream.time_base))
    tagged = _TAGGED_DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    if tagged is not None:
        hours, minutes, seconds = tagged.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return max(0.0, (opened.duration or 0) / 1_000_000)


def _claimed_rate(stream: VideoStream) -> float | None:
    """Return the stream's own rate, unless it is only the tick of its clock."""
    tick = float(1 / stream.time_base) if stream.time_base else 0.0
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < float(rate) < max(tick, 1.0):
            return float(rate)
    return None


def _scan(path: Path, kind: Container, limits: VideoLimits) -> tuple[float, int]:
    """Find seconds and frames by walking over the packets, where headers are silent.

    Recordings that a browser makes have no duration. What a few seconds of reading do not reach
    is extrapolated from the bytes.
    """
    first: float | None = None
    last, count, position = 0.0, 0, 0
    give_up = time.monotonic() + _SCAN_SECONDS
    reached_end = True
    _, opened = open_file(path, limits)
    try:
        stream = choose_stream(opened)
        for packet in opened.demux(stream):
            if packet.size == 0 or packet.pts is None:
                continue
            seconds = float(packet.pts * packet.time_base)
            first = seconds if first is None else min(first, seconds)
            last, count = max(last, seconds), count + 1
            position = max(position, packet.pos or 0)
            if time.monotonic() > give_up or count > limits.max_frames:
                reached_end = False
                break
    except av.error.FFmpegError:
        pass  # the end of what can be read is the end that counts here
    finally:
        opened.close()
    if first is None or count < 2:
        return 0.0, count
    span = (last - first) * count / (count - 1)
    share = 1.0 if reached_end or position <= 0 else min(1.0, position / path.stat().st_size)
    return span / share, round(count / share)


def _unreadable(path: Path, kind: Container) -> VideoError:
    if kind.demuxer == "mov" and not _has_movie_box(path):
        return VideoError(
            "truncated_video",
            "The video is incomplete: the table of its frames, which is written last, is missing. "
            "Upload it again.",
        )
    return VideoError("damaged_video", "The video is damaged: its headers cannot be read.")


def _has_movie_box(path: Path) -> bool:
    """Walk over the top-level boxes; a file that was cut off has no ``moov``."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        at = 0
        for _ in range(1000):
            stream.seek(at)
            header = stream.read(16)
            if len(header) < 8:
                return False
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if header[4:8] == b"moov":
                return at + length <= size
            if length < 8:
                return False
            at += length
    return False


def _too_long(seconds: float, limits: VideoLimits) -> VideoError:
    return VideoError(
        "video_too_long",
        f"The video is {seconds / 60:,.3g} minutes long; at most {limits.max_seconds / 60:,.3g} "
        "are accepted. Cut it into parts.",
    )


def _too_many_frames(frames: int, limits: VideoLimits) -> VideoError:
    return VideoError(
        "too_many_frames",
        f"The video has {frames:,} frames or more; at most {limits.max_frames:,} are accepted. "
        "Cut it into parts.",
    )


def _rate_too_high(limits: VideoLimits) -> VideoError:
    return VideoError(
        "rate_too_high",
        f"The video has more than {limits.max_rate:g} frames per second, which is the most that "
        "is accepted.",
    )
