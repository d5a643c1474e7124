"""The path of one tracked object."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Trajectory"]


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """Where one object was, when, and how sure the detector was of it.

    Attributes:
        track_id: Id within its source, from 1.
        class_id: What most of its sightings are, weighted by their confidence.
        class_name: The same in words.
        times: (N,) float64, seconds of the source, strictly increasing.
        boxes: (N, 4) float32, x1, y1, x2, y2 in pixels.
        confidence: (N,) float32, 0..1; of the last sighting where the box is predicted.
        detected: (N,) bool, False where the box is predicted.
    """

    track_id: int
    class_id: int
    class_name: str
    times: NDArray[np.float64]
    boxes: NDArray[np.float32]
    confidence: NDArray[np.float32]
    detected: NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.times)
        shapes = (self.boxes.shape, self.confidence.shape, self.detected.shape)
        if shapes != ((n, 4), (n,), (n,)):
            raise ValueError(f"{n} times need boxes ({n}, 4) and ({n},) values, not {shapes}")

    def __len__(self) -> int:
        return len(self.times)

    @property
    def start(self) -> float:
        """Seconds of the first point; 0 without points."""
        return float(self.times[0]) if len(self.times) else 0.0

    @property
    def end(self) -> float:
        """Seconds of the last point; 0 without points."""
        return float(self.times[-1]) if len(self.times) else 0.0
