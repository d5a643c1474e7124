"""Pictures and lookalikes of every awkward kind, made in memory."""

import io
import struct
import zlib
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

WIDTH, HEIGHT = 64, 40
# Colours of the four corners' patches, RGB: they tell every orientation apart.
RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 200, 40), (40, 60, 210), (128, 128, 128)


@cache
def scene(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Four patches: red and green above, blue and grey below."""
    image = Image.new("RGB", (width, height), GREY)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def scene_bgr() -> NDArray[np.uint8]:
    """The scene as an (H, W, 3) BGR array."""
    return np.ascontiguousarray(np.asarray(scene())[..., ::-1])


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """Encode with Pillow."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def jpeg(width: int = WIDTH, height: int = HEIGHT, **options: object) -> bytes:
    """A plain JPEG of the scene."""
    return encode(scene(width, height), "JPEG", **{"quality": 95, **options})


def noise_jpeg(width: int = 320, height: int = 240) -> bytes:
    """A JPEG whose scan is long, so that cutting it anywhere hurts."""
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    return bytes(cv2.imencode(".jpg", pixels)[1])


def rotated(kind: str, orientation: int) -> bytes:
    """The scene, stored turned, with the EXIF orientation that turns it back."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = scene() if undo is None else scene().transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind == "JPEG" else {}
    return encode(stored, kind, exif=exif.tobytes(), **options)


def _png(width: int, height: int, depth: int, colour: int, body: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds a few bytes of one colour."""
    return _png(width, height, 8, 2, zlib.compress(b"\0" * 1000))


def huge_png(side: int = 65_000) -> bytes:
    """A valid PNG of side x side pixels of one colour (1 bit each), a few hundred kilobytes."""
    row = b"\0" + b"\0" * ((side + 7) // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return _png(side, side, 1, 0, body)


def animated(kind: str, frames: int = 3) -> bytes:
    """An animation whose first frame is the scene."""
    rest = [Image.new("RGB", (WIDTH, HEIGHT), (0, 0, 40 * n)) for n in range(1, frames)]
    options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {}
    return encode(scene(), kind, save_all=True, append_images=rest, duration=50, **options)


def cmyk_jpeg() -> bytes:
    """A CMYK JPEG with Adobe's inverted inks."""
    return encode(scene().convert("CMYK"), "JPEG", quality=95)


def ycck_jpeg() -> bytes:
    """The same with its inks stored as luma and chroma (Adobe transform 2)."""
    inks = ImageChops.invert(scene()).convert("YCbCr")
    # Pillow inverts what it writes as CMYK, so it is given the inverse; black stays unused.
    planes = [ImageChops.invert(plane) for plane in inks.split()]
    image = Image.merge("CMYK", [*planes, Image.new("L", inks.size, 0)])
    data = bytearray(encode(image, "JPEG", quality=95))
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


def grey_ramp_16() -> NDArray[np.uint16]:
    """(H, W) levels from 0 to 65535, left to right."""
    return np.tile(np.linspace(0, 65535, WIDTH).astype(np.uint16), (HEIGHT, 1))


def grey_16_png() -> bytes:
    """A 16-bit greyscale PNG."""
    return bytes(cv2.imencode(".png", grey_ramp_16())[1])


def grey_16_tiff(byte_order: str = "<") -> bytes:
    """A 16-bit greyscale TIFF of either byte order."""
    mode = "I;16" if byte_order == "<" else "I;16B"
    levels = grey_ramp_16().astype(f"{byte_order}u2")
    return encode(Image.frombytes(mode, (WIDTH, HEIGHT), levels.tobytes()), "TIFF")


def half_transparent() -> Image.Image:
    """The scene in RGBA: opaque above, invisible below."""
    image = scene().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    opaque = scene().convert("RGBA").crop((0, 0, WIDTH, HEIGHT // 2))
    image.paste(opaque, (0, 0))
    return image


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'
HTML = b"<!DOCTYPE html>\n<html><body>hello</body></html>"
PDF = b"%PDF-1.7\n1 0 obj\n"
ZIP = b"PK\x03\x04\x14\x00\x00\x00"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00" * 64
WEBM = b"\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f\x42\x86" + b"\x00" * 64
AVI = b"RIFF\x00\x10\x00\x00AVI LIST" + b"\x00" * 64
TEXT = b"This is not a picture, whatever its name says.\n"
