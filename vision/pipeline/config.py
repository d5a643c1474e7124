"""What a pipeline looks for."""

from dataclasses import dataclass
from typing import Literal

from vision.structures import Priority

__all__ = ["PipelineConfig"]


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """What a pipeline looks for, and how closely.

    Attributes:
        detect: Whether objects are looked for at all.
        model: Name of the detector's card.
        confidence: 0..1; only objects above it count.
        input_size: Longer side of what the detector sees, in pixels, a multiple of 32; None is the
            model's own. Less is faster, and loses small objects first.
        iou: 0..1; of two boxes of one class that overlap more, the better one stays.
        classes: Class ids to look for; None looks for all.
        class_names: Their names, by which a stand-in for the model is asked; empty for all.
        masks: Whether outlines are wanted.
        tracker: Of `vision.tracking.TRACKERS`.
        patience: Seconds after which a track that was not seen is over; None is the tracker's
            usual. See `vision.tracking.patience.patience_for`.
        minimum_hits: Sightings in a row before an object gets its id, from 2 on.
        every: The detector looks at every n-th frame.
        between: How tracks go on in between: ``"predict"`` or ``"visual"``.
        motion: Of `vision.motion.METHODS`, or None without motion detection.
        minimum_area: Least moving area, as a share of the picture.
        gate: Whether the detector rests while nothing moves.
        hide_people: Whether to tell where people are who are not to be recognised, whatever else
            is looked for.
        activity: Whether to tell what people do.
        pose_model: Name of the card that finds their joints.
        pose_rate: Most looks at poses per second of the source.
        priority: Who goes first in the engine.
    """

    detect: bool = True
    model: str = "yolov8n"
    confidence: float = 0.25
    input_size: int | None = None
    iou: float = 0.7
    classes: tuple[int, ...] | None = None
    class_names: tuple[str, ...] = ()
    masks: bool = False
    tracker: str = "bytetrack"
    patience: float | None = None
    minimum_hits: int = 2
    every: int = 1
    between: str = "predict"
    motion: str | None = None
    minimum_area: float = 0.002
    gate: bool = False
    hide_people: bool = False
    hide_faces: Literal["", "asked", "every"] = ""
    activity: bool = False
    pose_model: str = "yolov8n-pose"
    pose_rate: float = 10.0
    priority: Priority = Priority.BATCH

    @property
    def needs_people(self) -> bool:
        """Whether people are looked for in order to hide them or their faces."""
        return self.hide_people or bool(self.hide_faces)
