"""What a video shows from second to second, in few enough steps for a chart."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.structures.trajectories import Trajectory

__all__ = ["Timeline"]


@dataclass(slots=True)
class _Second:
    frames: int = 0
    classes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    confidence: float = 0.0
    seen: int = 0
    distance: float = 0.0
    moved: float = 0.0


class Timeline:
    """Adds up by whole seconds; a day of video is some megabytes of it."""

    def __init__(self) -> None:
        self._seconds: dict[int, _Second] = defaultdict(_Second)
        self._most: dict[str, int] = defaultdict(int)

    def add(self, detections: sv.Detections, timestamp: float) -> None:
        """Count what one frame shows; every frame, also one with nothing."""
        second = self._seconds[int(timestamp)]
        second.frames += 1
        if not len(detections):
            return
        given = detections.data.get("class_name")
        names, counts = np.unique(
            given if given is not None else ["object"] * len(detections), return_counts=True
        )
        for name, count in zip(names.tolist(), counts.tolist(), strict=True):
            second.classes[name] += count
            self._most[name] = max(self._most[name], count)
        if detections.confidence is not None:
            second.confidence += float(detections.confidence.sum())
            second.seen += len(detections)

    def add_trajectory(self, trajectory: Trajectory) -> None:
        """Add how far an object moved in each second, from its feet."""
        if len(trajectory.times) < 2:
            return
        boxes = trajectory.boxes.astype(np.float64)
        feet = np.column_stack(((boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]))
        # Over half a second and more: from frame to frame the jitter of boxes outweighs motion.
        rate = (len(trajectory.times) - 1) / max(1e-6, trajectory.times[-1] - trajectory.times[0])
        step = max(1, round(rate / 2))
        at = np.unique(np.append(np.arange(0, len(feet), step), len(feet) - 1))
        distances = np.linalg.norm(np.diff(feet[at], axis=0), axis=1)
        spans = np.diff(trajectory.times[at])
        for begin, distance, span in zip(trajectory.times[at], distances, spans, strict=False):
            second = self._seconds[int(begin)]
            second.distance += float(distance)
            second.moved += float(span)

    @property
    def most_at_once(self) -> dict[str, int]:
        """Most objects of each class in one frame."""
        return dict(self._most)

    def summary(self, *, most_steps: int = 600) -> dict[str, Any]:
        """Return the series of charts, as JSON values.

        Returns:
            ``step`` in seconds; ``classes``: by name, the mean number of objects in a frame;
            ``confidence``: the mean, None where nothing was seen; ``speed``: mean pixels per
            second of the objects that were there, None likewise. All series are equally long.
        """
        if not self._seconds:
            return {"step": 1, "classes": {}, "confidence": [], "speed": []}
        length = max(self._seconds) + 1
        step = -(-length // most_steps)
        bins = -(-length // step)
        frames, confidence, seen, distance, moved = np.zeros((5, bins))
        classes: dict[str, NDArray[np.float64]] = {}
        for at, second in self._seconds.items():
            place = at // step
            frames[place] += second.frames
            confidence[place] += second.confidence
            seen[place] += second.seen
            distance[place] += second.distance
            moved[place] += second.moved
            for name, count in second.classes.items():
                classes.setdefault(name, np.zeros(bins))[place] += count
        return {
            "step": step,
            "classes": {
                name: np.round(counts / np.maximum(frames, 1), 2).tolist()
                for name, counts in sorted(classes.items())
            },
            "confidence": _means(confidence, seen, digits=3),
            "speed": _means(distance, moved, digits=1),
        }


def _means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], *, digits: int
) -> list[float | None]:
    return [
        round(float(total / count), digits) if count > 0 else None
        for total, count in zip(sums, counts, strict=True)
    ]
