"""Collects the trajectories of a source while it is analysed."""

from typing import Final

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.structures.trajectories import Trajectory

__all__ = ["FIRST_SPARE_ID", "TrajectoryRecorder"]

FIRST_SPARE_ID: Final = 1_000_001
"""Where the numbers begin of tracks whose own number was given away; no tracker comes so far."""

_POINT: Final = np.dtype(
    [
        ("class_id", np.int32),
        ("detected", np.bool_),
        ("confidence", np.float32),
        ("box", np.float32, (4,)),
        ("time", np.float64),
    ]
)
_ROW: Final = np.dtype([("id", np.int64), ("point", _POINT)])

# Rows that wait to be sorted by track: all that a track's end has to look through.
_WAITING: Final = 8192


class TrajectoryRecorder:
    """Keeps the points of running tracks, some 35 bytes each, and hands out ended tracks.

    New points of all tracks wait in one array; when it is full they go to sealed blocks of their
    tracks. So adding is one copy for a frame, and the end of a track costs what it has recorded,
    however much the others have.

    Predicted points after a track's last sighting are dropped: nobody saw it there.

    No track id is handed out twice. If a tracker goes on with an id whose track was handed out
    as ended, what follows is a track of its own, with the next number from `FIRST_SPARE_ID`.
    """

    def __init__(self) -> None:
        self._waiting = np.empty(_WAITING, _ROW)
        self._used = 0
        self._sealed: dict[int, list[bytes]] = {}
        self._last_seen: dict[int, float] = {}
        self._class_names: dict[int, str] = {}
        self._handed_out: set[int] = set()
        self._next_spare = FIRST_SPARE_ID

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
        rows = self._new_rows(n)
        rows["id"] = detections.tracker_id
        points = rows["point"]
        points["time"] = timestamp
        points["box"] = detections.xyxy
        points["confidence"] = 1.0 if detections.confidence is None else detections.confidence
        points["class_id"] = 0 if detections.class_id is None else detections.class_id
        predicted = detections.data.get("predicted")
        points["detected"] = True if predicted is None else ~np.asarray(predicted, np.bool_)
        self._remember_names(detections)
        self._last_seen.update(dict.fromkeys(rows["id"].tolist(), timestamp))

    def take_finished(self, before: float) -> list[Trajectory]:
        """Return, and forget, the tracks not seen since ``before`` seconds; by id."""
        ended = sorted(track for track, seen in self._last_seen.items() if seen < before)
        if not ended:
            return []
        self._seal(np.isin(self._waiting["id"][: self._used], ended))
        taken = []
        for track in ended:
            del self._last_seen[track]
            points = np.frombuffer(b"".join(self._sealed.pop(track)), _POINT)
            trajectory = self._trajectory(track, points)
            if trajectory is not None:
                taken.append(trajectory)
        return sorted(taken, key=lambda trajectory: trajectory.track_id)

    def finish(self) -> list[Trajectory]:
        """Return, and forget, all tracks; by id."""
        return self.take_finished(np.inf)

    def _new_rows(self, n: int) -> NDArray[np.void]:
        """Return ``n`` rows to write to."""
        if self._used + n > len(self._waiting):
            self._seal(np.ones(self._used, np.bool_))
        if n > len(self._waiting):
            self._waiting = np.empty(n, _ROW)
        new = self._waiting[self._used : self._used + n]
        self._used += n
        return new

    def _seal(self, chosen: NDArray[np.bool_]) -> None:
        """Move the chosen of the waiting rows to blocks of their tracks."""
        rows = self._waiting[: self._used]
        sealed, kept = rows[chosen], rows[~chosen]
        self._waiting[: len(kept)] = kept
        self._used = len(kept)
        sealed = sealed[np.argsort(sealed["id"], kind="stable")]
        starts = np.flatnonzero(np.diff(sealed["id"])) + 1
        for part in np.split(sealed, starts):
            if len(part):
                self._sealed.setdefault(int(part["id"][0]), []).append(part["point"].tobytes())

    def _remember_names(self, detections: sv.Detections) -> None:
        names = detections.data.get("class_name")
        if names is None or detections.class_id is None:
            return
        for class_id, name in zip(detections.class_id.tolist(), names, strict=True):
            if class_id not in self._class_names:
                self._class_names[class_id] = str(name)

    def _trajectory(self, track: int, points: NDArray[np.void]) -> Trajectory | None:
        seen = np.flatnonzero(points["detected"])
        if not len(seen):
            return None
        class_id = _vote(points["class_id"][seen], points["confidence"][seen])
        points = points[: seen[-1] + 1]
        return Trajectory(
            track_id=self._free_number(track),
            class_id=class_id,
            class_name=self._class_names.get(class_id, str(class_id)),
            times=points["time"].copy(),
            boxes=points["box"].copy(),
            confidence=points["confidence"].copy(),
            detected=points["detected"].copy(),
        )

    def _free_number(self, track: int) -> int:
        """Return the track's own number, or a spare one if that was handed out before."""
        number = track
        while number in self._handed_out:
            number = self._next_spare
            self._next_spare += 1
        self._handed_out.add(number)
        return number


def _vote(classes: NDArray[np.int32], confidence: NDArray[np.float32]) -> int:
    """Return the class with the most confidence in all."""
    values, inverse = np.unique(classes, return_inverse=True)
    return int(values[np.argmax(np.bincount(inverse, weights=confidence))])
