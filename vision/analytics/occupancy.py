"""How many objects are in one zone, from the first that comes to the last that goes."""

from vision.analytics.happenings import Keys, Phase, SceneEvent

__all__ = ["Occupancy"]


class Occupancy:
    """The occupancy of one zone.

    Attributes:
        name: Key of the zone; None is the whole picture.
        count: Objects inside, also those that were lost a moment ago.

    Args:
        name: Key of the zone.
        keys: Gives events their numbers.
    """

    def __init__(self, name: str | None, keys: Keys) -> None:
        self.name = name
        self.count = 0
        self._keys = keys
        self._key = 0
        self._start = 0.0
        self._peak = 0
        self._last_exit = 0.0

    def left(self, at: float) -> None:
        """Note that somebody left."""
        self._last_exit = max(self._last_exit, at)

    def begin(self, first: float, count: int, together: int) -> SceneEvent:
        """Begin with the first who came.

        Args:
            first: Seconds of the first entry.
            count: Objects inside.
            together: Those of them who were certainly inside at once.
        """
        self._key, self.count = next(self._keys), count
        self._start = self._last_exit = first
        self._peak = max(together, 1)
        return self._event("start", None)

    def go_on(self, count: int, together: int) -> list[SceneEvent]:
        """Count again; return what has changed, if anything has."""
        before, self.count = self.count, count
        if not count:
            return [self._event("end", self._last_exit)] if before else []
        if together <= self._peak:
            return []
        self._peak = together
        return [self._event("update", None)]

    def _event(self, phase: Phase, end: float | None) -> SceneEvent:
        return SceneEvent(
            key=self._key,
            kind="occupancy",
            phase=phase,
            region=self.name,
            direction="",
            track_id=None,
            class_name="",
            start=self._start,
            end=end,
            value=float(self._peak),
            box=None,
            confidence=None,
        )
