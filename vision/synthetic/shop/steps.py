"""How somebody walks from point to point: round corners, slowly off and slowly to a stand."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Point", "Way"]

Point = tuple[float, float]

_STEP = 0.05  # metres between the points of a way
_ROUND = 15  # points over which a corner is rounded
_PUSH = 1.6  # metres per second and second: how fast people set off and stop
_CREEP = 0.2  # metres per second at which a walk begins and ends


class Way:
    """One person's way, made leg by leg.

    Args:
        start: Seconds.
        point: x, y in metres.
        speed: Metres per second at a walk.
    """

    def __init__(self, start: float, point: Point, *, speed: float) -> None:
        self._speed = speed
        self._times = [np.array([start])]
        self._points = [np.array([point], np.float64)]
        self._ahead: list[Point] = []

    @property
    def time(self) -> float:
        """Seconds; for a leg that goes on, when its end will be reached."""
        end = float(self._times[-1][-1])
        return end + self._leg()[0][-1] if self._ahead else end

    def preview(self, points: Sequence[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (N,) seconds and (N, 2) metres of the leg that `walk` would make now."""
        seconds, line = self._leg(points)
        return self._times[-1][-1] + seconds, line

    def walk(self, points: Sequence[Point], *, stop: bool = True) -> None:
        """Go through points, and come to a stand at the last unless ``stop`` is False."""
        self._ahead += points
        if stop and self._ahead:
            seconds, line = self._leg()
            self._times.append(self._times[-1][-1] + seconds[1:])
            self._points.append(line[1:])
            self._ahead = []

    def stand(self, seconds: float) -> None:
        """Stay for so long; below a thousandth nothing happens."""
        if seconds >= 1e-3:
            self._times.append(self._times[-1][-1:] + seconds)
            self._points.append(self._points[-1][-1:])

    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return (N,) seconds, (N, 2) metres and (N,) metres walked, of what is walked so far."""
        points = np.concatenate(self._points)
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        return np.concatenate(self._times), points, np.concatenate([[0.0], np.cumsum(steps)])

    def _leg(self, more: Sequence[Point] = ()) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (N,) seconds from 0 and (N, 2) metres of the leg that lies ahead."""
        line = _rounded(np.array([tuple(self._points[-1][-1]), *self._ahead, *more], np.float64))
        steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
        done = np.concatenate([[0.0], np.cumsum(steps)])
        middle = (done[1:] + done[:-1]) / 2
        near = np.minimum(middle, done[-1] - middle)
        speed = np.minimum(self._speed, np.sqrt(_CREEP**2 + 2 * _PUSH * near))
        return np.concatenate([[0.0], np.cumsum(steps / speed)]), line


def _rounded(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points at equal steps along straight lines whose corners are averaged away."""
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    done = np.concatenate([[0.0], np.cumsum(lengths)])
    fine = np.linspace(0.0, done[-1], max(2, round(done[-1] / _STEP) + 1))
    line = np.stack([np.interp(fine, done, corners[:, axis]) for axis in (0, 1)], axis=1)
    # The ends are mirrored about themselves, so that they stay where they are.
    edge = min(_ROUND, len(line) - 1)
    before = 2 * line[0] - line[edge:0:-1]
    after = 2 * line[-1] - line[-2 : -edge - 2 : -1]
    kernel = np.full(2 * edge + 1, 1 / (2 * edge + 1))
    padded = np.concatenate([before, line, after])
    return np.stack([np.convolve(padded[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)
