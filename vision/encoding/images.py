"""Arrays to picture files."""

import cv2
import numpy as np
from numpy.typing import NDArray


def encode_jpeg(image: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Return a JPEG file.

    Args:
        image: (H, W, 3) or (H, W) uint8, BGR.
        quality: 1..100.

    Raises:
        ValueError: The image cannot be encoded, e.g. because a side exceeds 65,535 pixels.
    """
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_png(image: NDArray[np.uint8], compression: int = 3) -> bytes:
    """Return a PNG file.

    Args:
        image: (H, W, 3) or (H, W) uint8, BGR.
        compression: 0 (fast) to 9 (small).

    Raises:
        ValueError: The image cannot be encoded.
    """
    return _encode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, compression])


def _encode(extension: str, image: NDArray[np.uint8], options: list[int]) -> bytes:
    try:
        done, encoded = cv2.imencode(extension, image, options)
    except cv2.error as error:
        raise ValueError(f"an array of shape {image.shape} cannot be encoded") from error
    if not done:
        raise ValueError(f"an array of shape {image.shape} cannot be encoded")
    return encoded.tobytes()
