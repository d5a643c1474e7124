"""Great waves: combers that roll over one another, in bands of indigo with foam on their crests."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.style.patterns.tools import (
    SIDE,
    Canvas,
    Plane,
    as_picture,
    blend,
    distance_within,
    grid,
    noise,
    palette,
    ramp,
    step,
)

__all__ = ["paint"]

_SKY: Final = palette("e6cfa6", "f1e2c3", "f7eedb")
_SUN: Final = palette("e2603a")[0]
_FOAM: Final = palette("fbf7ea")[0]
_INK: Final = palette("0f1f3d")[0]
_BANDS: Final = palette("cfe3e0", "7fb2c4", "3d7ea6", "245a8d", "173f70", "122e57")
# From the farthest to the nearest: y of its middle, height, length, where it begins
_WAVES: Final = (
    *((0.37, 0.055, 0.27, 0.05), (0.46, 0.085, 0.36, 0.22), (0.58, 0.120, 0.48, 0.02)),
    *((0.73, 0.155, 0.64, 0.30), (0.94, 0.180, 0.84, 0.72)),
)
_DROPS: Final = 34  # of spray over each crest


def paint() -> NDArray[np.uint8]:
    """Return the picture, (SIDE, SIDE, 3) uint8 BGR."""
    random = np.random.default_rng(47)
    canvas = _sky(random)
    for middle, height, length, begin in _WAVES:
        crest = _crest(middle, height, length, begin)
        canvas = _wave(canvas, crest, height, random)
        _spray(canvas, middle, height, length, begin, random)
    grain = 1 + 0.03 * noise(random, 220) + 0.025 * noise(random, (200, 12))
    return as_picture(canvas * grain[..., None])


def _sky(random: np.random.Generator) -> Canvas:
    x, y = grid()
    canvas = ramp(_SKY, y * 1.9 + 0.10 * noise(random, (8, 3), 2))
    far = np.hypot(x - 0.33, y - 0.18)
    canvas = blend(canvas, _SUN, 1 - step(far, 0.116, 0.120))
    mist = step(np.sin(y * 62 + 1.2 * noise(random, (3, 4), 2)), 0.55, 0.75)
    return blend(canvas, _SKY[2], mist * (0.75 * step(y, 0.10, 0.22)))


def _crest(middle: float, height: float, length: float, begin: float) -> NDArray[np.int32]:
    """Return the outline of a row of combers, (N, 2) pixels, closed below the picture.

    Each rises slowly, leans over and curls in.
    """
    share = np.linspace(0, 1, 160, endpoint=False)
    turn = 2 * np.pi * share
    lean = 0.30 * length * np.sin(np.pi * share) ** 3
    rise = 0.5 - 0.5 * np.cos(turn)
    across, up = share * length + lean * 1.25, rise**1.6
    curl = np.exp(-np.square((share - 0.60) / 0.085))
    across = across + 0.20 * length * curl
    up = up - 0.26 * curl
    waves = np.arange(-2, int(1 / length) + 3)
    x = (begin + waves[:, None] * length + across[None]).ravel()
    y = np.tile(middle + height * (0.9 - 2 * up), len(waves))
    line = np.stack([x, y], axis=1) * SIDE
    below = np.array([(line[-1, 0], 2.0 * SIDE), (line[0, 0], 2.0 * SIDE)])
    outline: NDArray[np.int32] = np.rint(np.concatenate([line, below])).astype(np.int32)
    return outline


def _wave(
    canvas: Canvas, crest: NDArray[np.int32], height: float, random: np.random.Generator
) -> Canvas:
    filled = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(filled, [crest], 1)
    depth = distance_within(filled.astype(bool))
    scale = height * SIDE
    wobble = noise(random, 26, 3)
    fingers = depth / scale + 0.035 * wobble + 0.03 * noise(random, 60)
    bands = _banded(depth / scale * 1.5 + 0.03 * wobble)
    canvas = blend(canvas, bands, step(depth, 0.2, 1.6))
    foam = 1 - step(fingers, 0.15, 0.165)
    canvas = blend(canvas, _FOAM, foam * step(depth, 0.2, 1.6))
    seam = np.exp(-np.square((fingers - 0.165) * scale / 1.3))
    outline = np.exp(-np.square((depth - 1.6) / 1.2))
    ink = np.maximum(seam, outline) * (depth > 0)
    return blend(canvas, _INK, ink.astype(np.float32))


def _banded(depth: Plane) -> Canvas:
    """Return bands of blue that follow the crest, darker downwards, with thin lines between."""
    count = 7.0
    place = depth * count
    number = np.floor(place)
    shade = ramp(_BANDS, (number % 4) / 5 + 0.16 * np.minimum(depth, 2))
    line = 1 - step(place - number, 0.10, 0.22)
    return blend(shade, _INK, (0.55 * line).astype(np.float32))


def _spray(
    canvas: Canvas,
    middle: float,
    height: float,
    length: float,
    begin: float,
    random: np.random.Generator,
) -> None:
    """Throw drops of foam over every crest."""
    colour = _FOAM.tolist()
    for number in range(-2, int(1 / length) + 3):
        x = begin + (number + 1.10) * length + random.normal(0, 0.13 * length, _DROPS)
        y = middle - height * (0.35 + np.abs(random.normal(0.25, 0.5, _DROPS)))
        radii = SIDE * height * random.uniform(0.008, 0.03, _DROPS)
        for place in np.rint(np.stack([x * SIDE, y * SIDE, radii], axis=1) * 16).astype(int):
            cv2.circle(canvas, place[:2].tolist(), int(place[2]), colour, -1, cv2.LINE_AA, 4)
