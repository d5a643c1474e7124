"""Checks what callers hand to the engine, before it costs anything."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from vision.detection.candidates import Query
from vision.detection.letterbox import STRIDE
from vision.errors import PictureError, VisionError

__all__ = ["INPUT_SIZES", "check_image", "check_query"]

INPUT_SIZES: Final = range(160, 1280 + STRIDE, STRIDE)
"""Longer sides that a network's input may have, in pixels."""


def check_image(image: Any, index: int) -> None:
    """Accept (H, W, 3) uint8 arrays with at least one pixel.

    Raises:
        PictureError: ``bad_array``, naming expected and actual shape.
    """
    if not isinstance(image, np.ndarray):
        found = type(image).__name__
    elif image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        found = f"{image.dtype} {image.shape}"
    else:
        return
    raise PictureError("bad_array", f"Expected uint8 (H, W, 3) for image {index}, got {found}.")


def check_query(
    confidence: float, iou: float, classes: Sequence[int] | None, input_size: int | None
) -> Query:
    """Return the query of a call.

    Raises:
        VisionError: ``bad_threshold`` or ``bad_input_size``.
    """
    for name, value in (("confidence", confidence), ("iou", iou)):
        if not 0 <= value <= 1:
            raise VisionError("bad_threshold", f"The {name} must lie in 0..1, got {value}.")
    if input_size is not None and input_size not in INPUT_SIZES:
        raise VisionError(
            "bad_input_size",
            f"The longer side of the network's input is a multiple of {STRIDE} from "
            f"{INPUT_SIZES.start} to {INPUT_SIZES[-1]}, not {input_size}.",
        )
    wanted = None if classes is None else tuple(int(c) for c in classes)
    return Query(confidence, wanted, input_size)
