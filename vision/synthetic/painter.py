"""Paints people into a backdrop, the far ones first, and measures what is to be seen of them."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.synthetic.backdrop import Backdrop, Pillar
from vision.synthetic.looks import Look, Sprite, sprite_of
from vision.synthetic.truth import GroundTruth
from vision.synthetic.walkers import Stance, Walker

__all__ = ["Painter"]

_NOISE_MARGIN = 64  # the field of noise is larger than the picture, to be shifted about in it
_OPAQUE = 128
_SHADOW = 0.72  # brightness of the floor under a person

Box = tuple[int, int, int, int]


class Painter:
    """Paints the frames of one scene.

    Args:
        backdrop: The empty scene.
        seed: Of the noise.
        noise: Standard deviation in levels; 0 paints none.
        shadows: Whether people darken the floor at their feet.
    """

    def __init__(self, backdrop: Backdrop, *, seed: int, noise: float, shadows: bool) -> None:
        self._backdrop = backdrop
        self._seed = seed
        self._shadows = shadows
        height, width = backdrop.image.shape[:2]
        self._size = (width, height)
        self._noise: NDArray[np.int16] | None = None
        if noise > 0:
            field = (height + _NOISE_MARGIN, width + _NOISE_MARGIN, 3)
            rng = np.random.default_rng([seed, 5])
            self._noise = rng.normal(0, noise, field).round().astype(np.int16)

    def paint(
        self, walkers: list[Walker], index: int, time: float, light: float
    ) -> tuple[NDArray[np.uint8], GroundTruth]:
        """Return the picture of a moment, (H, W, 3) uint8 BGR, and who is in it."""
        image = self._backdrop.image.copy()
        owners = np.zeros(image.shape[:2], np.int16)  # who is seen at a pixel: 1 and up
        stances = [(walker.at(time), walker) for walker in walkers]
        stances.sort(key=lambda pair: pair[0].foot)
        boxes, areas = [], []
        waiting = self._backdrop.pillar  # is painted before the first who stands nearer
        for number, (stance, walker) in enumerate(stances, start=1):
            if waiting is not None and stance.foot > waiting.foot:
                self._stand_pillar(image, owners, waiting)
                waiting = None
            box, area = self._paint_one(image, owners, number, stance, walker.look)
            boxes.append(box)
            areas.append(area)
        if waiting is not None:
            self._stand_pillar(image, owners, waiting)
        truth = self._truth(index, time, [walker for _, walker in stances], boxes, areas, owners)
        return self._exposed(image, index, light), truth

    def _paint_one(
        self,
        image: NDArray[np.uint8],
        owners: NDArray[np.int16],
        number: int,
        stance: Stance,
        look: Look,
    ) -> tuple[Box, int]:
        if self._shadows:
            _darken_floor(image, stance)
        sprite, area = _sized(look, max(8, round(stance.height)))
        height, width = sprite.alpha.shape
        left = round(stance.x - width / 2)
        top = round(stance.foot - stance.lift - height)
        box = (left, top, left + width, top + height)
        columns, rows = self._size
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(box[2], columns), min(box[3], rows)
        if x0 >= x1 or y0 >= y1:
            return box, area
        window, part = np.s_[y0:y1, x0:x1], np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        alpha = sprite.alpha[part]
        _blend(image[window], sprite.image[part], alpha)
        owners[window][alpha >= _OPAQUE] = number
        return box, area

    def _stand_pillar(
        self, image: NDArray[np.uint8], owners: NDArray[np.int16], pillar: Pillar
    ) -> None:
        window = np.s_[: pillar.foot, pillar.left : pillar.right]
        image[window] = self._backdrop.image[window]
        owners[window] = 0

    def _truth(
        self,
        index: int,
        time: float,
        walkers: list[Walker],
        boxes: list[Box],
        areas: list[int],
        owners: NDArray[np.int16],
    ) -> GroundTruth:
        seen = np.bincount(owners.ravel(), minlength=len(walkers) + 1)[1:]
        visible = seen / np.maximum(np.array(areas, np.float64).reshape(-1), 1)
        limit = np.array(self._size * 2, np.float32)
        corners = np.array(boxes, np.float32).reshape(-1, 4).clip(0, limit)
        inside = (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1])
        ids = np.array([walker.track_id for walker in walkers], np.int64)
        return GroundTruth(
            index, time, ids[inside], corners[inside], visible[inside].clip(0, 1).astype(np.float32)
        )

    def _exposed(self, image: NDArray[np.uint8], index: int, light: float) -> NDArray[np.uint8]:
        if light != 1.0:
            image = np.asarray(cv2.convertScaleAbs(image, alpha=light), np.uint8)
        if self._noise is None:
            return image
        rng = np.random.default_rng([self._seed, 6, index])
        down, right = (int(shift) for shift in rng.integers(0, _NOISE_MARGIN, 2))
        width, height = self._size
        field = self._noise[down : down + height, right : right + width]
        return np.asarray(cv2.add(image, field, dtype=cv2.CV_8U), np.uint8)


def _blend(under: NDArray[np.uint8], over: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> None:
    """Paint over a window of the picture in place."""
    weight = cv2.merge([alpha, alpha, alpha])
    covered = cv2.multiply(over, weight, scale=1 / 255)
    left = cv2.multiply(under, 255 - weight, scale=1 / 255)
    under[:] = cv2.add(covered, left)


def _darken_floor(image: NDArray[np.uint8], stance: Stance) -> None:
    """Put a soft shadow around the feet."""
    half_width, half_height = round(stance.height * 0.22), max(2, round(stance.height * 0.035))
    x, y = round(stance.x), round(stance.foot) - half_height // 2
    left, top = max(x - half_width, 0), max(y - half_height, 0)
    right = min(x + half_width, image.shape[1])
    bottom = min(y + half_height, image.shape[0])
    if left >= right or top >= bottom:
        return
    across = (np.arange(left, right) - x) / half_width
    down = (np.arange(top, bottom) - y) / half_height
    depth = np.clip(1 - across[None, :] ** 2 - down[:, None] ** 2, 0, 1) * (1 - _SHADOW)
    window = image[top:bottom, left:right]
    window[:] = (window * (1 - depth[..., None])).astype(np.uint8)


@lru_cache(maxsize=512)
def _sized(look: Look, height: int) -> tuple[Sprite, int]:
    """Return a person of a height in pixels, cropped to what is opaque, and its opaque area."""
    sprite = sprite_of(look)
    scale = height / sprite.alpha.shape[0]
    size = (max(1, round(sprite.alpha.shape[1] * scale)), height)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(sprite.image, size, interpolation=how), np.uint8)
    alpha = np.asarray(cv2.resize(sprite.alpha, size, interpolation=how), np.uint8)
    rows, columns = np.nonzero(alpha >= _OPAQUE)
    window = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return Sprite(image[window].copy(), alpha[window].copy()), len(rows)
