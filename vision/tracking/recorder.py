"""Collects the trajectories of a source while it is analysed."""

from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.structures.trajectories import Trajectory

__all__ = ["TrajectoryRecorder"]

_ROW: Final = np.dtype(
    [
        ("id", np.int64),
        ("class_id", np.int32),
        ("detected", np.bool_),
        ("confidence", np.float32),
        ("box", np.float32, (4,)),
        ("time", np.float64),
    ]
)


class TrajectoryRecorder:
    """Keeps the points of running tracks in one array, 41 bytes each, and hands out ended tracks.

    Predicted points after a track's last sighting are dropped: nobody saw it there.
    """

    def __init__(self) -> None:
        self._rows = np.empty(256, _ROW)
        self._used = 0
        self._last_seen: dict[int, float] = {}
        self._class_names: dict[int, str] = {}

    def add(self, detections: sv.Detections, timestamp: float) -> None:
        """Add what was tracked in one frame.

        Args:
            detections: With ``tracker_id``; ``data["predicted"]`` marks rows nobody saw.
            timestamp: Seconds of the source, above those of the frames before.

        Raises:
            ValueError: There are detections without ``tracker_id``.
        """
        n = len(detections)
        if n == 0:
            return
        if detections.tracker_id is None:
            raise ValueError("detections need tracker_id to be recorded")
        rows = self._grow(n)
        rows["id"] = detections.tracker_id
        rows["time"] = timestamp
        rows["box"] = detections.xyxy
        rows["confidence"] = 1.0 if detections.confidence is None else detections.confidence
        rows["class_id"] = 0 if detections.class_id is None else detections.class_id
        predicted = detections.data.get("predicted")
        rows["detected"] = True if predicted is None else ~np.asarray(predicted, np.bool_)
        self._remember_names(detections)
        self._last_seen.update(dict.fromkeys(rows["id"].tolist(), timestamp))

    def take_finished(self, before: float) -> list[Trajectory]:
        """Return, and forget, the tracks not seen since ``before`` seconds; by id."""
        ended = [track for track, seen in self._last_seen.items() if seen < before]
        if not ended:
            return []
        for track in ended:
            del self._last_seen[track]
        rows = self._rows[: self._used]
        gone = np.isin(rows["id"], ended)
        taken, kept = rows[gone], rows[~gone]
        self._rows = np.empty(max(256, 2 * len(kept)), _ROW)
        self._rows[: len(kept)] = kept
        self._used = len(kept)
        return self._split(taken)

    def finish(self) -> list[Trajectory]:
        """Return, and forget, all tracks; by id."""
        return self.take_finished(np.inf)

    def _grow(self, n: int) -> NDArray[np.void]:
        """Return ``n`` new rows to write to."""
        needed = self._used + n
        if needed > len(self._rows):
            larger = np.empty(max(needed, 2 * len(self._rows)), _ROW)
            larger[: self._used] = self._rows[: self._used]
            self._rows = larger
        new = self._rows[self._used : needed]
        self._used = needed
        return new

    def _remember_names(self, detections: sv.Detections) -> None:
        names = detections.data.get("class_name")
        if names is None or detections.class_id is None:
            return
        for class_id, name in zip(detections.class_id.tolist(), names, strict=True):
            self._class_names.setdefault(class_id, str(name))

    def _split(self, rows: NDArray[np.void]) -> list[Trajectory]:
        rows = rows[np.argsort(rows["id"], kind="stable")]
        starts = np.flatnonzero(np.diff(rows["id"])) + 1
        tracks = (self._trajectory(part) for part in np.split(rows, starts))
        return [track for track in tracks if track is not None]

    def _trajectory(self, rows: NDArray[np.void]) -> Trajectory | None:
        seen = np.flatnonzero(rows["detected"])
        if not len(seen):
            return None
        rows = rows[: seen[-1] + 1]
        class_id = _vote(rows["class_id"][seen], rows["confidence"][seen])
        return Trajectory(
            track_id=int(rows["id"][0]),
            class_id=class_id,
            class_name=self._class_names.get(class_id, str(class_id)),
            times=rows["time"].copy(),
            boxes=rows["box"].copy(),
            confidence=rows["confidence"].copy(),
            detected=rows["detected"].copy(),
        )


def _vote(classes: NDArray[np.int32], confidence: NDArray[np.float32]) -> int:
    """Return the class with the most confidence in all."""
    values, inverse = np.unique(classes, return_inverse=True)
    return int(values[np.argmax(np.bincount(inverse, weights=confidence))])
