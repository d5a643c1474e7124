"""How long a person has been in one place."""

import math
from collections import deque

__all__ = ["Whereabouts"]

_POINTS = 30  # a stay is judged by about so many positions


class Whereabouts:
    """Positions of the last ``seconds``, few enough to be kept for every track.

    Args:
        seconds: How long a stay must be to count.
        radius: In body heights, from the middle of the stay.
    """

    def __init__(self, seconds: float, radius: float) -> None:
        self._seconds = seconds
        self._radius = radius
        self._points: deque[tuple[float, float, float]] = deque()
        self._since: float | None = None

    def add(self, time: float, x: float, y: float, body_height: float) -> float:
        """Take a position in pixels; return the seconds of the stay, 0 while it is none."""
        if self._points and time - self._points[-1][0] < self._seconds / _POINTS:
            return 0.0 if self._since is None else time - self._since
        self._points.append((time, x, y))
        while len(self._points) > 1 and self._points[1][0] <= time - self._seconds:
            self._points.popleft()
        first = self._points[0][0]
        long_enough = time - first >= self._seconds * 0.999
        if not long_enough or self._spread() > self._radius * body_height:
            self._since = None
            return 0.0
        self._since = first if self._since is None else self._since
        return time - self._since

    def _spread(self) -> float:
        """Return the greatest distance from the middle, in pixels."""
        count = len(self._points)
        x = sum(point[1] for point in self._points) / count
        y = sum(point[2] for point in self._points) / count
        return max(math.hypot(point[1] - x, point[2] - y) for point in self._points)
