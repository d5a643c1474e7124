"""Who is in which zone: entries, stays, exits, and how many there are at once."""

from collections.abc import Sequence
from typing import Final, TypedDict

import numpy as np

from vision.analytics.happenings import Box, Keys, Kind, Phase, SceneEvent
from vision.analytics.occupancy import Occupancy
from vision.analytics.sides import Change
from vision.analytics.subjects import Table

__all__ = ["Presence", "describe"]

_UPDATE_SECONDS: Final = 5.0
_TOGETHER_SECONDS: Final = 0.5


class Description(TypedDict):
    """What an event tells of its object."""

    class_name: str
    box: Box
    confidence: float | None


def describe(table: Table, row: int) -> Description:
    """Return what an event tells of an object as it was last seen."""
    x1, y1, x2, y2 = table["box"][row].tolist()
    confidence = float(table["confidence"][row])
    return Description(
        class_name=str(table["name"][row]),
        box=(x1, y1, x2, y2),
        confidence=None if np.isnan(confidence) else confidence,
    )


class Presence:
    """Tells of visits to zones.

    A visit begins where the foot comes over the border, or with the first sighting, and ends where
    it leaves, or with the last sighting. A visit as long as the zone's threshold is a dwell: it is
    told of when it has become one, then every five seconds, and when it has ended.

    Args:
        names: Keys of the zones; None is the whole picture.
        thresholds: Seconds, one for every zone.
        keys: Gives events their numbers.
    """

    def __init__(
        self, names: Sequence[str | None], thresholds: Sequence[float], keys: Keys
    ) -> None:
        self._names = names
        self._thresholds = thresholds
        self._keys = keys
        self._zones = [Occupancy(name, keys) for name in names]

    @property
    def occupancy(self) -> dict[str | None, int]:
        """How many objects are in each zone, also those that were lost a moment ago."""
        return {zone.name: zone.count for zone in self._zones}

    def tell(self, table: Table, change: Change) -> list[SceneEvent]:
        """Return the entry or the exit that a change of sides is."""
        if change.after > 0:
            return [self._enter(table, change.row, change.region, change.at)]
        return self.leave(table, change.row, change.region, change.at)

    def leave(self, table: Table, row: int, zone: int, at: float) -> list[SceneEvent]:
        """End a visit."""
        entered = float(table["entered"][row, zone])
        at = max(at, entered)
        table["due"][row, zone] = np.inf
        self._zones[zone].left(at)
        events = []
        stayed = at - entered
        key = int(table["dwell"][row, zone])
        if not key and stayed >= self._thresholds[zone]:
            # A slow source may see the end of a stay before it has seen that it was long.
            key = next(self._keys)
            events.append(self._event(table, row, zone, "dwell", "start", entered, None, key))
        if key:
            events.append(self._event(table, row, zone, "dwell", "end", entered, at, key))
        table["dwell"][row, zone] = 0
        events.append(self._event(table, row, zone, "exit", "end", at, at))
        return events

    def dwells(self, table: Table, now: float) -> list[SceneEvent]:
        """Return what is to be told of those who stay; the lost are waited for in silence."""
        stays = table["wanted"][:, : len(self._names)] == 0
        stays &= now - table["entered"] >= table["due"]
        stays &= (table["seen"] == now)[:, None]
        events = []
        for row, zone in np.argwhere(stays).tolist() if stays.any() else ():
            key = int(table["dwell"][row, zone])
            phase: Phase = "update" if key else "start"
            key = key or next(self._keys)
            table["dwell"][row, zone] = key
            entered = float(table["entered"][row, zone])
            table["due"][row, zone] = now - entered + _UPDATE_SECONDS
            event = self._event(table, row, zone, "dwell", phase, entered, None, key, now - entered)
            events.append(event)
        return events

    def count(self, table: Table, now: float) -> list[SceneEvent]:
        """Count who is where; return what has changed."""
        inside = table["side"][:, : len(self._names)] > 0
        counts = np.add.reduce(inside, axis=0, dtype=np.int64)
        # Whoever has not been seen for longer may have left before others came.
        lately = inside[now - table["seen"] <= _TOGETHER_SECONDS]
        together = np.add.reduce(lately, axis=0, dtype=np.int64)
        events = []
        for column, (number, peak) in enumerate(
            zip(counts.tolist(), together.tolist(), strict=True)
        ):
            if number and not self._zones[column].count:
                first = float(table["entered"][inside[:, column], column].min())
                events.append(self._zones[column].begin(first, number, peak))
            else:
                events += self._zones[column].go_on(number, peak)
        return events

    def _enter(self, table: Table, row: int, zone: int, at: float) -> SceneEvent:
        table["visitor"][row, zone] = table["id"][row]
        table["entered"][row, zone] = at
        table["due"][row, zone] = self._thresholds[zone]
        table["dwell"][row, zone] = 0
        return self._event(table, row, zone, "entry", "end", at, at)

    def _event(
        self,
        table: Table,
        row: int,
        zone: int,
        kind: Kind,
        phase: Phase,
        start: float,
        end: float | None,
        key: int | None = None,
        value: float | None = None,
    ) -> SceneEvent:
        if kind == "dwell" and value is None:
            value = max(self._thresholds[zone], 0.0) if end is None else end - start
        return SceneEvent(
            key=next(self._keys) if key is None else key,
            kind=kind,
            phase=phase,
            region=self._names[zone],
            direction="",
            track_id=int(table["visitor"][row, zone]),
            start=start,
            end=end,
            value=value,
            **describe(table, row),
        )
