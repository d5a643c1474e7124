"""Trajectories for tests."""

import numpy as np
from numpy.typing import NDArray

from vision.structures.trajectories import Trajectory

RATE = 25


def make_trajectory(
    x: NDArray[np.float64],
    y: NDArray[np.float64] | float,
    times: NDArray[np.float64] | None = None,
    *,
    track: int = 1,
    size: tuple[float, float] = (50, 120),
) -> Trajectory:
    """A box whose centre goes along x, y."""
    n = len(x)
    half = np.array(size) / 2
    centres = np.stack(np.broadcast_arrays(x, y), axis=1)
    boxes = np.concatenate((centres - half, centres + half), axis=1).astype(np.float32)
    seconds = np.arange(n) / RATE if times is None else times
    return Trajectory(
        track, 0, "person", seconds, boxes, np.full(n, 0.8, np.float32), np.ones(n, np.bool_)
    )


def walk(track: int, length: int, *, jitter: float = 0.4) -> Trajectory:
    rng = np.random.default_rng(track)
    start, speed = rng.uniform(50, 800, 2), rng.uniform(-3, 3, 2)
    steps = np.arange(length)
    noise = rng.normal(0, jitter, (length, 4))
    centres, half = start + steps[:, None] * speed, np.array([20, 60])
    boxes = np.concatenate((centres - half, centres + half), axis=1) + noise
    seconds = (rng.integers(0, 1000) + steps) / RATE
    confidence = np.clip(0.8 + rng.normal(0, 0.03, length), 0, 1).astype(np.float32)
    detected = np.ones(length, np.bool_)
    detected[1::2] = track % 2 == 0
    return Trajectory(
        track, track % 3, f"class {track % 3}", seconds, boxes.astype(np.float32), confidence,
        detected,
    )  # fmt: skip
