"""Crossings of counting lines."""

from collections.abc import Sequence

from vision.analytics.happenings import Keys, SceneEvent
from vision.analytics.presence import describe
from vision.analytics.sides import Change
from vision.analytics.subjects import Table

__all__ = ["Crossings"]

_ROUNDING = 1e-9


class Crossings:
    """Tells of objects that have gone from one side of a line to the other.

    The side is that of the endless line, so whoever walks around an end is known to be on the other
    side, but has crossed nothing; only where the foot went over the line itself counts, its ends
    included. An object that is back on its first side may cross again.

    Args:
        names: Keys of the lines.
        first: Column of the first line.
        keys: Gives events their numbers.
    """

    def __init__(self, names: Sequence[str], *, first: int, keys: Keys) -> None:
        self._names = names
        self._first = first
        self._keys = keys

    def tell(self, table: Table, change: Change) -> list[SceneEvent]:
        """Return the crossing that a change of sides is, if it is one."""
        within = -_ROUNDING <= change.where <= 1 + _ROUNDING  # False for NaN
        if change.before != -change.after or not within:
            return []
        return [
            SceneEvent(
                key=next(self._keys),
                kind="crossing",
                phase="end",
                region=self._names[change.region - self._first],
                direction="forward" if change.after > 0 else "backward",
                track_id=int(table["id"][change.row]),
                start=change.at,
                end=change.at,
                value=None,
                **describe(table, change.row),
            )
        ]
