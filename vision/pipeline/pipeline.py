"""One source's way from frames to tracked objects, motion and activities."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import supervision as sv

from vision.activity import ActivityState, create_recognizer
from vision.detection.keypoints import attach_keypoints
from vision.engine import Engine
from vision.motion import MotionGate, MotionResult, create_motion_detector
from vision.pipeline.config import PipelineConfig
from vision.pipeline.faces import CLOSE_SECONDS, FacesToHide, look_for_faces
from vision.pipeline.hiding import PeopleToHide, what_to_ask
from vision.pipeline.results import FacesSeen, FrameResult, Places
from vision.structures import Frame, Priority
from vision.tracking import create_follower, create_tracker

__all__ = ["Looked", "Pipeline", "Prepared"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Frames, and which of them the networks should see.

    Attributes:
        motion: One per frame; empty without motion detection.
        rest: Positions of frames in which nothing has moved for a while.
        detect: Positions of frames for the detector.
        pose: Positions of frames at which activities are judged; the pose network sees those that
            the detector sees.
    """

    frames: Sequence[Frame]
    motion: Sequence[MotionResult]
    rest: frozenset[int]
    detect: tuple[int, ...]
    pose: tuple[int, ...]
    closely: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Looked:
    """The same, with what the networks found, by position."""

    prepared: Prepared
    found: dict[int, sv.Detections]
    poses: dict[int, sv.Detections]
    faces: Mapping[int, FacesSeen] = field(default_factory=dict)


class Pipeline:
    """All that has a memory between the frames of one source: motion, gate, tracker, activities.

    ``process`` is all of it. Its three steps may overlap for frames that follow each other:
    ``prepare`` and ``follow`` must see all frames in order, each from one thread at a time;
    ``look`` keeps nothing and may run in any number of threads.

    While the gate keeps the detector at rest nothing moves: tracks stay where they are, and no
    time passes for the tracker, so that whoever stands still keeps their id.

    Args:
        engine: Finds the objects.
        config: What to look for.
        rate: Frames per second of the source, about; above 0.

    Raises:
        VisionError: ``unknown_tracker``, ``bad_patience``, ``bad_minimum_hits`` or
            ``unknown_motion_method``.
    """

    def __init__(self, engine: Engine, config: PipelineConfig, *, rate: float) -> None:
        self._engine = engine
        self._config = config
        self._motion = (
            create_motion_detector(
                config.motion or "mog2", minimum_area=config.minimum_area, rate=rate
            )
            if config.motion is not None or config.gate
            else None
        )
        self._looks = config.detect or config.needs_people
        self._gate = MotionGate() if config.gate and self._looks else None
        tracker = create_tracker(
            config.tracker,
            rate=rate / config.every,
            patience=config.patience,
            minimum_hits=config.minimum_hits,
        )
        self._follower = create_follower(tracker, config.between)
        self._recognizer = create_recognizer() if config.activity else None
        self._hiding = PeopleToHide() if config.hide_people else None
        self._faces = FacesToHide(engine, priority=config.priority) if config.hide_faces else None
        self._found: sv.Detections | None = None
        self._closely = float("-inf")
        self._counted = 0
        self._next_pose = 0.0
        self._held = sv.Detections.empty()
        self._before: float | None = None
        self._rested = 0.0
        self.patience = tracker.patience + config.every / rate
        """Seconds after which a track that was not seen is over."""

    @property
    def should_rest(self) -> bool:
        """Whether this is batch work, and others need the machine now."""
        return self._config.priority == Priority.BATCH and self._engine.is_asked

    def process(self, frames: Sequence[Frame]) -> list[FrameResult]:
        """Return what is in frames that follow the ones before; an empty sequence gives none."""
        return self.follow(self.look(self.prepare(frames)))

    def prepare(self, frames: Sequence[Frame]) -> Prepared:
        """Look for motion, and choose which frames the networks should see."""
        motion, rest, detect, pose, closely = [], [], [], [], []
        for position, frame in enumerate(frames):
            if abs(frame.timestamp - self._closely) >= CLOSE_SECONDS:
                self._closely = frame.timestamp
                closely.append(position)
            result = self._motion.update(frame) if self._motion is not None else None
            if result is not None:
                motion.append(result)
            if self._is_rest(frame, result):
                rest.append(position)
            elif self._looks and self._is_nth():
                detect.append(position)
            else:
                continue
            if self._is_pose_due(frame):
                pose.append(position)
        return Prepared(
            frames, motion, frozenset(rest), tuple(detect), tuple(pose), frozenset(closely)
        )

    def look(self, prepared: Prepared) -> Looked:
        """Ask the networks.

        Raises:
            VisionError: The engine cannot answer.
        """
        config = self._config
        confidence, classes = what_to_ask(config)
        found = self._ask(
            prepared, prepared.detect, config.model, confidence, classes, config.input_size
        )
        at = tuple(position for position in prepared.pose if position in found)
        poses = self._ask(prepared, at, config.pose_model, config.confidence, None)
        faces = {}
        if config.hide_faces == "every":
            faces = {
                position: look_for_faces(
                    self._engine,
                    frame.image,
                    priority=config.priority,
                    closely=position in prepared.closely,
                )
                for position, frame in enumerate(prepared.frames)
            }
        return Looked(prepared, found, poses, faces)

    def follow(self, looked: Looked) -> list[FrameResult]:
        """Carry the tracks through the frames."""
        prepared = looked.prepared
        results = []
        for position, frame in enumerate(prepared.frames):
            found = looked.found.get(position)
            if found is not None and self._hiding is not None:
                self._hiding.look(found, frame.timestamp)
            if found is not None and self._faces is not None:
                self._found = found
            tracked = self._track(frame, found, rests=position in prepared.rest)
            motion = prepared.motion[position] if self._config.motion is not None else None
            results.append(
                FrameResult(
                    frame=frame,
                    detections=tracked,
                    detected=found is not None,
                    motion=motion,
                    activities=self._judge(position, tracked, looked),
                    hidden=self._hiding.boxes(tracked) if self._hiding is not None else None,
                    found=self._found,
                    faces=looked.faces.get(position),
                    answered=self._who(found.metadata) if found is not None else {},
                )
            )
        return results

    @property
    def misses_faces(self) -> bool:
        """Whether faces are to be hidden, and nothing could look for them the last time."""
        return self._faces is not None and self._faces.missing

    def to_hide(self, result: FrameResult, cleared: Collection[int] = ()) -> Places | None:
        """Return what is to be hidden of a frame before it is shown; from any thread.

        Args:
            result: Of this pipeline, one of the newest. Its picture may be looked at for faces.
            cleared: Ids of tracks whose faces may be shown.

        Returns:
            None where nothing ever is.
        """
        nobody = np.empty((0, 4), np.float32)
        faces = nobody if self._faces is None else self._faces.boxes(result, cleared)
        if result.hidden is None and self._faces is None:
            return None
        return Places(nobody if result.hidden is None else result.hidden, faces)

    def _is_rest(self, frame: Frame, motion: MotionResult | None) -> bool:
        if self._gate is None or motion is None or self._gate.update(motion, frame):
            return False
        self._counted = 0  # the first frame after a rest is looked at
        return True

    def _is_nth(self) -> bool:
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
        confidence: float,
        classes: tuple[int, ...] | None,
        input_size: int | None = None,
    ) -> dict[int, sv.Detections]:
        if not positions:
            return {}
        found = self._engine.detect(
            [prepared.frames[position].image for position in positions],
            model=model,
            confidence=confidence,
            iou=self._config.iou,
            classes=classes,
            priority=self._config.priority,
            input_size=input_size,
        )
        for detections in found:
            if not self._config.masks:
                detections.mask = None  # not by a copy, which would be one of all rows
        return dict(zip(positions, found, strict=True))

    def _track(self, frame: Frame, found: sv.Detections | None, *, rests: bool) -> sv.Detections:
        if not self._config.detect:
            return sv.Detections.empty()
        if self._before is not None and rests:
            self._rested += max(0.0, frame.timestamp - self._before)
        self._before = frame.timestamp
        if rests:
            return _still(self._held)
        if self._rested:
            frame = replace(frame, timestamp=frame.timestamp - self._rested)
        if found is None:
            self._held = self._follower.follow(frame)
        else:
            self._held = self._follower.update(self._wanted(found), frame)
        return self._held

    def _wanted(self, found: sv.Detections) -> sv.Detections:
        """Keep what was asked for: more is looked for where people are to be hidden."""
        config = self._config
        keep = np.ones(len(found), bool)
        if config.needs_people and found.confidence is not None:
            keep &= found.confidence >= config.confidence
        if found.metadata.get("model") != config.model:
            # A stand-in numbers its classes its own way; only names mean the same.
            if config.class_names and len(found):
                keep &= np.isin(found.data["class_name"], config.class_names)
        elif config.needs_people and config.classes is not None and found.class_id is not None:
            keep &= np.isin(found.class_id, config.classes)
        if keep.all():
            return found
        wanted = found[keep]
        assert isinstance(wanted, sv.Detections)
        return wanted

    def _judge(
        self, position: int, tracked: sv.Detections, looked: Looked
    ) -> Sequence[ActivityState] | None:
        if self._recognizer is None or position not in looked.prepared.pose:
            return None
        # At rest everybody is as they were, joints included.
        if position not in looked.prepared.rest:
            attach_keypoints(tracked, looked.poses.get(position, sv.Detections.empty()))
        return self._recognizer.update(tracked, looked.prepared.frames[position])

    def _who(self, metadata: dict[str, object]) -> dict[str, str]:
        names = ("model", "backend", "device", "precision")
        who = {name: str(metadata.get(name, "")) for name in names}
        stands_in = who["model"] != self._config.model
        who["reason"] = self._engine.describe(self._config.model).reason if stands_in else ""
        return who


def _still(held: sv.Detections) -> sv.Detections:
    """Return the same objects at the same places, seen by nobody."""
    rows = held[np.arange(len(held))]
    assert isinstance(rows, sv.Detections)
    rows.data["predicted"] = np.ones(len(rows), bool)
    return rows
