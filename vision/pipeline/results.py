"""What leaves a pipeline, frame by frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import supervision as sv
from numpy.typing import NDArray

from vision.activity import ActivityState
from vision.drawing.blur import FACE_CELLS, blur_boxes
from vision.motion import MotionResult
from vision.structures import Frame

__all__ = ["FacesSeen", "FrameResult", "Places"]


@dataclass(frozen=True, slots=True, eq=False)
class FacesSeen:
    """The faces of a picture, for hiding them.

    Attributes:
        boxes: (N, 4) xyxy pixels.
        confidence: (N,) 0..1.
        missing: Whether nothing could look for them.
    """

    boxes: NDArray[np.float32]
    confidence: NDArray[np.float32]
    missing: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """What is to be hidden of a frame.

    Attributes:
        people: (N, 4) xyxy pixels.
        faces: (N, 4) xyxy pixels; of these less is left.
    """

    people: NDArray[np.float32]
    faces: NDArray[np.float32]

    def blur(self, image: NDArray[np.uint8]) -> None:
        """Make them unrecognisable, in place."""
        blur_boxes(image, self.people)
        blur_boxes(image, self.faces, cells=FACE_CELLS)


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
        found: All that the detector's last look has found, tracked or not, however unsure, where
            faces are to be hidden.
        faces: What was found, where faces are to be hidden in every frame.
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
    found: sv.Detections | None = None
    faces: FacesSeen | None = None
    answered: Mapping[str, str] = field(default_factory=dict)
