"""What a motion detector answers, whatever its method."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.structures import Frame

__all__ = ["Mask", "MotionDetector", "MotionResult", "Small"]

Small = NDArray[np.uint8]  # (h, w, 3) BGR, reduced
Mask = NDArray[np.uint8]  # (h, w), 0 or 255


def _no_areas() -> NDArray[np.float32]:
    return np.empty((0, 4), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class MotionResult:
    """What moves in one frame.

    Attributes:
        areas: (N, 4) float32 xyxy in pixels of the frame, the largest first.
        share: 0..1, how much of the picture moves: the moving pixels inside the areas.
        moving: Whether there is any area.
    """

    areas: NDArray[np.float32] = field(default_factory=_no_areas)
    share: float = 0.0
    moving: bool = False


class MotionDetector(Protocol):
    """Tells what moves, frame after frame of one source. Keeps state: one object per source."""

    def update(self, frame: Frame) -> MotionResult:
        """Return what moves in this frame.

        Frames come in the order of their timestamps; rates may vary. The first frames, from
        which the background is learnt, show no motion. A frame of another size starts afresh.
        """
        ...

    def reset(self) -> None:
        """Forget the background, for instance when the source was away."""
        ...
