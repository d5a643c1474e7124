"""What a trajectory says: how far, how fast, where from and where to.

Boxes of a detector jitter, so a sum over all their steps grows while a person stands still. Here
positions are box centres, cleaned of single outliers (median of three), averaged over 0.2
seconds, and only steps of a tenth of the body height count: who stands, goes nowhere.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vision.structures.trajectories import Trajectory

__all__ = ["Side", "TrajectoryFigures", "describe_trajectory"]

Side = Literal["left", "right", "top", "bottom", "inside"]

_BIN_SECONDS: Final = 0.2
_TOP_SECONDS: Final = 0.5
# In body heights: what counts as a step, and the steps whose directions are compared.
_STEP: Final = 0.1
_TURN_STEP: Final = 0.5
_TURN_COSINE: Final = float(np.cos(np.pi / 4))
# A box this close to the edge of the picture, as a share of the picture, touches it.
_EDGE: Final = 0.03

_SIDES: Final[tuple[Side, ...]] = ("left", "top", "right", "bottom")
_INWARD: Final = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])


@dataclass(frozen=True, slots=True)
class TrajectoryFigures:
    """The figures of one trajectory.

    Attributes:
        path_length: Pixels along the way.
        displacement: Pixels from the first position to the last, as the crow flies.
        mean_speed: Pixels per second: path length over dwell.
        top_speed: Pixels per second: the fastest half second.
        path_length_bh: Body heights along the way; the height is the box's at each place.
        mean_speed_bh: Body heights per second.
        top_speed_bh: Body heights per second.
        path_length_m: Metres, where a scale is known.
        mean_speed_mps: Metres per second, where a scale is known.
        top_speed_mps: Metres per second, where a scale is known.
        direction_changes: How often the direction turned by more than 45 degrees, on steps of half
            a body height; a slow bend counts once for every 45 degrees.
        dwell: Seconds from the first point to the last.
        entry_side: The edge of the picture where the object came in, or "inside".
        exit_side: The edge where it went out, or "inside".
    """

    path_length: float
    displacement: float
    mean_speed: float
    top_speed: float
    path_length_bh: float
    mean_speed_bh: float
    top_speed_bh: float
    path_length_m: float | None
    mean_speed_mps: float | None
    top_speed_mps: float | None
    direction_changes: int
    dwell: float
    entry_side: Side
    exit_side: Side


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """Smoothed positions: (N,) times, (N, 2) centres, (N,) body heights."""

    times: NDArray[np.float64]
    points: NDArray[np.float64]
    heights: NDArray[np.float64]


def describe_trajectory(
    trajectory: Trajectory,
    *,
    width: int,
    height: int,
    metres_per_pixel: float | None = None,
) -> TrajectoryFigures:
    """Return the figures of a trajectory.

    Args:
        trajectory: Any number of points, also none or one.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        metres_per_pixel: Scale where the object moves, if it is known.
    """
    if len(trajectory) == 0:
        return _figures(0, 0, 0, 0, 0, 0, metres_per_pixel, 0, "inside", "inside")
    path = _smooth(trajectory)
    steps = _steps(path, _STEP)
    chords = path.points[steps[1:]] - path.points[steps[:-1]]
    lengths = np.hypot(chords[:, 0], chords[:, 1])
    heights = (path.heights[steps[1:]] + path.heights[steps[:-1]]) / 2
    turns = _steps(path, _TURN_STEP)
    top, top_bh = _top_speed(path)
    return _figures(
        float(lengths.sum()),
        float((lengths / heights).sum()),
        float(np.hypot(*(path.points[-1] - path.points[0]))),
        top,
        top_bh,
        trajectory.end - trajectory.start,
        metres_per_pixel,
        _count_turns(path.points[turns]),
        _side(trajectory.boxes[0], _heading(path, turns, 0), (width, height), 1.0),
        _side(trajectory.boxes[-1], _heading(path, turns, -1), (width, height), -1.0),
    )


def _figures(
    length: float,
    length_bh: float,
    displacement: float,
    top: float,
    top_bh: float,
    dwell: float,
    scale: float | None,
    turns: int,
    entry: Side,
    way_out: Side,
) -> TrajectoryFigures:
    mean, mean_bh = (length / dwell, length_bh / dwell) if dwell > 0 else (0.0, 0.0)
    # The path is smoothed in another way than the fastest half second of it.
    top, top_bh = max(top, mean), max(top_bh, mean_bh)
    return TrajectoryFigures(
        path_length=float(length),
        displacement=float(displacement),
        mean_speed=mean,
        top_speed=float(top),
        path_length_bh=float(length_bh),
        mean_speed_bh=mean_bh,
        top_speed_bh=float(top_bh),
        path_length_m=None if scale is None else float(length * scale),
        mean_speed_mps=None if scale is None else mean * scale,
        top_speed_mps=None if scale is None else float(top * scale),
        direction_changes=turns,
        dwell=float(dwell),
        entry_side=entry,
        exit_side=way_out,
    )


def _smooth(trajectory: Trajectory) -> _Path:
    """Return the averages of bins of time, with the first and the last position as they are."""
    boxes = np.asarray(trajectory.boxes, np.float64)
    columns = np.column_stack(
        (
            trajectory.times,
            (boxes[:, 0] + boxes[:, 2]) / 2,
            (boxes[:, 1] + boxes[:, 3]) / 2,
            boxes[:, 3] - boxes[:, 1],
        )
    )
    columns[:, 1:] = _median_of_three(columns[:, 1:])
    bins = np.floor((columns[:, 0] - columns[0, 0]) / _BIN_SECONDS)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(bins)) + 1))
    counts = np.diff(np.append(starts, len(columns)))
    means = np.add.reduceat(columns, starts, axis=0) / counts[:, None]
    rows = np.concatenate((columns[:1], means, columns[-1:]))
    return _Path(rows[:, 0], rows[:, 1:3], np.maximum(rows[:, 3], 1.0))


def _median_of_three(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(values) < 3:
        return values
    cleaned = values.copy()
    cleaned[1:-1] = np.median(np.stack((values[:-2], values[1:-1], values[2:])), axis=0)
    return cleaned


def _steps(path: _Path, minimum: float) -> NDArray[np.int64]:
    """Return the rows of positions that are at least so many body heights from the one before."""
    kept = [0]
    x0, y0 = path.points[0].tolist()
    rows = zip(path.points.tolist(), (path.heights * minimum).tolist(), strict=True)
    for at, ((x, y), reach) in enumerate(rows):
        if (x - x0) ** 2 + (y - y0) ** 2 >= reach * reach:
            kept.append(at)
            x0, y0 = x, y
    return np.array(kept, np.int64)


def _top_speed(path: _Path) -> tuple[float, float]:
    """Return the speed of the fastest half second, in pixels and in body heights."""
    times = path.times
    begin = np.arange(len(times))
    end = np.searchsorted(times, times + _TOP_SECONDS - 1e-9)
    # A shorter track is one window; at few frames per second a window is one step.
    whole = end < len(times)
    if not whole.any():
        begin, end = np.array([0]), np.array([len(times) - 1])
    else:
        begin, end = begin[whole], end[whole]
    seconds = times[end] - times[begin]
    moved = path.points[end] - path.points[begin]
    distance = np.hypot(moved[:, 0], moved[:, 1])
    heights = (path.heights[end] + path.heights[begin]) / 2
    valid = (seconds > 0) & (distance >= _STEP * heights)
    if not valid.any():
        return 0.0, 0.0
    speeds = distance[valid] / seconds[valid]
    return float(speeds.max()), float((speeds / heights[valid]).max())


def _count_turns(points: NDArray[np.float64]) -> int:
    """Count how often the direction leaves the one it last turned to by more than 45 degrees."""
    chords = np.diff(points, axis=0)
    lengths = np.hypot(chords[:, 0], chords[:, 1])
    directions = (chords / np.maximum(lengths, 1e-9)[:, None]).tolist()
    turns = 0
    reference: list[float] | None = None
    for direction in directions:
        if reference is None:
            reference = direction
        elif reference[0] * direction[0] + reference[1] * direction[1] < _TURN_COSINE:
            turns += 1
            reference = direction
    return turns


def _heading(path: _Path, turns: NDArray[np.int64], at: Literal[0, -1]) -> NDArray[np.float64]:
    """Return the direction (not its length) at the start or at the end; zeros when it stood."""
    if len(turns) < 2:
        steps = _steps(path, _STEP)
        return path.points[-1] - path.points[0] if len(steps) > 1 else np.zeros(2)
    first, last = (turns[0], turns[1]) if at == 0 else (turns[-2], turns[-1])
    heading: NDArray[np.float64] = path.points[last] - path.points[first]
    return heading


def _side(
    box: NDArray[np.float32], heading: NDArray[np.float64], size: tuple[int, int], inward: float
) -> Side:
    """Return the edge that the box touches and the heading leads away from, or towards."""
    x1, y1, x2, y2 = (float(value) for value in box)
    width, height = size
    gaps: NDArray[Any] = np.array([x1 / width, y1 / height, 1 - x2 / width, 1 - y2 / height])
    scores = np.where(gaps <= _EDGE, _INWARD @ heading * inward, 0.0)
    best = int(np.argmax(scores))
    return _SIDES[best] if scores[best] > 0 else "inside"
