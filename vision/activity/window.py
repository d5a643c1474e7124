"""The last one to two seconds of a person, and what they amount to in body heights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.activity.features import Column

__all__ = ["USUAL_NOISE", "Hand", "Summary", "Window", "measure_noise", "summarise"]

Floats = NDArray[np.float64]

_RECENT = 0.8  # seconds: postures are judged by them, movements by the whole window
_SWING = 0.05  # body heights: to and fro by less is jitter, however steady the joints are
_STEP = 0.08
_SMOOTHED_ABOVE = 8.0  # samples per second; slower ones are too far apart to be averaged
# Differences of two joints that are only noise stay within so many of its standard deviations.
_NOISE_SMOOTHED, _NOISE_RAW = 3.2, 4.2

USUAL_NOISE = 0.02
"""Body heights: how far joints jitter, before it has been measured."""


class Window:
    """Rows of measurements no older than ``seconds``, in one array.

    Args:
        seconds: How far back it reaches.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._rows = np.empty((64, len(Column)))
        self._start = self._stop = 0

    def add(self, row: Floats) -> None:
        """Take a row that is newer than all others."""
        if self._stop == len(self._rows):
            self._make_room()
        self._rows[self._stop] = row
        self._stop += 1
        oldest = row[Column.TIME] - self._seconds - 1e-6
        while self._rows[self._start, Column.TIME] < oldest:
            self._start += 1

    @property
    def rows(self) -> Floats:
        """(T, len(Column)), oldest first; a view."""
        return self._rows[self._start : self._stop]

    def _make_room(self) -> None:
        kept = self.rows
        if len(kept) > len(self._rows) // 2:
            self._rows = np.concatenate((kept, np.empty_like(kept)))
        else:
            self._rows[: len(kept)] = kept.copy()
        self._start, self._stop = 0, len(kept)


@dataclass(frozen=True, slots=True)
class Hand:
    """One hand; heights are body heights, NaN when it is not seen.

    Attributes:
        over_head: Of the wrist above the eyes, median of the recent past.
        over_shoulder: Of the wrist above the shoulders, median of the whole window.
        swings: How often it turned back to the other side in the window.
    """

    over_head: float
    over_shoulder: float
    swings: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A person's window. Lengths are body heights, NaN where nothing is known.

    Attributes:
        span: Seconds between the first and the last row.
        samples: Rows.
        posed: Rows of the recent past with joints.
        looked: Whether joints were looked for, be it in vain.
        speed: Body heights per second, of the feet over the ground of the picture.
        lean: Degrees of the torso from upright.
        extent: From the highest to the lowest joint.
        torso_rise: From hips up to shoulders; about 0.29 when upright.
        thigh_drop: From hips down to knees; about 0.25 for a straight leg.
        leg_drop: From hips down to ankles; about 0.49.
        steps: How often the feet changed places.
        hands: Left and right.
        box_height: Of the box.
        box_ratio: Width of the box by its height.
        stayed: Seconds that the person has stayed in one place.
    """

    span: float
    samples: int
    posed: int
    looked: bool
    speed: float
    lean: float
    extent: float
    torso_rise: float
    thigh_drop: float
    leg_drop: float
    steps: int
    hands: tuple[Hand, Hand]
    box_height: float
    box_ratio: float
    stayed: float

    @property
    def has_pose(self) -> bool:
        """Whether joints were seen at all."""
        return self.posed > 0

    @property
    def has_legs(self) -> bool:
        """Whether hips and knees were seen."""
        return not math.isnan(self.thigh_drop)


def summarise(
    rows: Floats, body_height: float, *, stayed: float = 0.0, noise: float = USUAL_NOISE
) -> Summary:
    """Return what a window amounts to.

    Args:
        rows: (T, len(Column)), oldest first, at least one.
        body_height: Pixels.
        stayed: See ``Summary``.
        noise: Standard deviation of a joint's coordinate, in body heights.
    """
    times = rows[:, Column.TIME]
    span = float(times[-1] - times[0])
    posed = rows[rows[:, Column.POSED] == 1]
    recent_posed = _recent(posed, times[-1])
    # Boxes between the looks of a detector have no joints and must not outvote those that do.
    middle = _medians(recent_posed if len(recent_posed) else _recent(rows, times[-1]))
    smooth = _is_dense(posed)
    jitter = (_NOISE_SMOOTHED if smooth else _NOISE_RAW) * noise
    least_step, least_swing = max(_STEP, jitter) * body_height, max(_SWING, jitter) * body_height
    steps = max(
        _turns(posed[:, column], least_step, smooth) for column in (Column.STEP_X, Column.STEP_Y)
    )

    def part(column: Column) -> float:
        return middle[column] / body_height

    def hand(side: int) -> Hand:
        raised = _median(posed[:, Column.LEFT_OVER_SHOULDER + side]) / body_height
        # Swinging arms that hang are no gesture, and need no counting.
        counted = raised > -0.2
        reach = posed[:, Column.LEFT_REACH + side]
        swings = _turns(reach, least_swing, smooth) if counted else 0
        return Hand(middle[Column.LEFT_OVER_HEAD + side] / body_height, raised, swings)

    return Summary(
        span=span,
        samples=len(rows),
        posed=len(recent_posed),
        looked=bool(len(recent_posed) or (rows[:, Column.POSED] == 0).any()),
        speed=_speed(rows) / body_height,
        lean=middle[Column.LEAN],
        extent=part(Column.EXTENT),
        torso_rise=part(Column.TORSO_RISE),
        thigh_drop=part(Column.THIGH_DROP),
        leg_drop=part(Column.LEG_DROP),
        steps=steps,
        hands=(hand(0), hand(1)),
        box_height=part(Column.BOX_HEIGHT),
        box_ratio=middle[Column.BOX_WIDTH] / max(middle[Column.BOX_HEIGHT], 1e-6),
        stayed=stayed,
    )


def measure_noise(rows: Floats, body_height: float) -> float:
    """Return the standard deviation of a joint's coordinate in body heights; NaN when unknown.

    Shoulders move evenly from one sample to the next; what their second differences show is noise.
    """
    places = rows[:, Column.SHOULDERS_X]
    bends = np.abs(np.diff(places[~np.isnan(places)], 2))
    if len(bends) < 3:
        return math.nan
    bends.sort()
    # The median of a normal distribution's amount is 0.6745; the sum 1 - 2 + 1 has six times the
    # variance of its terms, and the middle of two shoulders half of that of one.
    return float(bends[len(bends) // 2]) / 0.6745 / math.sqrt(6 / 2) / body_height


def _recent(rows: Floats, now: float) -> Floats:
    return rows[np.searchsorted(rows[:, Column.TIME], now - _RECENT - 1e-6) :]


def _is_dense(rows: Floats) -> bool:
    """Return whether neighbouring rows show the same moment of a movement."""
    if len(rows) < 3:
        return False
    return bool(len(rows) - 1 > _SMOOTHED_ABOVE * (rows[-1, Column.TIME] - rows[0, Column.TIME]))


def _medians(rows: Floats) -> list[float]:
    """Return the median of what is known in every column; NaN where that is less than a third."""
    ordered = np.sort(rows, axis=0)  # unknown values come last
    counts = len(rows) - np.isnan(ordered).sum(axis=0)
    middle = ordered[np.maximum(counts - 1, 0) // 2, np.arange(rows.shape[1])]
    middle[counts * 3 < len(rows)] = np.nan
    medians: list[float] = middle.tolist()
    return medians


def _median(values: Floats) -> float:
    known = sorted(value for value in values.tolist() if value == value)
    if not known or len(known) * 3 < len(values):
        return math.nan
    return float(known[(len(known) - 1) // 2])


def _speed(rows: Floats) -> float:
    """Return the speed of the straight line that fits the positions best, in pixels per second."""
    times = rows[:, Column.TIME] - rows[:, Column.TIME].mean()
    spread = float(times @ times)
    if spread <= 0:
        return math.nan
    speed: float = math.hypot(*(times @ rows[:, Column.X : Column.Y + 1] / spread).tolist())
    return speed


def _turns(values: Floats, least: float, smooth: bool) -> int:
    """Return how often a value turned back by at least ``least``."""
    known = [value for value in values.tolist() if value == value]
    if smooth:
        known = _smoothed(known)
    return _count_turns(known, least)


def _smoothed(values: Sequence[float]) -> list[float]:
    triples = zip(values, values[1:], values[2:], strict=False)
    return [(first + 2 * second + third) / 4 for first, second, third in triples]


def _count_turns(values: Sequence[float], least: float) -> int:
    direction = turns = 0
    extreme = values[0] if values else 0.0
    other = extreme  # the opposite extreme, while no direction is known
    for value in values:
        if direction == 0:
            extreme, other = max(extreme, value), min(other, value)
            if extreme - other >= least:
                direction = 1 if value == extreme else -1
                extreme = value
        elif (value - extreme) * direction > 0:
            extreme = value
        elif (extreme - value) * direction >= least:
            turns += 1
            direction, extreme = -direction, value
    return turns
