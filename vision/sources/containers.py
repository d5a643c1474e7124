"""Opens picture files by their headers, and finds out whether their end is there."""

import io
import logging
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from vision.errors import PictureError
from vision.sources.signatures import Format

logger = logging.getLogger(__name__)

MAX_COUNTED_FRAMES: Final = 1000
_ORIENTATION_TAG: Final = 0x0112

# The plug-in is chosen by our own signature and called directly: Image.open would try others, and
# its pixel limit is process-wide state that any library may change.
_PLUGINS: Final[dict[Format, type[ImageFile.ImageFile]]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}

_CUT_OFF: Final = re.compile(
    r"truncat|end of (file|data)|unexpected end|not enough|eof|buffer of at least", re.IGNORECASE
)


@dataclass(slots=True)
class OpenPicture:
    """A picture whose header has been read.

    Attributes:
        data: The whole file.
        format: What its signature says.
        image: Pillow's view of the first frame; its pixels are not decoded yet.
        orientation: EXIF orientation, 1 to 8.
        width: Pixels, after rotation.
        height: Pixels, after rotation.
    """

    data: bytes
    format: Format
    image: ImageFile.ImageFile
    orientation: int
    width: int
    height: int

    @property
    def is_plain_jpeg(self) -> bool:
        """Whether OpenCV may decode it: CMYK is left to Pillow, which knows Adobe's inversion."""
        return self.format == "JPEG" and self.image.mode in {"RGB", "L"}

    def count_frames(self) -> int:
        """Return the number of frames or pages, at most ``MAX_COUNTED_FRAMES``."""
        if self.format in {"JPEG", "BMP"}:
            return 1
        if self.format == "GIF":
            return _count_gif_frames(self.data)
        if self.format == "TIFF":
            return _count_tiff_pages(self.data)
        return min(int(getattr(self.image, "n_frames", 1)), MAX_COUNTED_FRAMES)


def open_picture(data: bytes, kind: Format) -> OpenPicture:
    """Read the header of a picture.

    Raises:
        PictureError: ``truncated_picture``, ``damaged_picture`` or ``too_many_pixels``.
    """
    if _announced_bytes(data, kind) > len(data):
        raise _truncated()
    with decoding_errors():
        image = _open_heif(data) if kind == "HEIF" else _PLUGINS[kind](io.BytesIO(data))
        orientation = _orientation(image, kind)
        width, height = image.size
    if width < 1 or height < 1:
        raise PictureError("damaged_picture", "The picture's header gives it no pixels.")
    if orientation >= 5:
        width, height = height, width
    return OpenPicture(data, kind, image, orientation, width, height)


def check_complete(picture: OpenPicture) -> None:
    """Refuse a file whose end is missing, where the decoder itself would not notice.

    OpenCV fills what is missing from a JPEG with grey. A complete one holds an end-of-image marker
    after its last start of scan; where that is in doubt (a file in a file, odd bytes after the
    end) Pillow, which is strict, decodes it once more.

    Raises:
        PictureError: ``truncated_picture``.
    """
    data = picture.data
    if picture.format != "JPEG":
        return
    end = data.rfind(b"\xff\xd9")
    if end >= 0 and data.find(b"\xff\xda", end) < 0:
        return
    # A download that stopped may have been padded with zeros, which would decode as picture.
    with decoding_errors():
        JpegImagePlugin.JpegImageFile(io.BytesIO(data.rstrip(b"\0"))).load()


@contextmanager
def decoding_errors() -> Iterator[None]:
    """Turn whatever a decoder raises on hostile data into a PictureError."""
    try:
        yield
    except (PictureError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise PictureError("too_many_pixels", "The picture has too many pixels.") from error
    except Exception as error:  # decoders raise almost anything: IndexError, struct.error, ...
        logger.debug("A picture cannot be decoded: %r", error)
        if isinstance(error, EOFError) or _CUT_OFF.search(str(error)):
            raise _truncated() from error
        raise PictureError(
            "damaged_picture",
            "The picture is damaged, or of a variant that cannot be read.",
        ) from error


def _truncated() -> PictureError:
    return PictureError(
        "truncated_picture", "The end of the picture is missing; send the complete file."
    )


def _open_heif(data: bytes) -> ImageFile.ImageFile:
    # Imported here: the wheel loads a video decoder that most processes never need.
    from pillow_heif import HeifImageFile

    plugin: type[ImageFile.ImageFile] = HeifImageFile
    return plugin(io.BytesIO(data))


def _announced_bytes(data: bytes, kind: Format) -> int:
    """Return how long the file's own container says it is, 0 where it does not say."""
    with suppress(struct.error):
        if kind == "WEBP":
            size: int = struct.unpack_from("<I", data, 4)[0]
            return 8 + (size & ~1)  # the padding byte of an odd size is often left out
        if kind in {"HEIF", "AVIF"}:
            return _end_of_boxes(data)
    return 0


def _end_of_boxes(data: bytes) -> int:
    """Return where the last top-level box of an ISO base media file ends."""
    at = 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
        if size < 8:  # 0: to the end of the file; less is nonsense that the decoder reports
            break
        at += size
    return at


def _orientation(image: ImageFile.ImageFile, kind: Format) -> int:
    """Return the EXIF orientation that the header holds, 1 when there is none or it is damaged."""
    if kind in {"HEIF", "TIFF"}:
        return 1  # these decoders turn the picture themselves
    value: object = None
    with suppress(Exception):  # EXIF comes from outside too, and a picture is good without it
        if image.info.get("exif"):
            exif = Image.Exif()
            exif.load(image.info["exif"])
            value = exif.get(_ORIENTATION_TAG)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _count_gif_frames(data: bytes) -> int:
    """Walk a GIF's blocks; Pillow would decode every frame to count them."""
    frames = 0
    try:
        at = 13 + _colour_table(data[10])
        while frames < MAX_COUNTED_FRAMES:
            if data[at] == 0x2C:
                frames += 1
                at += 11 + _colour_table(data[at + 9])
            elif data[at] == 0x21:
                at += 2
            else:
                break
            while data[at]:
                at += 1 + data[at]
            at += 1
    except IndexError:
        pass  # cut off: what was counted so far is there
    return max(1, frames)


def _colour_table(flags: int) -> int:
    """Return the bytes of a GIF colour table that a flags byte announces."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _count_tiff_pages(data: bytes) -> int:
    """Follow the chain of a TIFF's directories, which may be a circle."""
    order = "<" if data[:2] == b"II" else ">"
    seen: set[int] = set()
    with suppress(struct.error):
        (at,) = struct.unpack_from(f"{order}I", data, 4)
        while at and at not in seen and len(seen) < MAX_COUNTED_FRAMES:
            (entries,) = struct.unpack_from(f"{order}H", data, at)
            seen.add(at)
            (at,) = struct.unpack_from(f"{order}I", data, at + 2 + 12 * entries)
    return max(1, len(seen))
