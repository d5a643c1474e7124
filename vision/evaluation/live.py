"""How true are a live camera's events: counts, dwell times, and how late they are announced.

What was found is matched with what really happened, region by region: one found event answers at
most one true one. Nothing here knows where either comes from.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vision.analytics.watcher import SceneEvent

__all__ = ["Announced", "EventScore", "OccupancyScore", "TrueEvent", "pool", "score_events",
           "score_occupancy"]  # fmt: skip

Kind = Literal["entry", "exit", "dwell", "crossing"]
Direction = Literal["", "forward", "backward"]

TOLERANCE: Final = 2.0
"""Seconds that a found event may be off and still be the one that is meant."""

_KINDS: Final = ("crossing", "entry", "exit", "dwell")
_IMPOSSIBLE: Final = 1e6  # dearer than all possible pairs together, so that most are matched


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """Something that really happened.

    Attributes:
        kind: What it is.
        region: Key of the zone or the line.
        direction: Of a crossing, otherwise empty.
        time: Seconds; of a dwell, when it began.
        seconds: How long a dwell was; 0 of everything else.
        due: Seconds at which it can be known at the earliest: of a dwell, when the threshold was
            reached, otherwise ``time``.
    """

    kind: Kind
    region: str
    direction: Direction
    time: float
    seconds: float
    due: float


class Announced(NamedTuple):
    """An event of a watcher, and when that told it, in seconds of the source."""

    event: SceneEvent
    at: float


@dataclass(frozen=True, slots=True)
class EventScore:
    """Found against true events of one kind, region and direction.

    Attributes:
        region: Key of the zone or the line.
        kind: What was compared.
        direction: Of crossings, otherwise empty.
        true: How many there were.
        found: How many were announced.
        time_errors: Seconds, found minus true, of every matched pair.
        dwell_errors: Seconds, found minus true length, of every matched dwell that was over.
        latencies: Seconds from when a matched event could be known until it was announced.
    """

    region: str
    kind: Kind
    direction: Direction
    true: int
    found: int
    time_errors: tuple[float, ...] = ()
    dwell_errors: tuple[float, ...] = ()
    latencies: tuple[float, ...] = ()

    @property
    def matched(self) -> int:
        """Pairs of a true and a found event."""
        return len(self.time_errors)

    @property
    def missed(self) -> int:
        """True events that nobody announced."""
        return self.true - self.matched

    @property
    def extra(self) -> int:
        """Announced events that did not happen."""
        return self.found - self.matched

    @property
    def error(self) -> int:
        """Found minus true count; missed and extra events make up for each other."""
        return self.found - self.true

    @property
    def is_exact(self) -> bool:
        """Whether every event was announced once and nothing else was."""
        return self.missed == 0 and self.extra == 0


@dataclass(frozen=True, slots=True)
class OccupancyScore:
    """How many were found in a region against how many were there, moment by moment.

    Attributes:
        region: Key of the zone.
        moments: How many moments were compared.
        right: At how many of them the number was right.
        error: Mean absolute difference; 0 without moments.
        most: Greatest absolute difference.
    """

    region: str
    moments: int
    right: int
    error: float
    most: int


def score_events(
    true: Iterable[TrueEvent], announced: Iterable[Announced], *, tolerance: float = TOLERANCE
) -> list[EventScore]:
    """Match announced events with true ones.

    Crossings, entries and exits match within ``tolerance`` seconds; a dwell matches one that it
    overlaps in time. Among all ways to match as many as possible, the one with the least total
    difference is taken. Occupancies and events of the whole picture are left out.

    Args:
        true: In any order.
        announced: All phases, in the order in which they were announced.
        tolerance: Seconds, 0 or more.

    Returns:
        One score for each kind, region and direction that either side has, ordered by kind
        (crossing, entry, exit, dwell), then region and direction; empty if both are.
    """
    groups: defaultdict[_Group, tuple[list[TrueEvent], list[_Found]]]
    groups = defaultdict(lambda: ([], []))
    for event in true:
        groups[_Group(_KINDS.index(event.kind), event.region, event.direction)][0].append(event)
    for group, found in _collect(announced):
        groups[group][1].append(found)
    return [_score(group, *groups[group], tolerance) for group in sorted(groups)]


def score_occupancy(
    region: str, true: NDArray[np.int64], found: NDArray[np.int64]
) -> OccupancyScore:
    """Compare (N,) true with (N,) found numbers of the same moments.

    Raises:
        ValueError: They are not equally many.
    """
    if len(true) != len(found):
        raise ValueError(f"{len(true)} true numbers, but {len(found)} found ones")
    if len(true) == 0:
        return OccupancyScore(region, 0, 0, 0.0, 0)
    off = np.abs(np.asarray(found) - np.asarray(true))
    return OccupancyScore(
        region, len(off), int((off == 0).sum()), float(off.mean()), int(off.max())
    )


def pool(scores: Iterable[EventScore]) -> list[EventScore]:
    """Take scores of several runs together: one for each kind, region and direction."""
    groups: defaultdict[_Group, list[EventScore]] = defaultdict(list)
    for score in scores:
        groups[_Group(_KINDS.index(score.kind), score.region, score.direction)].append(score)
    return [_added(groups[group]) for group in sorted(groups)]


class _Group(NamedTuple):
    kind: int  # of _KINDS
    region: str
    direction: Direction


@dataclass(slots=True)
class _Found:
    time: float
    seconds: float
    announced: float
    over: bool


def _collect(announced: Iterable[Announced]) -> list[tuple[_Group, _Found]]:
    """Put the phases of each event together."""
    found: dict[int, tuple[_Group, _Found]] = {}
    for event, at in announced:
        if event.region is None or event.kind not in _KINDS:
            continue
        known = found.get(event.key)
        if known is None:
            group = _Group(_KINDS.index(event.kind), event.region, event.direction)
            known = found[event.key] = (group, _Found(event.start, 0.0, at, over=False))
        _go_on(known[1], event)
    return list(found.values())


def _go_on(found: _Found, event: SceneEvent) -> None:
    found.time, found.over = event.start, event.phase == "end"
    if event.kind == "dwell" and event.value is not None:
        found.seconds = event.value


def _score(
    group: _Group, true: Sequence[TrueEvent], found: Sequence[_Found], tolerance: float
) -> EventScore:
    kind: Kind = _KINDS[group.kind]
    pairs = _match(kind, true, found, tolerance)
    return EventScore(
        region=group.region,
        kind=kind,
        direction=group.direction,
        true=len(true),
        found=len(found),
        time_errors=tuple(got.time - real.time for real, got in pairs),
        dwell_errors=tuple(
            got.seconds - real.seconds for real, got in pairs if kind == "dwell" and got.over
        ),
        latencies=tuple(got.announced - real.due for real, got in pairs),
    )


def _match(
    kind: Kind, true: Sequence[TrueEvent], found: Sequence[_Found], tolerance: float
) -> list[tuple[TrueEvent, _Found]]:
    if not true or not found:
        return []
    real = np.array([(event.time, event.time + event.seconds) for event in true])[:, None]
    got = np.array([(event.time, event.time + event.seconds) for event in found])[None]
    cost = np.abs(real - got).sum(axis=2)
    if kind == "dwell":
        possible = (real[..., 0] < got[..., 1]) & (got[..., 0] < real[..., 1])
    else:
        possible = np.abs(real[..., 0] - got[..., 0]) <= tolerance
    rows, columns = linear_sum_assignment(np.where(possible, cost, _IMPOSSIBLE))
    return [
        (true[row], found[column])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if possible[row, column]
    ]


def _added(scores: Sequence[EventScore]) -> EventScore:
    first = scores[0]
    return EventScore(
        region=first.region,
        kind=first.kind,
        direction=first.direction,
        true=sum(score.true for score in scores),
        found=sum(score.found for score in scores),
        time_errors=tuple(error for score in scores for error in score.time_errors),
        dwell_errors=tuple(error for score in scores for error in score.dwell_errors),
        latencies=tuple(latency for score in scores for latency in score.latencies),
    )
