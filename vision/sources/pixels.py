"""From an opened picture to BGR pixels: every colour mode, turned upright."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.errors import PictureError
from vision.sources.containers import OpenPicture, decoding_errors

_ROTATIONS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}


def decode_jpeg(picture: OpenPicture) -> NDArray[np.uint8]:
    """Decode a greyscale or three-component JPEG with OpenCV: one pass, straight to BGR."""
    pixels = np.frombuffer(picture.data, np.uint8)
    try:
        # The orientation was read once already; two readers could disagree about the size.
        image = cv2.imdecode(pixels, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None or image.shape[1::-1] != picture.image.size:
        raise PictureError(
            "damaged_picture", "The picture is damaged, or of a variant that cannot be read."
        )
    return turn_upright(np.asarray(image, np.uint8), picture.orientation)


def decode_with_pillow(picture: OpenPicture) -> NDArray[np.uint8]:
    """Decode any other picture."""
    with decoding_errors():
        image = picture.image
        image.load()
        upright = turn_upright(_to_bgr(image), picture.orientation)
    if upright.shape[1::-1] != (picture.width, picture.height):
        raise PictureError("damaged_picture", "The picture's header and its pixels disagree.")
    return upright


def turn_upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation (1 to 8) of an (H, W, 3) image; 1 is returned as it is."""
    if orientation in {2, 5, 7}:
        image = np.asarray(cv2.flip(image, 1), np.uint8)
        orientation = {2: 1, 5: 8, 7: 6}[orientation]
    elif orientation == 4:
        return np.asarray(cv2.flip(image, 0), np.uint8)
    if orientation in _ROTATIONS:
        image = np.asarray(cv2.rotate(image, _ROTATIONS[orientation]), np.uint8)
    return image


def _to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I") or image.mode == "F":
        grey = _to_8_bit(np.asarray(image))
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    if image.mode in {"1", "L"} and "transparency" not in image.info:
        grey = np.asarray(image.convert("L"))
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    if image.has_transparency_data:
        image = _over_white(image.convert("RGBA"))
    rgb = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _over_white(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGBA", image.size, (255, 255, 255, 255))
    canvas.alpha_composite(image)
    return canvas.convert("RGB")


def _to_8_bit(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale (H, W) grey levels of more than 8 bits to 0..255; converting them would clip.

    16-bit levels keep their scale. For 32-bit and floating-point levels no file format says what
    white is: 0..1 and 0..255 are taken as they stand when they fit, else lowest..highest.
    """
    if grey.dtype.itemsize == 2:
        return ((grey.astype(np.uint32) + 128) // 257).astype(np.uint8)
    levels = np.nan_to_num(grey.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(levels.min()), float(levels.max())
    if low >= 0 and high <= 65535 and np.issubdtype(grey.dtype, np.integer):
        low, high = 0.0, 255.0 if high <= 255 else 65535.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 1.0 if high <= 1 else 255.0
    scaled = (levels - low) * (255.0 / max(high - low, 1e-12))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
