"""A camera without distortion: from metres in the shop to pixels, and back to the floor."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pinhole"]

_LEAST_DEPTH = 0.05  # metres before the lens; nearer, or behind, nothing is seen


@dataclass(frozen=True, slots=True)
class Pinhole:
    """Where a camera hangs and looks. x goes along the shop's front, y inwards, z up, in metres.

    Attributes:
        position: x, y, z in metres.
        heading: Degrees from the x axis towards the y axis.
        pitch: Degrees that it looks down.
        focal: Focal length in pixels.
        size: Width and height of the picture in pixels; the axis goes through its middle.
    """

    position: tuple[float, float, float]
    heading: float
    pitch: float
    focal: float
    size: tuple[int, int] = (640, 480)

    @property
    def axes(self) -> NDArray[np.float64]:
        """(3, 3): the picture's right, its down, and where the camera looks, as unit vectors."""
        return _axes(self.heading, self.pitch)

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where points are in the picture.

        Args:
            points: (N, 3) metres.

        Returns:
            (N, 2) x, y in pixels, inside the picture or not; NaN for what is behind the camera.
        """
        seen = (np.asarray(points, np.float64).reshape(-1, 3) - self.position) @ self.axes.T
        depth = np.where(seen[:, 2] > _LEAST_DEPTH, seen[:, 2], np.nan)
        middle = np.array(self.size, np.float64) / 2
        pixels: NDArray[np.float64] = middle + self.focal * seen[:, :2] / depth[:, None]
        return pixels

    def project_floor(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (N, 2) pixels of (N, 2) points on the floor; as `project`."""
        flat = np.asarray(points, np.float64).reshape(-1, 2)
        return self.project(np.concatenate([flat, np.zeros((len(flat), 1))], axis=1))

    def floor_points(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where on the floor pixels look, (N, 2) metres; NaN at and above the horizon."""
        rays = self.rays(np.asarray(pixels, np.float64).reshape(-1, 2))
        falls = np.where(rays[:, 2] < -1e-9, rays[:, 2], np.nan)
        reach = -self.position[2] / falls
        return np.asarray(self.position[:2] + rays[:, :2] * reach[:, None], np.float64)

    def rays(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (N, 3) directions of (N, 2) pixels; 1 long along the camera's axis."""
        middle = np.array(self.size, np.float64) / 2
        across = (pixels - middle) / self.focal
        axes = self.axes
        return np.asarray(across[:, :1] * axes[0] + across[:, 1:] * axes[1] + axes[2], np.float64)

    def distance(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far ahead (N, 2) or (N, 3) points are over the floor, in metres: who is
        farther is painted first."""
        turn = math.radians(self.heading)
        offset = np.asarray(points, np.float64)[:, :2] - self.position[:2]
        return np.asarray(offset @ np.array([math.cos(turn), math.sin(turn)]), np.float64)

    def depth(self, point: tuple[float, float, float]) -> float:
        """Return how far a point is along the camera's axis, in metres; below 0 behind it."""
        return float((np.asarray(point, np.float64) - self.position) @ self.axes[2])


@lru_cache(maxsize=32)
def _axes(heading: float, pitch: float) -> NDArray[np.float64]:
    turn, tilt = math.radians(heading), math.radians(pitch)
    ahead = np.array([math.cos(turn), math.sin(turn), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    down = -math.sin(tilt) * ahead - math.cos(tilt) * up
    axes = np.stack([np.cross(ahead, up), down, math.cos(tilt) * ahead - math.sin(tilt) * up])
    axes.flags.writeable = False
    return axes
