"""What is counted of a set of sessions, in a form that adds up exactly.

Confidences are summed as whole millionths and times kept as whole hundredths of a millisecond, so
that sums do not depend on their order and medians are those of all times, not of averages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BINS = 20
# The edges as the database compares with them: a confidence of 0.15 belongs to the fourth bin.
EDGES = tuple(number / BINS for number in range(BINS + 1))
MILLION = 1_000_000
TIME_UNIT_MS = 0.01
BIN_TYPE = np.dtype("<i4")
TIME_TYPE = np.dtype("<u4")

Bins = NDArray[np.int64]
Times = NDArray[np.uint32]


def no_bins() -> Bins:
    """An empty histogram."""
    return np.zeros(BINS, dtype=np.int64)


@dataclass(slots=True)
class Figures:
    """Sessions, their objects and confidences, and how long they took."""

    sessions: int = 0
    objects: int = 0
    confidence_sum: int = 0
    bins: Bins = field(default_factory=no_bins)
    times: list[Times] = field(default_factory=list)
    taken: list[Times] = field(default_factory=list)  # times that are not counted after all

    def add(self, other: Figures) -> None:
        """Take in the figures of other sessions."""
        self.sessions += other.sessions
        self.objects += other.objects
        self.confidence_sum += other.confidence_sum
        self.bins += other.bins
        self.times += other.times
        self.taken += other.taken

    @property
    def mean_confidence(self) -> float | None:
        """Of all objects, to four digits."""
        if not self.objects:
            return None
        return round(self.confidence_sum / self.objects / MILLION, 4)

    @property
    def objects_per_session(self) -> float | None:
        """To two digits."""
        return round(self.objects / self.sessions, 2) if self.sessions else None

    def percentiles(self) -> tuple[float, float] | None:
        """Median and 95th percentile of the times, in milliseconds; None without times."""
        times = _without(_joined(self.times), _joined(self.taken))
        if not times.size:
            return None
        median, slow = np.percentile(times, (50, 95)) * TIME_UNIT_MS
        return round(float(median), 2), round(float(slow), 2)


def _joined(parts: list[Times]) -> Times:
    return np.concatenate(parts) if parts else np.empty(0, dtype=TIME_TYPE)


def _without(times: Times, taken: Times) -> Times:
    """The times less those taken, one for one."""
    if not taken.size:
        return times
    values, counts = np.unique(times, return_counts=True)
    gone, how_often = np.unique(taken, return_counts=True)
    counts[np.searchsorted(values, gone)] -= how_often
    return np.repeat(values, counts)


def pack_bins(bins: Bins) -> bytes:
    """As it is stored."""
    return bins.astype(BIN_TYPE).tobytes()


def unpack_bins(stored: bytes | memoryview) -> Bins:
    """As it is counted with."""
    return np.frombuffer(stored, BIN_TYPE).astype(np.int64)


def pack_times(milliseconds: Iterable[float]) -> Times:
    """Times as whole numbers, as they are stored."""
    most = float(np.iinfo(TIME_TYPE).max)
    return np.array(
        [round(min(max(value / TIME_UNIT_MS, 0.0), most)) for value in milliseconds],
        dtype=TIME_TYPE,
    )


def unpack_times(stored: bytes | memoryview) -> Times:
    """As they are counted with."""
    return np.frombuffer(stored, TIME_TYPE)
