"""Paints people into a view of the shop, the far ones first, behind whatever hides them."""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.synthetic.looks import Look, Sprite, sprite_of
from vision.synthetic.shop.plan import View
from vision.synthetic.shop.room import cover_of, room_of
from vision.synthetic.shop.visitors import Visitor
from vision.synthetic.truth import GroundTruth

__all__ = ["ShopPainter"]

_NEAREST = 0.6  # metres from the camera: who is nearer stands below it
_TOUCH = 0.04  # metres that somebody may lean over what stands beside them
_OPAQUE = 128
_NOISE_MARGIN = 64  # the field of noise is larger than the picture, to be shifted about in it
_SHADOW = 0.55  # of the floor's light that the middle of a shadow takes
_BOB = 0.018  # metres that a body rises in mid-step
_STEPS = 1.35  # steps per metre
_SWAY, _SWAY_SECONDS = 0.012, 2.9  # metres that nobody stands stiller than, and how fast


@dataclass(frozen=True, slots=True)
class _Pose:
    """Where somebody is in a picture; pixels."""

    person: int
    look: Look
    distance: float  # metres over the floor
    left: float
    top: float
    right: float
    bottom: float
    ground: float  # the row that they stand on

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.left, self.top, self.right, self.bottom


class ShopPainter:
    """Paints the frames of one view, or only measures what would be seen in them.

    Args:
        view: What is seen.
        seed: Of the noise.
        noise: Standard deviation in levels; 0 paints none.
        pictures: Whether pictures are wanted; otherwise they are black, and cost nothing.
    """

    def __init__(self, view: View, *, seed: int, noise: float, pictures: bool) -> None:
        self._camera = view.camera
        self._seed = seed
        self._cover = cover_of(view.camera)
        self._room = room_of(view.camera).image if pictures else None
        width, height = view.camera.size
        self._black = np.zeros((height, width, 3), np.uint8)
        self._black.flags.writeable = False
        self._noise: NDArray[np.int16] | None = None
        if pictures and noise > 0:
            field = (height + _NOISE_MARGIN, width + _NOISE_MARGIN, 3)
            rng = np.random.default_rng([seed, 25])
            self._noise = rng.normal(0, noise, field).round().astype(np.int16)

    def paint(
        self, visitors: list[Visitor], index: int, time: float
    ) -> tuple[NDArray[np.uint8], GroundTruth]:
        """Return the picture of a moment, (H, W, 3) uint8 BGR, and who is to be seen in it."""
        image = self._room.copy() if self._room is not None else None
        poses = [pose for visitor in visitors if (pose := self._pose(visitor, time)) is not None]
        poses.sort(key=lambda pose: -pose.distance)
        owners = np.zeros(self._cover.shape, np.int16)  # who is seen at a pixel: 1 and up
        areas = [
            self._paint_one(image, owners, number, pose)
            for number, pose in enumerate(poses, start=1)
        ]
        truth = self._truth(index, time, poses, areas, owners)
        return (self._exposed(image, index) if image is not None else self._black), truth

    def _pose(self, visitor: Visitor, time: float) -> _Pose | None:
        """Return where somebody is seen; None beside the picture and below the camera."""
        x, y = visitor.at(np.array([time]))[0].tolist()
        x += _SWAY * math.sin(2 * math.pi * (time / _SWAY_SECONDS + 0.37 * visitor.person))
        camera = self._camera
        distance = float(camera.distance(np.array([[x, y]]))[0])
        if distance < _NEAREST:
            return None
        lift = _BOB * abs(math.sin(math.pi * _STEPS * visitor.walked_at(time)))
        ends = np.array([(x, y, 0.0), (x, y, lift), (x, y, visitor.height + lift)])
        ground, foot, head = camera.project(ends)
        middle = camera.depth((x, y, visitor.height / 2))
        if not np.isfinite(ends).all() or not np.isfinite(head).all() or middle <= 0:
            return None
        sprite = _opaque(visitor.look)[0].image
        wide = visitor.height * sprite.shape[1] / sprite.shape[0]
        half = camera.focal * wide / middle / 2
        at, top, bottom = float(foot[0]), float(head[1]), float(foot[1])
        width, height = camera.size
        if at + half <= 0 or at - half >= width or bottom <= 0 or top >= height:
            return None
        return _Pose(visitor.person, visitor.look, distance, at - half, top, at + half, bottom,
                     float(ground[1]))  # fmt: skip

    def _paint_one(
        self,
        image: NDArray[np.uint8] | None,
        owners: NDArray[np.int16],
        number: int,
        pose: _Pose,
    ) -> float:
        """Paint somebody; return how many pixels they would have with nothing in the way."""
        share = _opaque(pose.look)[1]
        whole = (pose.right - pose.left) * (pose.bottom - pose.top) * share
        if image is not None:
            self._darken_floor(image, pose)
        window = self._window(pose)
        hidden = self._cover[window] < pose.distance - _TOUCH
        if hidden.all():
            return whole
        level = _level(pose.look, pose.bottom - pose.top)
        scale = np.array(
            [
                (level.alpha.shape[1] / (pose.right - pose.left)),
                (level.alpha.shape[0] / (pose.bottom - pose.top)),
            ]
        )
        rows, columns = window
        start = (np.array([columns.start, rows.start]) + 0.5 - pose.box[:2]) * scale - 0.5
        matrix = np.array([[scale[0], 0, start[0]], [0, scale[1], start[1]]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (columns.stop - columns.start, rows.stop - rows.start)
        alpha = np.asarray(cv2.warpAffine(level.alpha, matrix, size, flags=how), np.uint8)
        alpha[hidden] = 0
        if image is not None:
            over = cv2.warpAffine(
                level.image, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE
            )
            _blend(image[window], np.asarray(over, np.uint8), alpha)
        owners[window][alpha >= _OPAQUE] = number
        return whole

    def _window(self, pose: _Pose) -> tuple[slice, slice]:
        """Return the rows and columns of the picture that somebody may cover; one at least."""
        width, height = self._camera.size
        left, top = max(math.floor(pose.left), 0), max(math.floor(pose.top), 0)
        right, bottom = min(math.ceil(pose.right), width), min(math.ceil(pose.bottom), height)
        return np.s_[top:bottom, left:right]

    def _darken_floor(self, image: NDArray[np.uint8], pose: _Pose) -> None:
        """Put a soft shadow around the feet."""
        wide, x, y = (pose.right - pose.left) * 0.72, (pose.left + pose.right) / 2, pose.ground
        flat = max(2.0, wide * 0.36)
        y -= flat * 0.25
        left, right = max(round(x - wide), 0), min(round(x + wide), image.shape[1])
        top, bottom = max(round(y - flat), 0), min(round(y + flat), image.shape[0])
        if left >= right or top >= bottom:
            return
        across = (np.arange(left, right, dtype=np.float32) - x) / wide
        down = (np.arange(top, bottom, dtype=np.float32) - y) / flat
        depth = np.clip(1 - across[None, :] ** 2 - down[:, None] ** 2, 0, 1) ** 1.5 * _SHADOW
        window = np.s_[top:bottom, left:right]
        depth[self._cover[window] < pose.distance + 0.3] = 0
        image[window] = (image[window] * (1 - depth[..., None])).astype(np.uint8)

    def _truth(
        self,
        index: int,
        time: float,
        poses: list[_Pose],
        areas: list[float],
        owners: NDArray[np.int16],
    ) -> GroundTruth:
        # Nobody can be seen outside their own window: the whole picture need not be counted.
        seen = np.array(
            [
                np.count_nonzero(owners[self._window(pose)] == number)
                for number, pose in enumerate(poses, start=1)
            ],
            np.int64,
        )
        visible = (seen / np.maximum(np.array(areas, np.float64).reshape(-1), 1)).clip(0, 1)
        limit = np.array(self._camera.size * 2, np.float32)
        boxes = np.array([pose.box for pose in poses], np.float32).reshape(-1, 4).clip(0, limit)
        ids = np.array([pose.person for pose in poses], np.int64)
        shown = seen > 0
        return GroundTruth(index, time, ids[shown], boxes[shown], visible[shown].astype(np.float32))

    def _exposed(self, image: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        if self._noise is None:
            return image
        rng = np.random.default_rng([self._seed, 26, index])
        down, right = (int(shift) for shift in rng.integers(0, _NOISE_MARGIN, 2))
        height, width = image.shape[:2]
        field = self._noise[down : down + height, right : right + width]
        return np.asarray(cv2.add(image, field, dtype=cv2.CV_8U), np.uint8)


def _blend(under: NDArray[np.uint8], over: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> None:
    """Paint over a window of the picture in place."""
    weight = cv2.merge([alpha, alpha, alpha])
    covered = cv2.multiply(over, weight, scale=1 / 255)
    left = cv2.multiply(under, 255 - weight, scale=1 / 255)
    under[:] = cv2.add(covered, left)


@lru_cache(maxsize=64)
def _opaque(look: Look) -> tuple[Sprite, float]:
    """Return a person cropped to what is opaque, and which share of that box is opaque."""
    sprite = sprite_of(look)
    rows, columns = np.nonzero(sprite.alpha >= _OPAQUE)
    window = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    alpha = sprite.alpha[window].copy()
    return Sprite(sprite.image[window].copy(), alpha), float((alpha >= _OPAQUE).mean())


def _level(look: Look, height: float) -> Sprite:
    """Return the person at the least size that need not be enlarged."""
    halvings = max(0, math.floor(math.log2(_opaque(look)[0].alpha.shape[0] / max(height, 16.0))))
    return _halved(look, halvings)


@lru_cache(maxsize=256)
def _halved(look: Look, times: int) -> Sprite:
    if times == 0:
        return _opaque(look)[0]
    larger = _halved(look, times - 1)
    rows, columns = larger.alpha.shape
    size = (max(1, round(columns / 2)), max(1, round(rows / 2)))
    return Sprite(
        np.asarray(cv2.resize(larger.image, size, interpolation=cv2.INTER_AREA), np.uint8),
        np.asarray(cv2.resize(larger.alpha, size, interpolation=cv2.INTER_AREA), np.uint8),
    )
