"""Woodcut: a red sun over mountains and a lake, all of it cut in lines and printed in four inks."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.style.patterns.tools import (
    SIDE,
    Canvas,
    Plane,
    as_picture,
    blend,
    grid,
    noise,
    palette,
    ramp,
    step,
)

__all__ = ["paint"]

_INK: Final = palette("1b1a24")[0]
_SKY: Final = palette("f6e3b4", "f4cf8e", "eea667", "e07a4f")
_SUN: Final = palette("d4301f")[0]
_LAKE: Final = palette("e9b777", "5d9a9b", "1f5f78", "153e5c")
# From the farthest to the nearest: how high, how rough, its paper's colour, lines over its width
_RANGES: Final = (
    (0.47, 0.10, palette("8fb0a8")[0], 64.0),
    (0.56, 0.13, palette("3f7f86")[0], 50.0),
    (0.65, 0.09, palette("23545f")[0], 40.0),
)
_CENTRE: Final = (0.60, 0.335)  # of the sun
_RADIUS: Final = 0.155
_SHORE: Final = 0.70
_SOFT: Final = 1.7  # pixels over which the edge of a line is blurred


def paint() -> NDArray[np.uint8]:
    """Return the picture, (SIDE, SIDE, 3) uint8 BGR."""
    random = np.random.default_rng(31)
    x, y = grid()
    rough = 0.10 * noise(random, 90, 2)  # the knife's hand
    canvas = _sky(x, y, rough)
    for number, (height, spread, colour, lines) in enumerate(_RANGES):
        ridge = _ridge(height, spread, random)
        canvas = _mountains(canvas, ridge, colour, lines, x, y, rough, number)
    canvas = _lake(canvas, x, y, rough, random)
    grain = 1 + 0.05 * noise(random, (10, 200), 2) + 0.035 * noise(random, 260)
    return as_picture(canvas * grain[..., None])


def _lines(phase: Plane, darkness: Plane, period: float | Plane) -> Plane:
    """Return 1 where ink is: as much of each period, that many pixels long, as is dark there."""
    wave = np.abs((phase % 1) * 2 - 1)
    over = (wave - (1 - np.clip(darkness, 0, 1))) * period / _SOFT
    return step(over, -1, 1)


def _sky(x: Plane, y: Plane, rough: Plane) -> Canvas:
    right, below = x - _CENTRE[0], y - _CENTRE[1]
    far, angle = np.hypot(right, below), np.arctan2(below, right)
    canvas = ramp(_SKY, 1.15 - far * 1.25)
    canvas = blend(canvas, _SUN, 1 - step(far, _RADIUS - 0.002, _RADIUS + 0.002))
    # Rays that widen outwards, with ever more of them.
    count = 36 * np.exp2(np.clip(np.floor(np.log2(np.maximum(far, 0.01) / 0.19)), 0, 2))
    begins = 0.16 * np.cos(angle * 9) ** 2
    period = 2 * np.pi * far * SIDE / count
    widening = 0.08 + 0.50 * (far / 0.19 / (count / 36) - 1).clip(0, 1)
    rays = _lines(angle / (2 * np.pi) * count + 0.5 * rough, widening, period)
    rays *= step(far, _RADIUS + 0.03 + 0.25 * begins, _RADIUS + 0.05 + 0.25 * begins)
    rings = _lines(far * 74 + rough, 0.55 * step(below, -0.02, _RADIUS), SIDE / 74)
    rings *= 1 - step(far, _RADIUS - 0.012, _RADIUS - 0.008)
    outline = np.exp(-np.square((far - _RADIUS) * SIDE / 2.2))
    ink = np.maximum(np.maximum(rays, rings), outline)
    return blend(canvas, _INK, ink.astype(np.float32))


def _ridge(height: float, spread: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Return y of the outline above each column, (SIDE,): pointed, and rough at every scale."""
    line = np.zeros(SIDE)
    places = np.arange(SIDE) / SIDE
    for octave in range(6):
        knots = 4 * 2**octave
        heights = random.uniform(-1, 1, knots + 1) * spread * 0.52**octave
        line += np.interp(places, np.arange(knots + 1) / knots, heights)
    return (height + line).astype(np.float32)


def _mountains(
    canvas: Canvas,
    ridge: NDArray[np.float32],
    colour: NDArray[np.float32],
    lines: float,
    x: Plane,
    y: Plane,
    rough: Plane,
    number: int,
) -> Canvas:
    depth = y - ridge[None]
    within = step(depth, 0, 0.0025)
    slope = np.gradient(_smooth(ridge, 21)) * SIDE
    shade = np.clip(0.52 - 0.42 * slope, 0.08, 0.94)[None]  # light comes from the sun's side
    fade = 1 - 0.75 * step(depth, 0.02, 0.30 + 0.04 * number)
    lean = np.sign(np.sin(number * 2 + 1))
    phase = x * lines + lean * depth * lines * 0.55 + 1.6 * rough
    ink = _lines(phase, shade * (0.35 + 0.65 * fade), SIDE / lines / 1.15)
    snow = step(shade, 0.60, 0.45) if number == 0 else np.zeros_like(shade)
    paper = colour * (1 - 0.25 * (1 - fade[..., None])) + 0.22 * snow[..., None]
    covered = blend(canvas, paper.astype(np.float32), within)
    edge = np.exp(-np.square((depth - 0.002) * SIDE / 1.8))
    return blend(covered, _INK, np.maximum(ink * within, edge).astype(np.float32))


def _lake(canvas: Canvas, x: Plane, y: Plane, rough: Plane, random: np.random.Generator) -> Canvas:
    depth = (y - _SHORE) / (1 - _SHORE)
    within = step(depth, 0, 0.01)
    water = ramp(_LAKE, depth * 0.95 + 0.05)
    width = 0.05 + 0.12 * np.clip(depth, 0, 1)  # of the sun's way over the water
    lane = np.exp(-np.square((x - _CENTRE[0] + 0.03 * np.sin(depth * 60)) / width))
    water = blend(water, _SUN, (0.85 * lane).astype(np.float32))
    waves = noise(random, (5, 12), 3)
    # Nearer waves are larger.
    phase = 30 * np.sqrt(np.clip(depth, 0, 1)) + 0.55 * waves + rough
    swell = 0.42 + 0.30 * noise(random, (26, 7), 2) + 0.18 * depth - 0.30 * lane
    ink = np.maximum(_lines(phase, swell, 12.0), np.exp(-np.square(depth * 60)))
    return blend(canvas, np.asarray(blend(water, _INK, ink.astype(np.float32))), within)


def _smooth(line: NDArray[np.float32], width: int) -> NDArray[np.float64]:
    padded = np.pad(line, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")
