"""What is really in a frame of a synthetic scene."""

from dataclasses import dataclass

import numpy as np
import supervision as sv
from numpy.typing import NDArray

__all__ = ["GroundTruth"]


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """The people of one frame.

    Attributes:
        index: Of the frame.
        timestamp: Seconds of the scene.
        ids: (N,) int64, 1 and up: the same person keeps one.
        boxes: (N, 4) float32 xyxy pixels around the whole person, what is hidden included,
            clipped to the picture.
        visible: (N,) float32 0..1, how much of the person is to be seen: neither hidden by
            another person or a pillar nor outside the picture.
    """

    index: int
    timestamp: float
    ids: NDArray[np.int64]
    boxes: NDArray[np.float32]
    visible: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)

    def as_detections(self, *, least_visible: float = 0.0) -> sv.Detections:
        """Return the people as a perfect detector and tracker would.

        Args:
            least_visible: 0..1; who is visible less than this is left out.

        Returns:
            With ``tracker_id``, class 0 (``"person"``) and confidence 1.
        """
        chosen = self.visible >= least_visible
        count = int(np.count_nonzero(chosen))
        return sv.Detections(
            xyxy=self.boxes[chosen].reshape(-1, 4),
            confidence=np.ones(count, np.float32),
            class_id=np.zeros(count, np.int64),
            tracker_id=self.ids[chosen],
            data={"class_name": np.full(count, "person")},
        )
