"""Mosaic tiles: small stones in fans, as old floors around a warm sea have them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.style.patterns.tools import SIDE, Canvas, Plane, as_picture, blend, noise, palette, step

__all__ = ["paint"]

_RADIUS: Final = 128.0  # of a fan, in pixels
_RINGS: Final = 8
_GROUT: Final = palette("cfc4ad")[0]
# One row for each kind of fan: its rings from the middle outwards.
_KINDS: Final = (
    palette("f2b632", "e2711d", "c8441c", "f3e3c0", "1b6d84", "12506b", "f3e3c0", "0d3350"),
    palette("f7efdc", "3fb8af", "1f9aa0", "f2b632", "f7efdc", "2a7f8e", "155e75", "0d3350"),
    palette("f2b632", "f3e3c0", "b6322b", "8d1f2d", "f3e3c0", "e58a2b", "c8441c", "0d3350"),
)


def paint() -> NDArray[np.uint8]:
    """Return the picture, (SIDE, SIDE, 3) uint8 BGR."""
    random = np.random.default_rng(5)
    x, y = _wavering_grid(random)
    fan_x, fan_y, far, angle = _fans(x, y)
    width = _RADIUS / _RINGS
    ring = np.minimum(far // width, _RINGS - 1).astype(np.int64)
    # Stones of one length: a longer ring has more.
    stones = np.maximum(4, np.rint(np.pi * (ring + 0.5) * 0.95)).astype(np.int64)
    turned = (angle / np.pi + 0.37 * ring) * stones
    stone = np.floor(turned).astype(np.int64)
    chance = _chances(fan_x * 7919 + fan_y * 104729 + ring * 131 + stone * 3571)
    canvas = _colours((fan_x + 2 * fan_y) % len(_KINDS), ring, chance)
    edge = _edges(far / width - ring, turned - stone, np.pi * (ring + 0.5) / stones) * width
    canvas *= (0.92 + 0.16 * step(edge, 1.5, 5.0) + 0.05 * noise(random, 190))[..., None]
    canvas = blend(canvas, _GROUT * 0.86, 1 - step(edge, 0.9, 2.3))
    return as_picture(canvas)


def _wavering_grid(random: np.random.Generator) -> tuple[Plane, Plane]:
    """Return x and y in pixels, a little off: stones are laid by hand."""
    line = np.arange(SIDE, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    return x + 2.2 * noise(random, 24, 2), y + 2.2 * noise(random, 24, 2)


def _fans(x: Plane, y: Plane) -> tuple[NDArray[np.int64], NDArray[np.int64], Plane, Plane]:
    """Return column and row of the fan that each pixel lies in, and where in it.

    A fan is the upper part of a disc; the row below covers the rest of it.

    Returns:
        Column, row, pixels from the fan's centre, and the angle there in radians.
    """
    half = _RADIUS / 2
    found_x = np.zeros(x.shape, np.int64)
    found_y = np.zeros(x.shape, np.int64)
    far = np.full(x.shape, np.inf, np.float32)
    angle = np.zeros(x.shape, np.float32)
    last = np.floor(y / half).astype(np.int64) + 2
    for back in range(4):  # the lowest fan that reaches here lies above the others
        row = last - back
        shift = (row % 2) * _RADIUS
        column = np.rint((x - shift) / (2 * _RADIUS)).astype(np.int64)
        right, below = x - shift - column * 2 * _RADIUS, y - row * half
        distance = np.hypot(right, below)
        new = np.isinf(far) & (distance < _RADIUS)
        for found, value in ((found_x, column), (found_y, row), (far, distance)):
            np.copyto(found, value, where=new, casting="same_kind")
        np.copyto(angle, np.arctan2(-below, right), where=new)
    np.copyto(far, np.float32(_RADIUS - 1), where=np.isinf(far))
    return found_x, found_y, far, angle


def _chances(keys: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return (H, W, 2) in 0..1, the same for all pixels of one key."""
    mixed = (keys * 2654435761) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 2246822519) & 0xFFFFFFFF
    mixed ^= mixed >> 13
    parts = np.stack([mixed & 0xFFFF, mixed >> 16], axis=-1)
    return (parts / 0xFFFF).astype(np.float32)


def _colours(
    kind: NDArray[np.int64], ring: NDArray[np.int64], chance: NDArray[np.float32]
) -> Canvas:
    stones = np.stack(_KINDS)[kind, ring]
    lighter = 0.80 + 0.36 * chance[..., :1]
    warmer = (chance[..., 1:] - 0.5) * np.array((-0.09, 0.0, 0.09), np.float32)
    colours: Canvas = (stones * lighter + warmer).astype(np.float32)
    return colours


def _edges(across: Plane, along: Plane, length: Plane) -> Plane:
    """Return how far each pixel is from the edge of its stone; 0.5 is half a ring."""
    sideways = np.minimum(along, 1 - along) * length
    edges: Plane = np.minimum(np.minimum(across, 1 - across), sideways).astype(np.float32)
    return edges
