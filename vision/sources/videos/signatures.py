"""Tells a video's container from its first bytes; its name is never asked.

The demuxer is chosen here and forced on libav. Left to guess, libav would take a text file for a
playlist and read whatever that points at.
"""

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vision.sources.videos.info import VideoError, VideoLimits

_HEAD: Final = 4096
_SUPPORTED: Final = "MP4, MOV, MKV, WebM, AVI and animated GIF files can be read."

# Boxes that a file of the MP4 and QuickTime family may begin with.
_OLD_QUICKTIME: Final = frozenset({b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot"})
_PICTURE_BRANDS: Final = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}
)

_REFUSED: Final[tuple[tuple[bytes, str], ...]] = (
    (b"FLV\x01", "a Flash video"),
    (b"OggS", "an Ogg file"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media file"),
    (b"\x00\x00\x01\xba", "an MPEG program stream"),
    (b"\x00\x00\x01\xb3", "a bare MPEG stream"),
    (b"\x00\x00\x00\x01", "a bare H.264 or H.265 stream"),
    (b".RMF", "a RealMedia file"),
)
_PLAYLIST: Final = re.compile(
    rb"\s*(#EXTM3U|ffconcat\b|\[playlist\]|v=0\s|<\?xml[^>]*>\s*<MPD\b|<MPD\b|file\s+['\"/])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file.

    Attributes:
        name: As in ``VideoInfo.container``.
        demuxer: libav's name of the one demuxer that may read it.
        media_type: E.g. ``"video/mp4"``.
        extension: The usual one, with its dot.
    """

    name: str
    demuxer: str
    media_type: str
    extension: str


MP4: Final = Container("mp4", "mov", "video/mp4", ".mp4")
MOV: Final = Container("mov", "mov", "video/quicktime", ".mov")
MATROSKA: Final = Container("matroska", "matroska", "video/x-matroska", ".mkv")
WEBM: Final = Container("webm", "matroska", "video/webm", ".webm")
AVI: Final = Container("avi", "avi", "video/x-msvideo", ".avi")
GIF: Final = Container("gif", "gif", "image/gif", ".gif")


def sniff_file(path: Path, limits: VideoLimits) -> Container:
    """Return the container of a local, regular file within the limits.

    Raises:
        VideoError: ``missing_file``, ``empty_file``, ``file_too_large``, ``not_a_video`` or
            ``unsupported_container``.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise VideoError("missing_file", "The video file is not there.") from error
    if not stat.S_ISREG(status.st_mode):
        raise VideoError("not_a_video", "Only a regular file can be read as a video.")
    if status.st_size == 0:
        raise VideoError("empty_file", "The file is empty.")
    if status.st_size > limits.max_bytes:
        raise VideoError(
            "file_too_large",
            f"The file has {_in_mib(status.st_size)} MiB; at most {_in_mib(limits.max_bytes)} "
            "MiB are accepted.",
        )
    try:
        with path.open("rb") as stream:
            return sniff_container(stream.read(_HEAD))
    except OSError as error:
        raise VideoError("missing_file", "The video file cannot be read.") from error


def sniff_container(head: bytes) -> Container:
    """Return the container that a file's first bytes (up to 4 KiB) announce.

    Raises:
        VideoError: ``not_a_video`` or ``unsupported_container``.
    """
    if head[4:8] == b"ftyp":
        return _sniff_iso_media(head)
    if head[4:8] in _OLD_QUICKTIME:
        return MOV
    if head.startswith(b"\x1aE\xdf\xa3"):
        return _sniff_ebml(head)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return AVI
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return GIF
    raise _refusal(head)


def _sniff_iso_media(head: bytes) -> Container:
    brand = head[8:12]
    if brand in _PICTURE_BRANDS:
        raise VideoError("not_a_video", f"This file is a picture, not a video. {_SUPPORTED}")
    return MOV if brand == b"qt  " else MP4


def _sniff_ebml(head: bytes) -> Container:
    """Read the document type: element 0x4282, one byte of length, the name."""
    found = re.search(rb"\x42\x82[\x81-\x90](webm|matroska)", head[:256])
    if found is None:
        raise VideoError(
            "unsupported_container", f"This file is neither Matroska nor WebM. {_SUPPORTED}"
        )
    return WEBM if found[1] == b"webm" else MATROSKA


def _refusal(head: bytes) -> VideoError:
    for signature, what in _REFUSED:
        if head.startswith(signature):
            return VideoError("unsupported_container", f"This file is {what}. {_SUPPORTED}")
    if _is_transport_stream(head):
        return VideoError(
            "unsupported_container", f"This file is an MPEG transport stream. {_SUPPORTED}"
        )
    if _PLAYLIST.match(head.removeprefix(b"\xef\xbb\xbf")):
        return VideoError(
            "not_a_video", f"This file is a playlist that points at other files. {_SUPPORTED}"
        )
    return VideoError("not_a_video", f"This file is not a video. {_SUPPORTED}")


def _is_transport_stream(head: bytes) -> bool:
    return any(
        len(head) > start + 3 * size and all(head[start + i * size] == 0x47 for i in range(4))
        for start, size in ((0, 188), (4, 192))
    )


def _in_mib(size: int) -> str:
    return f"{size / 1024**2:.3g}"
