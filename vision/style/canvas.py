"""Pictures on their way into the network and back: sizes, colours, arrays and tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vision.style.colours import luminance, match_luminance, with_chroma_of
from vision.style.config import GatysOptions
from vision.style.sizes import fit

__all__ = ["Canvas", "make_canvas"]

Image = NDArray[np.uint8]

_NOISE: Final = 0.2  # standard deviation of the noise around mid grey, of 0..1


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """What is painted from, at the size of the result.

    Pictures are float32 in 0..1: (H, W, 3) RGB, or (H, W, 1) luminance where colours are kept.

    Attributes:
        content: What is to be seen.
        style: How; of its own size.
        start: What the first step begins with.
        colours: (H, W, 3) uint8 BGR whose chroma is kept, or None.
    """

    content: NDArray[np.float32]
    style: NDArray[np.float32]
    start: NDArray[np.float32]
    colours: Image | None

    @property
    def height(self) -> int:
        """Pixels of the result."""
        return int(self.content.shape[0])

    @property
    def width(self) -> int:
        """Pixels of the result."""
        return int(self.content.shape[1])

    def finish(self, picture: torch.Tensor) -> Image:
        """Return (H, W, 3) uint8 BGR of a (1, C, H, W) picture."""
        values = picture[0].permute(1, 2, 0).cpu().numpy()
        if self.colours is not None:
            return with_chroma_of(self.colours, values[:, :, 0])
        rounded = np.rint(values[:, :, ::-1] * np.float32(255)).clip(0, 255)
        return np.ascontiguousarray(rounded.astype(np.uint8))


def make_canvas(
    content: Image,
    style: Image,
    start: Image | None,
    height: int,
    width: int,
    options: GatysOptions,
) -> Canvas:
    """Return what is painted from.

    The style is reduced to as many pixels as the content has, so that its strokes are as large in
    the result as beside it; a smaller one stays as it is.

    Args:
        content: (H, W, 3) uint8 BGR.
        style: (H, W, 3) uint8 BGR.
        start: (H, W, 3) uint8 BGR, or None.
        height: Pixels of the result.
        width: Pixels of the result.
        options: What is wished.

    Raises:
        PictureError: ``too_small``: the style has fewer than 16 pixels on a side.
    """
    rows, columns = style.shape[:2]
    scale = (height * width / (rows * columns)) ** 0.5
    style_size = fit(rows, columns, longer_side=round(max(rows, columns) * scale))
    reduced = _resized(content, height, width)
    if options.keep_colours:
        painted = luminance(reduced)[:, :, None]
        manner = luminance(_resized(style, *style_size))[:, :, None]
        manner = match_luminance(manner, painted).clip(0, 1)
    else:
        painted, manner = _as_floats(reduced), _as_floats(_resized(style, *style_size))
    begin = painted
    if options.start == "noise":
        noise = np.random.default_rng(options.seed).standard_normal(painted.shape, np.float32)
        begin = (np.float32(0.5) + np.float32(_NOISE) * noise).clip(0, 1)
    elif start is not None:
        given = _resized(start, height, width)
        begin = luminance(given)[:, :, None] if options.keep_colours else _as_floats(given)
    return Canvas(painted, manner, begin, reduced if options.keep_colours else None)


def _resized(image: Image, height: int, width: int) -> Image:
    if image.shape[:2] == (height, width):
        return image
    smaller = height * width < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(
        cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=how), np.uint8
    )


def _as_floats(image: Image) -> NDArray[np.float32]:
    return np.ascontiguousarray(image[:, :, ::-1], np.float32) / np.float32(255)
