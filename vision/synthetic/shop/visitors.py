"""Who comes into the shop, when, and where they go: paths over the floor in metres and seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vision.synthetic.looks import Look, looks
from vision.synthetic.shop.steps import Point, Way

__all__ = ["Visitor", "visitors_of"]

_END_BEFORE = 0.5  # seconds before the end everybody is out of sight
# How long before the end a visit of this kind may begin; what takes longer after all is left out.
_SHOPPING, _LOOKING, _FOYER = 42.0, 30.0, 20.0

_SHELF_SPOTS: tuple[tuple[Point, ...], ...] = (
    ((6.2, 3.7),),
    ((7.2, 4.1),),
    ((6.7, 4.2), (6.0, 4.9)),
    ((6.7, 4.5), (7.42, 5.3)),
)
"""Ways to where one stands before the shelves; the far ones lead past those who stand nearer."""
_FOYER_SPOTS: tuple[tuple[Point, ...], ...] = (((1.0, 3.2),), ((1.2, 2.55),))
_SLOTS: tuple[Point, ...] = ((10.15, 3.4), (10.2, 4.95), (10.15, 6.0), (10.1, 7.25))
"""Where one stands at the checkout, and where one waits for it."""

_INWARDS: tuple[Point, ...] = ((2.45, -0.9), (2.45, 0.3), (2.45, 1.6))
_TO_AISLE: tuple[Point, ...] = ((2.9, 2.7), (4.6, 2.6), (6.2, 2.45))
_TO_QUEUE: tuple[Point, ...] = ((6.7, 6.6), (7.3, 7.5), (9.2, 7.6), (10.1, 7.3))
_FROM_TILL: tuple[Point, ...] = ((9.95, 2.5), (9.2, 1.85), (7.0, 1.65))
_OUTWARDS: tuple[Point, ...] = ((4.4, 1.5), (3.5, 1.4), (3.2, 0.7), (3.2, -0.3), (3.1, -1.0))
_FROM_FOYER: tuple[Point, ...] = ((1.75, 2.4), (1.75, 1.4), (1.75, -0.3), (1.7, -1.0))
_SILL = 0.9  # metres behind the door: nobody is there together with somebody else
_APART = 1.6  # seconds between two people there
_BEFORE, _AFTER = 1.2, 1.8  # seconds: who comes by then is let pass
_STREET = ((-1.1, -1.5), (4.9, -1.5))


@dataclass(frozen=True, slots=True, eq=False)
class Visitor:
    """One person's visit.

    Attributes:
        person: 1 and up: who it is, in every camera.
        look: What they look like.
        height: Metres.
        times: (N,) seconds, ascending.
        points: (N, 2) metres on the floor.
        walked: (N,) metres so far.
    """

    person: int
    look: Look
    height: float
    times: NDArray[np.float64]
    points: NDArray[np.float64]
    walked: NDArray[np.float64]

    @property
    def start(self) -> float:
        """Seconds at which the visit begins, out of every camera's sight."""
        return float(self.times[0])

    @property
    def end(self) -> float:
        """Seconds at which it is over, out of every camera's sight."""
        return float(self.times[-1])

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (N, 2) metres at (N,) seconds; before the start and after the end, where those
        are."""
        return np.stack([np.interp(times, self.times, self.points[:, axis]) for axis in (0, 1)], 1)

    def walked_at(self, time: float) -> float:
        """Return how many metres lie behind the visitor."""
        return float(np.interp(time, self.times, self.walked))


@lru_cache(maxsize=8)
def visitors_of(seed: int, seconds: float) -> tuple[Visitor, ...]:
    """Return who comes within so many seconds; all are gone at the end.

    Nobody is there at the beginning either, so the film can begin anew without a seam.

    Args:
        seed: Decides everything; equal calls give equal visits.
        seconds: Any length; in less than some twenty nobody has the time to come.
    """
    rng = np.random.default_rng([seed, 21])
    door = _Door()
    begun = [
        _begin(door, seed, number, start, seconds)
        for number, start in enumerate(_arrivals(rng, seconds))
    ]
    _browse([visit for visit in begun if visit.kind == "foyer"], _FOYER_SPOTS, _foyer_out)
    in_aisle = [visit for visit in begun if visit.kind != "foyer"]
    _browse(in_aisle, _SHELF_SPOTS, _aisle_out)
    _queue([visit for visit in in_aisle if visit.kind == "shop"])
    whole = [visit for visit in begun if visit.done and visit.way.time <= seconds - _END_BEFORE]
    deck = np.random.default_rng([seed, 22]).permutation(len(looks()))
    return tuple(
        visit.finished(number, int(deck[(number - 1) % len(deck)]))
        for number, visit in enumerate(whole, start=1)
    )


class _Door:
    """Lets people through one at a time; who leaves waits a little where they stand."""

    def __init__(self) -> None:
        self._taken: list[float] = []

    def enter(self, way: Way, points: Sequence[Point]) -> None:
        self._taken.append(self._when(way, points))
        way.walk(points, stop=False)

    def leave(self, way: Way, points: Sequence[Point]) -> float:
        """Go out; return the seconds at which the way to the door began."""
        planned = self._when(way, points)
        moment = planned
        for taken in sorted(self._taken):
            if abs(moment - taken) < _APART:
                moment = taken + _APART
        self._taken.append(moment)
        way.stand(moment - planned)
        begun = way.time
        way.walk(points)
        return begun

    @staticmethod
    def _when(way: Way, points: Sequence[Point]) -> float:
        times, line = way.preview(points)
        steps = np.flatnonzero((line[1:, 1] < _SILL) != (line[:-1, 1] < _SILL))
        return float(times[steps[-1]]) if len(steps) else float(times[-1])


@dataclass(slots=True, eq=False)
class _Visit:
    kind: str  # "shop", "look" or "foyer"
    rng: np.random.Generator
    way: Way
    door: _Door
    done: bool = True

    def finished(self, person: int, look: int) -> Visitor:
        height = float(self.rng.uniform(1.62, 1.86))
        times, points, walked = self.way.arrays()
        return Visitor(person, looks()[look], height, times, points, walked)


def _arrivals(rng: np.random.Generator, seconds: float) -> list[float]:
    arrivals: list[float] = []
    time = 0.2
    while time < seconds - _FOYER:
        arrivals.append(time)
        time += float(rng.uniform(3.0, 5.6))
    return arrivals


def _begin(door: _Door, seed: int, number: int, start: float, seconds: float) -> _Visit:
    """Bring somebody through the door."""
    rng = np.random.default_rng([seed, 23, number])
    left = seconds - start
    if number < 2 and left > _SHOPPING:
        kind = ("shop", "foyer")[number]  # so that every camera soon sees somebody
    elif left > _SHOPPING:
        kind = str(rng.choice(["shop", "shop", "shop", "look", "foyer"]))
    else:
        kind = "look" if left > _LOOKING and rng.random() < 0.6 else "foyer"
    way = Way(start, _STREET[int(rng.integers(2))], speed=float(rng.uniform(1.25, 1.5)))
    door.enter(way, _nearby(rng, _INWARDS))
    if kind != "foyer":
        way.walk(_nearby(rng, _TO_AISLE), stop=False)
    return _Visit(kind, rng, way, door)


def _browse(
    visits: Sequence[_Visit], spots: Sequence[Sequence[Point]], leave: Callable[["_Visit"], None]
) -> None:
    """Let everybody stand at a spot that nobody else has, in the order in which they come."""
    free = [0.0] * len(spots)
    arrivals = sorted(visit.way.time for visit in visits)
    for visit in sorted(visits, key=lambda visit: visit.way.time):
        now = visit.way.time
        order = visit.rng.permutation(len(spots)).tolist()
        # A spot that is not free for long is passed by; the soonest where none is free.
        spot = next((at for at in order if free[at] <= now), min(order, key=free.__getitem__))
        if free[spot] > now + 1.0:
            visit.done = False
            continue
        visit.way.walk(_nearby(visit.rng, spots[spot]))
        visit.way.stand(float(visit.rng.uniform(4.5, 9.0)))
        _let_pass(visit.way, arrivals)
        free[spot] = visit.way.time + 1.0
        leave(visit)


def _let_pass(way: Way, arrivals: Sequence[float]) -> None:
    """Stay while somebody else comes by; arrivals are in order."""
    for arrival in arrivals:
        if arrival - _BEFORE < way.time < arrival + _AFTER:
            way.stand(arrival + _AFTER - way.time)


def _foyer_out(visit: _Visit) -> None:
    _leave(visit, _FROM_FOYER)


def _aisle_out(visit: _Visit) -> None:
    if visit.kind == "look":
        _leave(visit, ((6.85, 2.9), (6.2, 1.7), *_OUTWARDS))
    else:
        visit.way.walk(_nearby(visit.rng, _TO_QUEUE), stop=False)


def _queue(visits: Sequence[_Visit]) -> None:
    """Serve everybody at the checkout, one after the other; who waits moves up."""
    left: list[float] = []  # when those before left the checkout
    for visit in sorted((visit for visit in visits if visit.done), key=lambda one: one.way.time):
        ahead = sorted(time for time in left if time > visit.way.time)
        if len(ahead) >= len(_SLOTS):
            visit.done = False
            continue
        way = visit.way
        way.walk(_nearby(visit.rng, (_SLOTS[len(ahead)],)))
        for place, moment in zip(range(len(ahead) - 1, -1, -1), ahead, strict=True):
            way.stand(max(0.0, moment + float(visit.rng.uniform(0.5, 0.9)) - way.time))
            way.walk(_nearby(visit.rng, (_SLOTS[place],)))
        way.stand(float(visit.rng.uniform(6.0, 9.5)))
        left.append(_leave(visit, (*_FROM_TILL, *_OUTWARDS)))


def _leave(visit: _Visit, points: Sequence[Point]) -> float:
    """Go out into the street; return the seconds at which the way there began."""
    street = _STREET[int(visit.rng.integers(2))]
    return visit.door.leave(visit.way, (*_nearby(visit.rng, points), street))


def _nearby(rng: np.random.Generator, points: Sequence[Point]) -> list[Point]:
    """Move a leg's points aside a little: nobody walks in another's footsteps."""
    dx, dy = rng.uniform(-0.1, 0.1, 2).tolist()
    return [(x + dx, y + dy) for x, y in points]
