"""Who walks where and when: paths over the floor, timed in body heights per second."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.synthetic.looks import Look, looks

__all__ = ["Stance", "Walker", "height_at", "walkers_of"]

_FAR, _NEAR = 0.62, 0.97  # foot rows, of the picture's height
_TALL_FAR, _TALL_NEAR = 0.27, 0.55  # how tall people are there, of the picture's height
_BOB = 0.012  # of the body's height, up with every step
_STEPS_PER_HEIGHT = 2.2  # steps on the way of one body height
_OUTSIDE = 0.5  # body heights outside the picture where paths begin and end


@dataclass(frozen=True, slots=True)
class Stance:
    """Where a walker is at one moment.

    Attributes:
        x: Pixels, the middle of the body.
        foot: Pixels, the row that the walker stands on; orders who is in front.
        lift: Pixels that the body is above it in mid-step.
        height: Pixels from head to foot.
    """

    x: float
    foot: float
    lift: float
    height: float


@dataclass(frozen=True, slots=True, eq=False)
class Walker:
    """One person's way through the scene.

    Attributes:
        track_id: 1 and up, never given twice in a scene.
        look: What the person looks like.
        times: (N,) seconds of the scene, ascending.
        points: (N, 2) x and foot row in pixels.
        heights: (N,) pixels.
        strides: (N,) body heights walked so far.
    """

    track_id: int
    look: Look
    times: NDArray[np.float64]
    points: NDArray[np.float64]
    heights: NDArray[np.float64]
    strides: NDArray[np.float64]

    @property
    def start(self) -> float:
        """Seconds of the scene."""
        return float(self.times[0])

    @property
    def end(self) -> float:
        """Seconds of the scene."""
        return float(self.times[-1])

    def at(self, time: float) -> Stance:
        """Return where the walker is; before the start and after the end, where those are."""
        x, foot, height, stride = (
            float(np.interp(time, self.times, values))
            for values in (self.points[:, 0], self.points[:, 1], self.heights, self.strides)
        )
        lift = _BOB * height * abs(np.sin(np.pi * _STEPS_PER_HEIGHT * stride))
        return Stance(x, foot, float(lift), height)


def height_at(foot: NDArray[np.float64], height: int) -> NDArray[np.float64]:
    """Return how tall people are whose feet are on these rows: perspective is linear in them."""
    share = (foot / height - _FAR) / (_NEAR - _FAR)
    return height * (_TALL_FAR + (_TALL_NEAR - _TALL_FAR) * share)


def walkers_of(
    slot: int, slots: int, *, seed: int, size: tuple[int, int], pause: float, first: float
) -> Iterator[Walker]:
    """Yield the people of one slot without end, one after the other.

    Args:
        slot: 0..slots-1: each slot holds one person at a time.
        slots: How many there are; they share out the ids.
        seed: Of the scene.
        size: Width and height in pixels.
        pause: How long a slot stays empty, as a multiple of each walk's duration.
        first: Seconds of the scene at which the first person sets out.
    """
    all_looks = looks()
    # Neighbouring people differ: a shuffled deck of looks, dealt across the slots.
    deck = np.random.default_rng([seed, 2]).permutation(len(all_looks))
    start, number = first, 0
    while True:
        rng = np.random.default_rng([seed, 3, slot, number])
        order = number * slots + slot
        look = all_looks[int(deck[order % len(deck)])]
        points, heights, strides = _walk(rng, size)
        speed = rng.uniform(0.65, 0.95)  # body heights per second: 1.1 to 1.7 m/s
        times = start + strides / speed
        walker = Walker(order + 1, look, times, points, heights, strides)
        yield walker
        empty = pause * (walker.end - walker.start)
        start, number = walker.end + empty * float(rng.uniform(0.8, 1.2)) + 0.2, number + 1


def _walk(
    rng: np.random.Generator, size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    width, height = size
    corners = rng.integers(0, 3)  # straight, bent, winding
    feet = rng.uniform(_FAR, _NEAR, corners + 2) * height
    inner = np.sort(rng.uniform(0.15, 0.85, corners)) * width
    margins = _OUTSIDE * height_at(feet[[0, -1]], height)
    x = np.concatenate([[-margins[0]], inner, [width + margins[1]]])
    points = _smooth(np.stack([x, feet], axis=1))
    if rng.random() < 0.5:
        points[:, 0] = width - points[:, 0]
    heights = height_at(points[:, 1], height) * rng.uniform(0.93, 1.07)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1) / heights[:-1]
    return points, heights, np.concatenate([[0.0], np.cumsum(steps)])


def _smooth(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a curve through waypoints: straight lines whose corners are averaged away."""
    along = np.arange(len(corners), dtype=np.float64)
    fine = np.linspace(0, along[-1], 60 * (len(corners) - 1) + 1)
    line = np.stack([np.interp(fine, along, corners[:, axis]) for axis in (0, 1)], axis=1)
    window = 31
    padded = np.pad(line, ((window // 2, window // 2), (0, 0)), mode="edge")
    kernel = np.full(window, 1 / window)
    inner = np.stack([np.convolve(padded[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)
    inner[[0, -1]] = line[[0, -1]]
    return inner
