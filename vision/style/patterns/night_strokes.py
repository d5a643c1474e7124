"""Night strokes: thick paint that follows the wind of a sky full of stars, over dark hills."""

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
    grid,
    noise,
    palette,
    ramp,
    step,
)

__all__ = ["paint"]

_SKY: Final = palette("0a1440", "12287a", "1f4fae", "3f86cf", "8fc7e0", "dcecc8")
_GLOW: Final = palette("fff6b8", "ffd84a", "f0a520", "3f86cf")
_HILLS: Final = palette("07122b", "0e2c3c", "1c4d4a", "3c7a52")
# x, y, radius of what shines; the first is the moon
_LIGHTS: Final = (
    *((0.80, 0.17, 0.105), (0.14, 0.13, 0.05), (0.36, 0.08, 0.036), (0.56, 0.20, 0.044)),
    *((0.08, 0.40, 0.040), (0.32, 0.50, 0.032), (0.93, 0.45, 0.042), (0.47, 0.53, 0.026)),
)
# x, y, radius, sense of the winds
_WINDS: Final = ((0.38, 0.29, 0.15, 1.0), (0.64, 0.37, 0.11, -1.0), (0.15, 0.26, 0.09, 1.0))
_POINTS: Final = 7
_FRACTION: Final = 4  # binary digits behind the point of coordinates, as OpenCV wants them


def paint() -> NDArray[np.uint8]:
    """Return the picture, (SIDE, SIDE, 3) uint8 BGR."""
    random = np.random.default_rng(23)
    angles, colours = _flow(random), _under(random)
    canvas = as_picture(colours)
    for spacing, width in ((16.0, 11), (13.0, 6), (10.5, 4)):
        _cover(canvas, angles, colours, spacing, width, random)
    return _relief(canvas)


def _horizon(x: Plane) -> Plane:
    """Return y of the hills' outline above each pixel."""
    rolling = 0.05 * np.sin(x * 7.2 + 0.6) + 0.03 * np.sin(x * 15.5)
    line: Plane = (0.76 - rolling - 0.10 * x).astype(np.float32)
    return line


def _flow(random: np.random.Generator) -> Plane:
    """Return the direction of the paint at each pixel, in radians."""
    x, y = grid()
    drift = 0.25 * noise(random, 4, 2)
    along, down = np.cos(drift), np.sin(drift)
    whirls = [(*wind[:3], 3.2 * wind[3]) for wind in _WINDS]
    whirls += [(*light, 4.5) for light in _LIGHTS]
    for centre_x, centre_y, radius, strength in whirls:
        right, below = x - centre_x, y - centre_y
        far = np.sqrt(right**2 + below**2) + 1e-4
        pull = strength * np.exp(-((far / (1.5 * radius)) ** 2))
        along, down = along - pull * below / far, down + pull * right / far
    angles = np.arctan2(down, along)
    ground = step(y - _horizon(x), -0.01, 0.01) > 0.5
    slopes = np.arctan(np.gradient(_horizon(x)[0]) * SIDE).astype(np.float32)
    turned: Plane = np.where(ground, slopes[None] + 0.35 * noise(random, 6, 2), angles).astype(
        np.float32
    )
    return turned


def _under(random: np.random.Generator) -> Canvas:
    """Return what colour the paint has at each pixel."""
    x, y = grid()
    mist = 0.30 + 0.32 * y + 0.20 * noise(random, 5, 4)
    for centre_x, centre_y, radius, _ in _WINDS:
        right, below = x - centre_x, y - centre_y
        far = np.sqrt(right**2 + below**2) / radius
        arms = np.cos(2 * np.arctan2(below, right) + 6.5 * far)
        mist += 0.30 * arms * np.exp(-(far**2) / 1.6)
    colours = ramp(_SKY, mist)
    for light in _LIGHTS:
        _shine(colours, *light)
    depth = y - _horizon(x)
    hills = ramp(_HILLS, 0.32 + 0.30 * np.sin(depth * 34 + 3 * x) + 0.28 * noise(random, 9, 3))
    result: Canvas = np.where(depth[..., None] > 0, hills, colours).astype(np.float32)
    return result


def _shine(colours: Canvas, centre_x: float, centre_y: float, radius: float) -> None:
    """Lay a light with its rings over a part of the sky."""
    x, y = grid()
    reach = 2.2 * radius
    rows, columns = (
        slice(max(0, int((middle - reach) * SIDE)), int((middle + reach) * SIDE))
        for middle in (centre_y, centre_x)
    )
    area = (rows, columns)
    far = np.hypot(x[area] - centre_x, y[area] - centre_y) / radius
    glow = ramp(_GLOW, far / 1.7 + 0.10 * np.cos(far * 9))
    share = np.exp(-((far / 1.25) ** 4))[..., None]
    colours[area] += (glow - colours[area]) * share


def _cover(
    canvas: NDArray[np.uint8],
    angles: Plane,
    colours: Canvas,
    spacing: float,
    width: int,
    random: np.random.Generator,
) -> None:
    """Lay strokes over all of a picture, in a random order."""
    line = np.arange(spacing / 2, SIDE, spacing)
    starts = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    starts += random.uniform(-0.6, 0.6, starts.shape) * spacing
    random.shuffle(starts)
    paths = _follow(starts, angles, 2.4 * width**0.5)
    columns, rows = paths[:, _POINTS // 2].astype(int).clip(0, SIDE - 1).T
    tints = colours[rows, columns] * random.normal(1, 0.11, (len(paths), 1))
    tints = 255 * (tints + random.normal(0, 0.022, (len(paths), 3)))
    points = np.rint(paths * 2**_FRACTION).astype(np.int32)
    for path, tint in zip(points, tints.clip(0, 255).tolist(), strict=True):
        cv2.polylines(canvas, [path], False, tint, width, cv2.LINE_AA, _FRACTION)


def _follow(starts: NDArray[np.float64], angles: Plane, length: float) -> NDArray[np.float64]:
    """Return (N, _POINTS, 2) x and y in pixels of paths with the flow."""
    places = starts.copy()
    path = []
    for _ in range(_POINTS):
        path.append(places.copy())
        columns, rows = places.astype(int).clip(0, SIDE - 1).T
        angle = angles[rows, columns]
        places += length * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.stack(path, axis=1)


def _relief(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture as thick paint in a light from above on the left."""
    height = cv2.GaussianBlur(
        cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 1
    )
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0) + cv2.Sobel(height, cv2.CV_32F, 0, 1)
    lit = picture + np.clip(slope * np.float32(0.16), -26, 30)[..., None]
    return np.asarray(np.rint(lit).clip(0, 255), np.uint8)
