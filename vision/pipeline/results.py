"""What leaves a pipeline, frame by frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.activity import ActivityState
from vision.motion import MotionResult
from vision.structures import Frame

__all__ = ["FrameResult"]


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """One frame and what is known of it.

    Attributes:
        frame: The frame; its picture belongs to whoever gets the result.
        detections: Tracked objects, with ``tracker_id``.
        detected: Whether the detector has looked at this frame; otherwise the tracks are predicted.
        motion: Where something moves, with motion detection; not for the gate alone.
        activities: What tracked people do; None where nobody has asked, or looked.
        hidden: (N, 4) xyxy pixels, where people are or may be who are not to be recognised; None
            where nobody is to be hidden.
        answered: Who answered for the detector: ``model``, ``backend``, ``device``, ``precision``,
            and ``reason``, which says why another model did than the one asked for. Empty where
            the detector did not look.
    """

    frame: Frame
    detections: sv.Detections
    detected: bool
    motion: MotionResult | None = None
    activities: Sequence[ActivityState] | None = None
    hidden: NDArray[np.float32] | None = None
    answered: Mapping[str, str] = field(default_factory=dict)
