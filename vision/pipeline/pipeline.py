"""One source's way from frames to tracked objects, motion and activities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import supervision as sv

from vision.activity import ActivityState, create_recognizer
from vision.detection.keypoints import attach_keypoints
from vision.engine import Engine
from vision.motion import MotionGate, MotionResult, create_motion_detector
from vision.pipeline.config import PipelineConfig
from vision.pipeline.results import FrameResult
from vision.structures import Frame
from vision.tracking import create_follower, create_tracker

__all__ = ["Looked", "Pipeline", "Prepared"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Frames, and which of them the networks should see.

    Attributes:
        motion: One per frame; empty without motion detection.
        detect: Positions of frames for the detector.
        pose: Positions of frames for the pose network; always among ``detect``.
    """

    frames: Sequence[Frame]
    motion: Sequence[MotionResult]
    detect: tuple[int, ...]
    pose: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """The same, with what the networks found, by position."""

    prepared: Prepared
    found: dict[int, sv.Detections]
    poses: dict[int, sv.Detections]


class Pipeline:
    """All that has a memory between the frames of one source: motion, gate, tracker, activities.

    ``process`` is all of it. Its three steps may overlap for frames that follow each other:
    ``prepare`` and ``follow`` must see all frames in order, each from one thread at a time;
    ``look`` keeps nothing and may run in any number of threads.

    Args:
        engine: Finds the objects.
        config: What to look for.
        rate: Frames per second of the source, about.

    Raises:
        VisionError: ``unknown_tracker`` or ``unknown_motion_method``.
    """

    def __init__(self, engine: Engine, config: PipelineConfig, *, rate: float) -> None:
        self._engine = engine
        self._config = config
        wants_motion = config.motion is not None or config.gate
        self._motion = (
            create_motion_detector(
                config.motion or "mog2", minimum_area=config.minimum_area, rate=rate
            )
            if wants_motion
            else None
        )
        self._gate = MotionGate() if config.gate and config.detect else None
        tracker = create_tracker(config.tracker, rate=rate / config.every)
        self._follower = create_follower(tracker, config.between)
        self._recognizer = create_recognizer() if config.activity else None
        self._counted = 0
        self._next_pose = 0.0

    def process(self, frames: Sequence[Frame]) -> list[FrameResult]:
        """Return what is in frames that follow the ones before; an empty sequence gives none."""
        return self.follow(self.look(self.prepare(frames)))

    def prepare(self, frames: Sequence[Frame]) -> Prepared:
        """Look for motion, and choose which frames the networks should see."""
        motion, detect, pose = [], [], []
        for position, frame in enumerate(frames):
            result = self._motion.update(frame) if self._motion is not None else None
            if result is not None:
                motion.append(result)
            if self._is_due(frame, result):
                detect.append(position)
                if self._is_pose_due(frame):
                    pose.append(position)
        return Prepared(frames, motion, tuple(detect), tuple(pose))

    def look(self, prepared: Prepared) -> Looked:
        """Ask the networks.

        Raises:
            VisionError: The engine cannot answer.
        """
        config = self._config
        found = self._ask(prepared, prepared.detect, config.model, config.classes)
        poses = self._ask(prepared, prepared.pose, config.pose_model, None)
        for detections in found.values():
            self._tidy(detections)
        return Looked(prepared, found, poses)

    def follow(self, looked: Looked) -> list[FrameResult]:
        """Carry the tracks through the frames."""
        prepared = looked.prepared
        results = []
        for position, frame in enumerate(prepared.frames):
            found = looked.found.get(position)
            tracked = self._track(frame, found)
            activities: Sequence[ActivityState] | None = None
            poses = looked.poses.get(position)
            if self._recognizer is not None and poses is not None:
                attach_keypoints(tracked, poses)
                activities = self._recognizer.update(tracked, frame)
            results.append(
                FrameResult(
                    frame=frame,
                    detections=tracked,
                    detected=found is not None,
                    motion=prepared.motion[position] if prepared.motion else None,
                    activities=activities,
                    answered=self._who(found.metadata) if found is not None else {},
                )
            )
        return results

    def _is_due(self, frame: Frame, motion: MotionResult | None) -> bool:
        if not self._config.detect:
            return False
        if self._gate is not None and motion is not None and not self._gate.update(motion, frame):
            self._counted = 0  # the first frame after a rest is looked at
            return False
        due = self._counted % self._config.every == 0
        self._counted += 1
        return due

    def _is_pose_due(self, frame: Frame) -> bool:
        # Half a frame early is on time, or a source of 25 would be asked 8.3 times a second.
        if self._recognizer is None or frame.timestamp < self._next_pose - 0.01:
            return False
        self._next_pose = max(frame.timestamp, self._next_pose) + 1 / self._config.pose_rate
        return True

    def _ask(
        self,
        prepared: Prepared,
        positions: tuple[int, ...],
        model: str,
        classes: tuple[int, ...] | None,
    ) -> dict[int, sv.Detections]:
        if not positions:
            return {}
        found = self._engine.detect(
            [prepared.frames[position].image for position in positions],
            model=model,
            confidence=self._config.confidence,
            iou=self._config.iou,
            classes=classes,
            priority=self._config.priority,
        )
        return dict(zip(positions, found, strict=True))

    def _tidy(self, detections: sv.Detections) -> None:
        """Leave out outlines that nobody wants; in place, since every copy is one of all boxes."""
        if not self._config.masks:
            detections.mask = None

    def _track(self, frame: Frame, found: sv.Detections | None) -> sv.Detections:
        if found is None:
            return self._follower.follow(frame)
        names = self._config.class_names
        if names and found.metadata.get("model") != self._config.model and len(found):
            # The stand-in numbers its classes its own way; only names mean the same.
            found = found[np.isin(found.data["class_name"], names)]  # type: ignore[assignment]
        return self._follower.update(found, frame)

    def _who(self, metadata: dict[str, object]) -> dict[str, str]:
        names = ("model", "backend", "device", "precision")
        who = {name: str(metadata.get(name, "")) for name in names}
        stands_in = who["model"] != self._config.model
        who["reason"] = self._engine.describe(self._config.model).reason if stands_in else ""
        return who
