"""The empty shop as a camera sees it: every pixel's ray is followed to what it meets first."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.synthetic.shop.camera import Pinhole
from vision.synthetic.shop.plan import DEPTH, DOOR, HEIGHT, SOLIDS, WIDTH
from vision.synthetic.shop.surfaces import paint_surface

__all__ = ["Room", "cover_of", "room_of"]

_FINE = 2  # rays along each side of a pixel
_BAND = 24  # rows painted at a time
_STREET = 9.0  # metres to the houses on the other side

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """An empty picture.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        cover: (H, W) float32, metres over the floor to the shelf, counter or wall at each
            pixel, as `Pinhole.distance`; infinite where nothing stands that could hide anybody.
    """

    image: NDArray[np.uint8]
    cover: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Hits:
    """What rays meet: how far along the ray, which surface, and across which axis it lies."""

    reach: Floats  # (N,)
    surface: NDArray[np.int16]  # (N,) 0: the room, 1: outdoors, 2 and up: the solids
    axis: NDArray[np.intp]  # (N,)


@lru_cache(maxsize=8)
def room_of(camera: Pinhole) -> Room:
    """Return the empty shop; equal cameras give the same object, which nobody may change."""
    width, height = camera.size
    # Band by band: a dozen arrays of all rays would leave the processor's cache.
    bands = [_paint(camera, row, min(row + _BAND, height)) for row in range(0, height, _BAND)]
    image = np.concatenate(bands) * _darker_corners(width, height)[..., None]
    return Room(image.round().clip(0, 255).astype(np.uint8), cover_of(camera))


def _paint(camera: Pinhole, first: int, last: int) -> NDArray[np.float32]:
    """Return some rows of the picture, (rows, W, 3) BGR."""
    rays = camera.rays(_pixels(camera.size[0], first, last, _FINE))
    hits = _follow(camera, rays)
    places = np.array(camera.position) + rays * hits.reach[:, None]
    colours = np.empty((len(rays), 3), np.float32)
    for surface in np.unique(hits.surface).tolist():
        chosen = np.flatnonzero(hits.surface == surface)
        solid = SOLIDS[surface - 2] if surface >= 2 else None
        colours[chosen] = paint_surface(
            places[chosen], hits.axis[chosen], solid, outdoors=surface == 1
        )
    size = (camera.size[0], last - first)
    fine = colours.reshape(size[1] * _FINE, size[0] * _FINE, 3)
    return np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.float32)


@lru_cache(maxsize=8)
def cover_of(camera: Pinhole) -> NDArray[np.float32]:
    """Return what hides people, as `Room.cover`, without painting; nobody may change it."""
    width, height = camera.size
    rays = camera.rays(_pixels(width, 0, height, 1))
    hits = _follow(camera, rays)
    places = np.array(camera.position) + rays * hits.reach[:, None]
    walls = (hits.surface == 0) & (hits.axis != 2)  # they hide who is in the street
    distance = np.where(walls | (hits.surface >= 2), camera.distance(places), np.inf)
    return distance.astype(np.float32).reshape(height, width)


def _pixels(width: int, first: int, last: int, fine: int) -> Floats:
    """Return the middles of rows of pixels, one row after the other, each divided into ``fine``
    by ``fine``."""
    x = (np.arange(width * fine) + 0.5) / fine
    y = first + (np.arange((last - first) * fine) + 0.5) / fine
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _follow(camera: Pinhole, rays: Floats) -> _Hits:
    origin = np.array(camera.position)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.ascontiguousarray(1.0 / rays.T)
    _, far = _slabs(origin, inverse, (0.0, 0.0, 0.0), (WIDTH, DEPTH, HEIGHT))
    hits = _Hits(far.min(axis=0), np.zeros(len(rays), np.int16), far.argmin(axis=0))
    _look_outside(origin, rays, hits)
    for number, solid in enumerate(SOLIDS, start=2):
        near, far = _slabs(origin, inverse, solid.low, solid.high)
        enter = near.max(axis=0)
        nearer = np.flatnonzero((enter < far.min(axis=0)) & (enter > 0) & (enter < hits.reach))
        hits.reach[nearer], hits.axis[nearer] = enter[nearer], near[:, nearer].argmax(axis=0)
        hits.surface[nearer] = number
    return hits


def _look_outside(origin: Floats, rays: Floats, hits: _Hits) -> None:
    """Let the rays that meet the door's opening go on to the street."""
    left, right, top = DOOR
    front = np.flatnonzero((hits.axis == 1) & (rays[:, 1] < 0))
    x, _, z = (origin + rays[front] * hits.reach[front, None]).T
    chosen = front[(x > left) & (x < right) & (z < top)]
    with np.errstate(divide="ignore"):
        ground = np.where(rays[chosen, 2] < 0, -origin[2] / rays[chosen, 2], np.inf)
    houses = (-_STREET - origin[1]) / rays[chosen, 1]
    hits.reach[chosen] = np.minimum(ground, houses)
    hits.axis[chosen] = np.where(ground < houses, 2, 1)
    hits.surface[chosen] = 1


def _slabs(
    origin: Floats,
    inverse: Floats,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
) -> tuple[Floats, Floats]:
    """Return (3, N): how far along each ray it comes between the planes of each axis, and where
    it leaves them."""
    first = (np.array(low) - origin)[:, None] * inverse
    second = (np.array(high) - origin)[:, None] * inverse
    return np.minimum(first, second), np.maximum(first, second)


def _darker_corners(width: int, height: int) -> NDArray[np.float32]:
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return np.asarray(1.03 - 0.11 * (x**2 + y**2), np.float32)
