"""Pictures made small enough for whoever looks at them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.encoding.images import encode_jpeg

__all__ = ["encode_scaled"]


def encode_scaled(image: NDArray[np.uint8], *, longest: int, quality: int) -> bytes:
    """Return a JPEG file of a picture, reduced where it is larger than wanted.

    Args:
        image: (H, W, 3) uint8 BGR; it is not changed.
        longest: Most pixels of the longer side, at least 1.
        quality: 1..100.
    """
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        # Averaging whole blocks is as quick as the plain way; other steps cost four times that.
        how = cv2.INTER_AREA if scale <= 0.5 else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
    return encode_jpeg(image, quality)
