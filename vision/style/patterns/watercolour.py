"""Watercolour: poppies and cornflowers in washes that ran into wet paper."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.style.patterns.tools import SIDE, Canvas, Plane, as_picture, grid, noise, palette, step

__all__ = ["paint"]

_PAPER: Final = palette("fbf6ea")[0]
_SKIES: Final = palette("5aa9d6", "8f86c9", "e9a6b3", "f4c766")
_LEAVES: Final = palette("4f8f3a", "7ea83f", "2f7f6a", "9dbb4e")
_BLOSSOMS: Final = palette("e0402f", "d9296a", "f08a24", "3f58c4", "7a3fb0", "e8557f")
_HEART: Final = palette("2a2140")[0]
_FLOWERS: Final = 19
_BLADES: Final = 50


def paint() -> NDArray[np.uint8]:
    """Return the picture, (SIDE, SIDE, 3) uint8 BGR."""
    random = np.random.default_rng(61)
    ragged = np.stack([noise(random, 7, 5), noise(random, 7, 5)])
    tooth = noise(random, 230) + 0.5 * noise(random, 110)
    canvas = np.empty((SIDE, SIDE, 3), np.float32)
    canvas[:] = _PAPER
    _sky(canvas, random)
    _meadow(canvas, ragged, tooth, random)
    places = _places(random)
    _stems(canvas, places, random)
    for place in places:
        _flower(canvas, place, ragged, tooth, random)
    _splash(canvas, random)
    canvas *= (1 + 0.022 * tooth)[..., None]
    return as_picture(canvas)


def _glaze(
    canvas: Canvas, colour: NDArray[np.float32], share: Plane, area: tuple[slice, slice]
) -> None:
    """Lay a transparent colour over an area: what is below shows through, darker."""
    canvas[area] *= 1 - share[..., None] * (1 - colour)


def _pool(depth: Plane, wet: float) -> Plane:
    """Return how much pigment dries where: most along the outline of a wash.

    Args:
        depth: Pixels inside the outline; negative outside.
        wet: Pixels over which the outline runs.
    """
    inside = step(depth, -wet, wet)
    rim = np.exp(-np.square((depth - wet) / (1.2 + 0.7 * wet)))
    pigment: Plane = (inside * 0.62 + 0.38 * rim).astype(np.float32)
    return pigment


def _sky(canvas: Canvas, random: np.random.Generator) -> None:
    _, y = grid()
    for number, colour in enumerate(_SKIES):
        cloud = 0.5 + 0.75 * noise(random, (4, 3), 4)
        height = np.exp(-np.square((y - 0.06 - 0.15 * number) / 0.20))
        share = np.clip(cloud, 0, 1) * height * 0.85
        _glaze(canvas, colour, share.astype(np.float32), np.s_[:, :])


def _meadow(canvas: Canvas, ragged: Plane, tooth: Plane, random: np.random.Generator) -> None:
    x, y = grid()
    for number in range(5):
        line = (
            0.50 + 0.10 * number + 0.05 * np.sin(6 * x + 2.3 * number) + 0.03 * ragged[number % 2]
        )
        depth = (y - line) * SIDE
        runs = np.exp(-np.clip(depth, 0, None) / 190)
        share = _pool(depth, 2.5) * runs * (0.75 + 0.16 * tooth)
        share *= 0.75 + 0.5 * noise(random, 9, 3)
        colour = _LEAVES[number % len(_LEAVES)]
        _glaze(canvas, colour, np.clip(share, 0, 1).astype(np.float32), np.s_[:, :])


def _stems(
    canvas: Canvas, places: list[tuple[float, float, float]], random: np.random.Generator
) -> None:
    """Draw a stem below each flower, and blades of grass between them."""
    heads = [(x, y) for x, y, _ in places]
    heads += [tuple(random.uniform((0, 0.5), (1, 0.85)) * SIDE) for _ in range(_BLADES)]
    blades = np.zeros((SIDE, SIDE), np.uint8)
    share = np.linspace(0, 1, 12)
    for x, y in heads:
        bend = random.normal(0, 0.09) * (SIDE - y)
        path = np.stack([x + bend * share**2, y + (SIDE * 1.02 - y) * share], axis=1)
        points = np.rint(path * 16).astype(np.int32)
        dark, width = int(random.integers(70, 210)), int(random.integers(2, 5))
        cv2.polylines(blades, [points], False, dark, width, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(blades, (0, 0), 0.8) / np.float32(255)
    _glaze(canvas, _LEAVES[2], np.asarray(soft, np.float32), np.s_[:, :])


def _places(random: np.random.Generator) -> list[tuple[float, float, float]]:
    """Return x, y and radius of the flowers in pixels, the far and small ones first."""
    places: list[tuple[float, float, float]] = []
    for _ in range(40 * _FLOWERS):
        x, y = random.uniform(0.02, 0.98), random.uniform(0.38, 0.95)
        radius = (0.030 + 0.075 * (y - 0.3) / 0.6) * random.uniform(0.85, 1.2)
        if all(np.hypot(x - a, y - b) > 0.95 * (radius + r) for a, b, r in places):
            places.append((x, y, radius))
        if len(places) == _FLOWERS:
            break
    return sorted(((x * SIDE, y * SIDE, r * SIDE) for x, y, r in places), key=lambda one: one[1])


def _flower(
    canvas: Canvas,
    place: tuple[float, float, float],
    ragged: Plane,
    tooth: Plane,
    random: np.random.Generator,
) -> None:
    """Paint a blossom of some petals, one wet over the other."""
    colour = _BLOSSOMS[int(random.integers(len(_BLOSSOMS)))]
    petals = int(random.integers(4, 7))
    turn = random.uniform(0, 2 * np.pi)
    x, y, radius = place
    _dab(canvas, (x, y), 0.95 * radius, _PAPER, 0.72, ragged, tooth, lifts=True)
    for petal in range(petals):
        angle = turn + 2 * np.pi * petal / petals
        middle = (x + 0.52 * radius * np.cos(angle), y + 0.42 * radius * np.sin(angle))
        tint = np.clip(colour + random.normal(0, 0.05, 3), 0, 1).astype(np.float32)
        _dab(canvas, middle, 0.60 * radius, tint, random.uniform(0.6, 0.95), ragged, tooth)
    _dab(canvas, (x, y), 0.20 * radius, _HEART, 0.9, ragged, tooth)


def _dab(
    canvas: Canvas,
    middle: tuple[float, float],
    radius: float,
    colour: NDArray[np.float32],
    strength: float,
    ragged: Plane,
    tooth: Plane,
    *,
    lifts: bool = False,
) -> None:
    """Lay one ragged, round wash, or lift the colour that is there off the paper."""
    reach = 1.7 * radius + 8
    left, top = (max(0, int(at - reach)) for at in middle)
    right, below = (min(SIDE, int(at + reach) + 1) for at in middle)
    if left >= right or top >= below:
        return
    area = np.s_[top:below, left:right]
    columns = np.arange(left, right, dtype=np.float32)[None] - middle[0]
    rows = np.arange(top, below, dtype=np.float32)[:, None] - middle[1]
    away = np.hypot(
        columns + 0.30 * radius * ragged[0][area], rows + 0.30 * radius * ragged[1][area]
    )
    share = _pool((radius - away).astype(np.float32), 1.5)
    if lifts:
        canvas[area] += (colour - canvas[area]) * (strength * step(radius - away, -4, 8))[..., None]
        return
    share *= strength * (0.84 + 0.12 * tooth[area] + 0.25 * ragged[0][area])
    _glaze(canvas, colour, np.clip(share, 0, 1), area)


def _splash(canvas: Canvas, random: np.random.Generator) -> None:
    flat = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(130):
        radius = random.gamma(1.6, 1.7)
        colour = _BLOSSOMS[int(random.integers(len(_BLOSSOMS)))]
        place = np.rint(np.append(random.uniform(0, SIDE, 2), radius + 0.6) * 16).astype(int)
        x, y, reach = (int(value) for value in place)
        area_x = slice(max(0, x // 16 - 20), x // 16 + 20)
        area_y = slice(max(0, y // 16 - 20), y // 16 + 20)
        cv2.circle(flat, (x, y), reach, 0.6, -1, cv2.LINE_AA, 4)
        _glaze(canvas, colour, flat[area_y, area_x], (area_y, area_x))
        flat[area_y, area_x] = 0
