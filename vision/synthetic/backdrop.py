"""What people walk before: a wall with windows, a paved floor, and a pillar that hides them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Backdrop", "Pillar", "make_backdrop"]

_HORIZON = 0.42  # of the height: where the wall ends and the floor begins


@dataclass(frozen=True, slots=True)
class Pillar:
    """Stands between the camera and whoever passes behind it.

    Attributes:
        left: First column of pixels.
        right: Column after the last.
        foot: Row that it stands on: who stands lower in the picture passes before it.
    """

    left: int
    right: int
    foot: int


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """An empty scene.

    Attributes:
        image: (H, W, 3) uint8 BGR, the pillar included.
        pillar: Where the pillar stands; None without one.
    """

    image: NDArray[np.uint8]
    pillar: Pillar | None


def make_backdrop(width: int, height: int, *, seed: int, pillar: bool) -> Backdrop:
    """Paint an empty scene; the same seed gives the same picture."""
    rng = np.random.default_rng([seed, 1])
    horizon = round(height * _HORIZON)
    image = np.empty((height, width, 3), np.float32)
    _paint_wall(image[:horizon], rng)
    _paint_floor(image[horizon:], rng)
    image += _grain(width, height, rng)
    stands = None
    if pillar:
        middle = round(width * rng.uniform(0.4, 0.6))
        half = max(2, round(width * 0.035))
        stands = Pillar(middle - half, middle + half, round(height * rng.uniform(0.8, 0.9)))
        _paint_pillar(image, stands)
    return Backdrop(image.round().clip(0, 255).astype(np.uint8), stands)


def _paint_wall(wall: NDArray[np.float32], rng: np.random.Generator) -> None:
    height, width = wall.shape[:2]
    colour = rng.uniform(125, 175, 3)
    wall[:] = colour * np.linspace(1.1, 0.9, height)[:, None, None]
    step = max(8, width // 5)
    for left in range(step // 4, width, step):
        window = wall[height // 6 : height * 2 // 3, left : left + step // 2]
        window[:] = rng.uniform(50, 95, 3)
        window[::8] += 25
    wall[-max(2, height // 20) :] *= 0.7


def _paint_floor(floor: NDArray[np.float32], rng: np.random.Generator) -> None:
    height, width = floor.shape[:2]
    depth = np.linspace(0.15, 1.0, height)
    floor[:] = rng.uniform(105, 145, 3) * np.linspace(0.85, 1.1, height)[:, None, None]
    # Paving stones: lines that run to a vanishing point, and rows that come closer.
    across = (np.arange(width) - width / 2)[None, :] / depth[:, None] / (width / 8)
    along = np.broadcast_to(2.0 / depth[:, None], across.shape)
    dark = (np.floor(across) + np.floor(along)) % 2 == 0
    floor[dark] *= 0.88


def _paint_pillar(image: NDArray[np.float32], pillar: Pillar) -> None:
    columns = pillar.right - pillar.left
    roundness = np.sin(np.linspace(0.25, np.pi - 0.25, columns))
    image[: pillar.foot, pillar.left : pillar.right] = 60 + 110 * roundness[None, :, None]


def _grain(width: int, height: int, rng: np.random.Generator) -> NDArray[np.float32]:
    fine = rng.normal(0, 1, (height, width, 1)).astype(np.float32)
    coarse = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 4)
    return np.asarray(5 * fine + 60 * np.asarray(coarse)[..., None], np.float32)
