"""What the patterns are drawn with: noise, colours, soft steps; no chance but a seed."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SIDE",
    "Canvas",
    "Plane",
    "as_picture",
    "blend",
    "distance_within",
    "grid",
    "noise",
    "palette",
    "ramp",
    "step",
]

SIDE: Final = 768
"""Pixels of a side as every pattern is drawn; other sizes are made of that."""
_SHADES: Final = 1024  # of a ramp

Canvas = NDArray[np.float32]
"""(SIDE, SIDE, 3) BGR in 0..1."""
Plane = NDArray[np.float32]
"""(SIDE, SIDE)."""


def grid() -> tuple[Plane, Plane]:
    """Return x and y of every pixel, 0..1, to the right and downwards."""
    line = (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(SIDE)
    x, y = np.meshgrid(line, line)
    return x, y


def noise(random: np.random.Generator, cells: int | tuple[int, int], octaves: int = 1) -> Plane:
    """Return smooth noise of mean 0, most of it within -1..1.

    Args:
        random: Where chance comes from.
        cells: Of the coarsest octave, along a side; or along height and width.
        octaves: Each has half the size and half the strength of the one before.
    """
    rows, columns = (cells, cells) if isinstance(cells, int) else cells
    total = np.zeros((SIDE, SIDE), np.float32)
    strength = 1.0
    for _ in range(octaves):
        coarse = random.uniform(-strength, strength, (rows + 1, columns + 1)).astype(np.float32)
        total += cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        rows, columns, strength = rows * 2, columns * 2, strength / 2
    return total


def palette(*colours: str) -> NDArray[np.float32]:
    """Return (N, 3) BGR in 0..1 of colours that are written as ``"rrggbb"``."""
    values = [[int(colour[at : at + 2], 16) / 255 for at in (4, 2, 0)] for colour in colours]
    return np.array(values, np.float32)


def ramp(colours: NDArray[np.float32], at: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return colours between those of a palette; 0 is its first, 1 its last."""
    places = np.linspace(0, len(colours) - 1, _SHADES)
    stops = np.arange(len(colours))
    channels = [np.interp(places, stops, colours[:, channel]) for channel in range(3)]
    shades = np.stack(channels, axis=-1).astype(np.float32)
    chosen: NDArray[np.float32] = shades[
        np.rint(np.clip(at, 0, 1) * (_SHADES - 1)).astype(np.int16)
    ]
    return chosen


def step(values: NDArray[np.floating], begin: float, end: float) -> NDArray[np.float32]:
    """Return 0 before ``begin``, 1 after ``end``, and a soft way between."""
    share = np.clip((values - begin) / (end - begin), 0, 1)
    soft: NDArray[np.float32] = (share * share * (3 - 2 * share)).astype(np.float32)
    return soft


def blend(below: Canvas, above: NDArray[np.float32], share: Plane) -> Canvas:
    """Return ``above`` laid over ``below``; it covers where the share is 1.

    Args:
        below: What is there.
        above: A canvas, or one colour (3,).
        share: 0..1.
    """
    result: Canvas = below + (above - below) * share[..., None]
    return result


def distance_within(mask: NDArray[np.bool_]) -> Plane:
    """Return how many pixels lie between each pixel of a mask and its outline; 0 outside."""
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(inside, np.float32)


def as_picture(canvas: Canvas) -> NDArray[np.uint8]:
    """Return a canvas as (SIDE, SIDE, 3) uint8 BGR."""
    picture: NDArray[np.uint8] = np.rint(np.clip(canvas, 0, 1) * 255).astype(np.uint8)
    return picture
