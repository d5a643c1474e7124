"""Opens a video with libav: one forced demuxer, one file, no protocols, known codecs only."""

from pathlib import Path
from typing import Final

import av
import av.container
import av.error
import av.logging
from av.stream import Disposition
from av.video.stream import VideoStream

from vision.sources.videos.info import VIDEO_CODECS, VideoError, VideoLimits
from vision.sources.videos.signatures import Container, sniff_file

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
