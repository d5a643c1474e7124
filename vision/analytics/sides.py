"""On which side of a border an object is, however much its box jitters.

A border is that of a zone (1 inside, -1 outside) or a line (1 right, -1 left, 0 not known yet).
Near it, within a band, nothing changes; beyond, the new side must hold for a moment. A sighting
speaks for the time until the next frame. When the side did change is read from where the foot went
over the border, so neither band nor moment delays the times that are told.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vision.analytics.distances import Distances
from vision.analytics.subjects import Table

__all__ = ["GRACE", "Change", "begin", "note", "pending", "settle"]

GRACE: Final = 0.25
"""Seconds that a new side must hold: two false boxes at ten frames a second change nothing."""

_ROUNDING: Final = 1e-6

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


class Change(NamedTuple):
    """An object is on another side of a border.

    Attributes:
        row: Of the object in its table.
        region: Column of the border.
        before: Side before; 0 is unknown.
        after: Side now.
        at: Seconds of the source when it went over the border; when it was first seen, if it never
            did.
        where: Where along a line, from 0 at its start to 1 at its end; NaN for zones.
    """

    row: int
    region: int
    before: int
    after: int
    at: float
    where: float


def settle(table: Table, fresh: NDArray[np.bool_], now: float) -> list[Change]:
    """Change sides that have held for long enough; return what has changed.

    Args:
        table: The objects.
        fresh: (K,) who was seen in the frame before.
        now: Seconds of this frame, whose sightings are not noted yet.
    """
    held = (table["wanted"] != 0) & (now - table["since"] >= GRACE - _ROUNDING)
    changes = _changes(table, held & fresh[:, None])
    for change in changes:
        table["side"][change.row, change.region] = change.after
        table["wanted"][change.row, change.region] = 0
    return changes


def pending(table: Table, rows: Rows) -> list[Change]:
    """Return the changes that were about to settle for objects that are not seen any more."""
    due = np.zeros(table["wanted"].shape, np.bool_)
    due[rows] = table["wanted"][rows] != 0
    return _changes(table, due)


def begin(table: Table, rows: Rows, distances: Distances, now: float) -> None:
    """Note the first sighting of objects, whose places are in the table.

    Whoever appears in a zone has entered it. Whoever appears on a line has not come from either
    side of it; half the band suffices, for nobody must be missed who crosses right away.
    """
    zones = table["entered"].shape[1]
    distance = distances.measure(table["foot"][rows])
    bands = distances.bands(table["height"][rows])
    sides = _sample(distance, np.concatenate((bands[:, :zones], bands[:, zones:] / 2), axis=1))
    wanted = np.zeros_like(sides)
    wanted[:, :zones] = sides[:, :zones] > 0
    sides[:, :zones] = -1
    table["side"][rows], table["wanted"][rows] = sides, wanted
    table["since"][rows] = table["turned"][rows] = now
    table["distance"][rows] = distance
    table["along"][rows] = distances.along(table["foot"][rows])
    table["where"][rows] = np.nan


def note(table: Table, rows: Rows, distances: Distances, before: Floats, now: float) -> None:
    """Note further sightings of objects, whose new places are in the table.

    Args:
        table: The objects.
        rows: Who was seen.
        distances: Where the borders are.
        before: (N,) seconds of their sightings before.
        now: Seconds of this frame.
    """
    foot, old = table["foot"][rows], table["distance"][rows]
    distance, along = distances.measure(foot), distances.along(foot)
    over = (distance >= 0) != (old >= 0)
    if over.any():
        share = np.divide(old, old - distance, out=np.zeros_like(old), where=over)
        times = before[:, None] + share * (now - before)[:, None]
        table["turned"][rows] = np.where(over, times, table["turned"][rows])
        first = distance.shape[1] - along.shape[1]
        place = table["along"][rows]
        place = place + share[:, first:] * (along - place)
        table["where"][rows] = np.where(over[:, first:], place, table["where"][rows])
    sides = _sample(distance, distances.bands(table["height"][rows]))
    wanted = np.where(sides == table["side"][rows], 0, sides)
    goes_on = wanted == table["wanted"][rows]
    table["since"][rows] = np.where(goes_on, table["since"][rows], now)
    table["wanted"][rows] = wanted
    table["distance"][rows], table["along"][rows] = distance, along


def _sample(distance: Floats, bands: Floats) -> NDArray[np.int8]:
    """Return 1 and -1 where the side is certain, else 0."""
    return (distance >= bands).astype(np.int8) - (distance <= -bands).astype(np.int8)


def _changes(table: Table, due: NDArray[np.bool_]) -> list[Change]:
    zones = table["entered"].shape[1]
    return [
        Change(
            row=row,
            region=region,
            before=int(table["side"][row, region]),
            after=int(table["wanted"][row, region]),
            at=float(table["turned"][row, region]),
            where=float(table["where"][row, region - zones]) if region >= zones else np.nan,
        )
        for row, region in np.argwhere(due).tolist()
    ]
