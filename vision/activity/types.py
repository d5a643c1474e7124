"""What recognisers of activities take and give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import supervision as sv

from vision.structures import Frame

__all__ = ["ACTIVITIES", "UNSURE", "ActivityRecognizer", "ActivityState", "Person"]

ACTIVITIES: Final = (
    *("standing", "walking", "running", "sitting"),
    *("fallen", "hands_up", "waving", "loitering"),
)
"""Everything that a person may be said to do."""

UNSURE: Final = "unsure"
"""The label of a person about whom no activity can be said with enough confidence."""


@dataclass(frozen=True, slots=True)
class ActivityState:
    """What one person does at one moment.

    Attributes:
        track_id: The person's track.
        label: One of ``ACTIVITIES``, or ``UNSURE``.
        confidence: 0..1; at least 0.6 for an activity, below it for ``UNSURE``.
        reason: A sentence fragment for a person, e.g. ``"torso 80° from upright for 1.2 s"``.
    """

    track_id: int
    label: str
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class Person:
    """Which row of the detections is which tracked person."""

    row: int
    track_id: int


class ActivityRecognizer(Protocol):
    """Says what every tracked person does. One recogniser per source; it owns the tracks' pasts."""

    def update(self, detections: sv.Detections, frame: Frame) -> Sequence[ActivityState]:
        """Return the state of every tracked person of a frame, in the order of the detections.

        Args:
            detections: With ``tracker_id``; ``data["keypoints"]`` (N, 17, 3) float32 holds x and y
                in pixels and a confidence 0..1. Rows of zeros or NaN are people without joints,
                as are all people where the column is missing. Rows without a track, and of
                classes other than ``person``, are left out.
            frame: Its timestamp counts, in seconds; one not after the last repeats the last answer.
        """
        ...

    def reset(self) -> None:
        """Forget every track."""
        ...
