"""Tells what a file is from its first bytes; its name is never asked."""

import re
import struct
from typing import Final, Literal

from vision.errors import PictureError

Format = Literal["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "HEIF", "AVIF"]

_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_BMP_HEADERS: Final = frozenset({12, 40, 52, 56, 64, 108, 124})

_PICTURES: Final[tuple[tuple[bytes, Format], ...]] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)

# What is refused by name, so that a person learns what they sent.
_REFUSED: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "an archive or office document"),
    (b"PK\x05\x06", "an archive"),
    (b"\x1f\x8b", "an archive"),
    (b"Rar!", "an archive"),
    (b"7z\xbc\xaf\x27\x1c", "an archive"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"\x00\x00\x01\xba", "a video"),
    (b"\x00\x00\x01\xb3", "a video"),
    (b"FLV\x01", "a video"),
    (b"OggS", "a video or sound file"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a video"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"II+\x00", "a BigTIFF picture"),
    (b"MM\x00+", "a BigTIFF picture"),
)

_MARKUP: Final = re.compile(
    # Atomic: on endless comments a backtracking search would take for ever.
    rb"(?>\s+|<\?xml[^>]*>|<!--.*?-->|<!doctype[^>]*>)*+<(svg|html|head|body|script)\b",
    re.IGNORECASE | re.DOTALL,
)
_SUPPORTED: Final = "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC and AVIF pictures can be read."


def sniff_format(data: bytes) -> Format:
    """Return the picture format that a file's first bytes announce.

    Raises:
        PictureError: ``unsupported_format`` for a known kind of file that is no readable picture,
            ``not_a_picture`` for anything else.
    """
    for signature, name in _PICTURES:
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF":
        return _sniff_riff(data)
    if data[4:8] == b"ftyp":
        return _sniff_iso_media(data)
    if _is_bmp(data):
        return "BMP"
    raise _refusal(data)


def _sniff_riff(data: bytes) -> Format:
    if data[8:12] == b"WEBP":
        return "WEBP"
    raise _unsupported("a video" if data[8:12] == b"AVI " else "a sound or data file")


def _sniff_iso_media(data: bytes) -> Format:
    """Judge an ISO base media file by its brands: HEIC and AVIF share the box with MP4."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    major = data[8:12]
    compatible = {data[at : at + 4] for at in range(16, size - 3, 4)}
    if major in _AVIF_BRANDS or (major in {b"mif1", b"msf1"} and compatible & _AVIF_BRANDS):
        return "AVIF"
    if major in _HEIF_BRANDS:
        return "HEIF"
    raise _unsupported("a video")


def _is_bmp(data: bytes) -> bool:
    """Two letters are a weak signature: text may begin with "BM", so the header is read too."""
    if data[:2] != b"BM" or len(data) < 18:
        return False
    reserved, _, header_size = struct.unpack_from("<III", data, 6)
    return reserved == 0 and header_size in _BMP_HEADERS


def _refusal(data: bytes) -> PictureError:
    for signature, what in _REFUSED:
        if data.startswith(signature):
            return _unsupported(what)
    head = data[:4096].removeprefix(b"\xef\xbb\xbf")
    markup = _MARKUP.match(head)
    if markup is not None:
        svg = markup[1].lower() == b"svg"
        return _unsupported("an SVG drawing" if svg else "a web page")
    if data[:1] == b"\x47" and data[188:189] == b"\x47":
        return _unsupported("a video")
    return PictureError("not_a_picture", f"This file is not a picture. {_SUPPORTED}")


def _unsupported(what: str) -> PictureError:
    if "video" in what:
        return PictureError(
            "unsupported_format", f"This file is {what}; videos are not pictures. {_SUPPORTED}"
        )
    return PictureError("unsupported_format", f"This file is {what}. {_SUPPORTED}")
