"""Stained glass: coloured panes that spiral around a light, held by lead."""

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
    noise,
    palette,
    ramp,
    step,
)

__all__ = ["paint"]

_PANES: Final = 460
_CENTRE: Final = (0.54, 0.44)
_TURN: Final = np.pi * (3 - np.sqrt(5))  # the golden angle: no two panes lie in line
_LEAD: Final = palette("14131a")[0]
_GLASS: Final = palette(
    *("fff3b0", "ffc83d", "ff8c2b", "e63226", "b3124f", "7a1f8f", "3b2fb0", "1456c8"),
    *("0d8fc9", "0fa68f", "157f4a", "1c5f9e", "2a2f8a"),
)


def paint() -> NDArray[np.uint8]:
    """Return the picture, (SIDE, SIDE, 3) uint8 BGR."""
    random = np.random.default_rng(11)
    places, radii = _places(random)
    panes = _nearest(places)
    edges = distance_within(~_borders(panes))
    glass = _colours(radii, random)[panes]
    light = random.uniform(0.84, 1.22, len(places)).astype(np.float32)[panes]
    streaks = 1 + 0.20 * noise(random, (30, 8), 3) + 0.06 * noise(random, 150)
    canvas: Canvas = glass * (light * streaks * _bulge(edges))[..., None]
    return as_picture(_lead(canvas, edges))


def _places(random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (N, 2) x and y, 0..1, of the panes, and how far each is from the centre."""
    number = np.arange(_PANES) + 0.5
    radii = 0.86 * (number / _PANES) ** 0.62
    angles = number * _TURN
    places = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1) + _CENTRE
    places += random.normal(0, 0.006, places.shape)
    seen = ((places > 0.002) & (places < 0.998)).all(axis=1)
    return places[seen], radii[seen]


def _nearest(places: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which place each pixel is nearest to, (SIDE, SIDE)."""
    seeds = np.ones((SIDE, SIDE), np.uint8)
    columns, rows = (places * SIDE).astype(int).T
    seeds[rows, columns] = 0
    _, labels = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    numbers = np.zeros(int(labels.max()) + 1, np.intp)
    numbers[labels[rows, columns]] = np.arange(len(places))
    panes: NDArray[np.intp] = numbers[labels]
    return panes


def _borders(panes: NDArray[np.intp]) -> NDArray[np.bool_]:
    borders = np.zeros(panes.shape, bool)
    borders[:, 1:] |= panes[:, 1:] != panes[:, :-1]
    borders[1:] |= panes[1:] != panes[:-1]
    return borders


def _colours(radii: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float32]:
    """Return (N, 3): from the light outwards, with some panes of the colours beside."""
    return ramp(_GLASS, radii / 0.78 + random.normal(0, 0.055, len(radii)))


def _bulge(edges: Plane) -> Plane:
    """Return how bright each place of a pane is: glass is thinner in its middle."""
    bulge: Plane = 0.72 + 0.34 * step(edges, 2, 22)
    return bulge


def _lead(canvas: Canvas, edges: Plane) -> Canvas:
    leaded = blend(canvas, _LEAD, 1 - step(edges, 2.6, 4.4))
    ridge = np.exp(-np.square(edges - 0.8)) * np.float32(0.22)  # light along the middle of it
    result: Canvas = leaded + ridge[..., None]
    return result
