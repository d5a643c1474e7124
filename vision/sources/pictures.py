"""Pictures from outside: judged by their content, then decoded to BGR arrays.

``inspect_picture`` reads headers only, so a picture of absurd size is refused before one of its
pixels is decoded. ``decode_picture`` gives what a browser shows: turned as EXIF says, transparent
parts over white, the first frame of an animation.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.errors import PictureError
from vision.sources.containers import OpenPicture, check_complete, open_picture
from vision.sources.pixels import decode_jpeg, decode_with_pillow
from vision.sources.signatures import Format, sniff_format

MIB: Final = 1024 * 1024

_MEDIA_TYPES: Final[dict[Format, tuple[str, str]]] = {
    "JPEG": ("image/jpeg", ".jpg"),
    "PNG": ("image/png", ".png"),
    "GIF": ("image/gif", ".gif"),
    "WEBP": ("image/webp", ".webp"),
    "BMP": ("image/bmp", ".bmp"),
    "TIFF": ("image/tiff", ".tiff"),
    "HEIF": ("image/heic", ".heic"),
    "AVIF": ("image/avif", ".avif"),
}


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What is accepted: bytes of the file, pixels in all, pixels along the longer side."""

    max_bytes: int = 50 * MIB
    max_pixels: int = 80_000_000
    max_side: int = 20_000


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What a picture's header says.

    Attributes:
        media_type: E.g. ``"image/jpeg"``.
        format: E.g. ``"JPEG"``.
        width: Pixels, after the EXIF rotation.
        height: Pixels, after the EXIF rotation.
        frames: 1 for a still; frames of an animation or pages of a TIFF, counted up to 1,000.
        extension: The usual one, with its dot.
    """

    media_type: str
    format: str
    width: int
    height: int
    frames: int
    extension: str


_DEFAULT_LIMITS: Final = PictureLimits()


def inspect_picture(data: bytes, limits: PictureLimits = _DEFAULT_LIMITS) -> PictureInfo:
    """Judge a file by its header, without decoding a pixel.

    Args:
        data: The whole file.
        limits: What is accepted.

    Raises:
        PictureError: ``empty_file``, ``file_too_large``, ``not_a_picture``,
            ``unsupported_format``, ``too_many_pixels``, ``side_too_long``, ``truncated_picture``
            or ``damaged_picture``.
    """
    opened = _open_within(data, limits)
    media_type, extension = _MEDIA_TYPES[opened.format]
    return PictureInfo(
        media_type=media_type,
        format=opened.format,
        width=opened.width,
        height=opened.height,
        frames=opened.count_frames(),
        extension=extension,
    )


def decode_picture(data: bytes, limits: PictureLimits = _DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Decode a picture file.

    Args:
        data: The whole file.
        limits: What is accepted; checked on the header before anything is decoded.

    Returns:
        (H, W, 3) uint8, BGR, contiguous and writable. Pixels of 16 bit are scaled to 8.

    Raises:
        PictureError: As ``inspect_picture``; a file whose end is missing is always refused.
    """
    opened = _open_within(data, limits)
    check_complete(opened)
    if opened.is_plain_jpeg:
        return decode_jpeg(opened)
    return decode_with_pillow(opened)


def make_thumbnail(image: NDArray[np.uint8], max_side: int = 480) -> bytes:
    """Return a JPEG whose longer side is at most ``max_side``; pictures are never enlarged.

    Args:
        image: (H, W, 3) uint8, BGR.
        max_side: Pixels.
    """
    height, width = image.shape[:2]
    scale = max_side / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 82])
    if not done:
        raise ValueError(f"cannot encode an image of shape {image.shape}")
    return bytes(encoded)


def _open_within(data: bytes, limits: PictureLimits) -> OpenPicture:
    if not data:
        raise PictureError("empty_file", "The file is empty.")
    if len(data) > limits.max_bytes:
        raise PictureError(
            "file_too_large",
            f"The file has {_in_mib(len(data))} MiB; at most {_in_mib(limits.max_bytes)} MiB "
            "are accepted.",
        )
    opened = open_picture(data, sniff_format(data))
    width, height = opened.width, opened.height
    if width * height > limits.max_pixels:
        raise PictureError(
            "too_many_pixels",
            f"The picture has {width:,} x {height:,} pixels; at most "
            f"{limits.max_pixels / 1e6:g} million are accepted.",
        )
    if max(width, height) > limits.max_side:
        raise PictureError(
            "side_too_long",
            f"The picture is {width:,} x {height:,} pixels; at most {limits.max_side:,} along "
            "a side are accepted.",
        )
    return opened


def _in_mib(size: int) -> str:
    return f"{size / MIB:.3g}"
