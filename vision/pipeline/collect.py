"""Gathers what a video shows while it goes by; what has ended leaves memory at once."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.activity import ActivityEvent, ActivityEvents
from vision.analytics.heat import HeatMap
from vision.analytics.snapshots import BestSnapshots
from vision.analytics.timeline import Timeline
from vision.analytics.trajectories import TrajectoryFigures, describe_trajectory
from vision.encoding.images import encode_jpeg
from vision.motion import MotionEvent, MotionEvents
from vision.pipeline.results import FrameResult
from vision.structures.trajectories import Trajectory
from vision.tracking.recorder import TrajectoryRecorder

__all__ = ["Collector", "EndedMotion", "EndedTrack", "OnTracks"]

_LOOK_SECONDS = 2.0
_LEAST_PATIENCE = 5.0
_MOST_TRACKS = 200
_MOST_POINTS = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class EndedTrack:
    """A track from its first sighting to its last.

    Attributes:
        snapshot: A JPEG of its best look, if there was one.
    """

    trajectory: Trajectory
    figures: TrajectoryFigures
    snapshot: bytes | None


@dataclass(frozen=True, slots=True, eq=False)
class EndedMotion:
    """Motion from its beginning to its end.

    Attributes:
        event: What is known of it, its picture taken away.
        snapshot: That picture as a JPEG: hours of arrays would fill the memory.
    """

    event: MotionEvent
    snapshot: bytes | None


OnTracks = Callable[[list[EndedTrack]], None]


@dataclass(slots=True)
class _Classes:
    tracks: int = 0
    dwell: float = 0.0


@dataclass(slots=True)
class Counts:
    """Frames by what became of them."""

    frames: int = 0
    detected: int = 0
    moving: float = 0.0
    classes: dict[str, _Classes] = field(default_factory=lambda: defaultdict(_Classes))


class Collector:
    """Turns results of frames into tracks, events and figures.

    Args:
        width: Of the frames, in pixels.
        height: Of the frames, in pixels.
        patience: Seconds after which the tracker gives a track up that was not seen.
        pixels_per_metre: Scale of the scene, where it is known.
        motion_pictures: Whether motion has pictures.
        on_tracks: Gets the tracks that have ended, some two hundred at a time.
    """

    def __init__(
        self,
        *,
        width: int,
        height: int,
        on_tracks: OnTracks,
        patience: float,
        pixels_per_metre: float | None = None,
        motion_pictures: bool = True,
    ) -> None:
        self._size = (width, height)
        self._gone_after = max(_LEAST_PATIENCE, patience + 1.0)
        self._metres = 1 / pixels_per_metre if pixels_per_metre else None
        self._on_tracks = on_tracks
        self._recorder = TrajectoryRecorder()
        self._snapshots = BestSnapshots()
        self._timeline = Timeline()
        self._motion = MotionEvents(pictures=motion_pictures)
        self._activity = ActivityEvents()
        self._counts = Counts()
        self._ended: list[EndedTrack] = []
        self._points = 0
        self._looked_at = 0.0
        self._last = 0.0
        self.heat = HeatMap(width, height)
        self.motion: list[EndedMotion] = []
        self.activity_events: list[ActivityEvent] = []

    def add(self, result: FrameResult, image: NDArray[np.uint8]) -> None:
        """Take in one frame.

        Args:
            result: What is in it.
            image: What snapshots are cut from: (H, W, 3) uint8 BGR, nothing drawn on it.
        """
        now = result.frame.timestamp
        detections = result.detections
        self._counts.frames += 1
        self._counts.detected += result.detected
        self._timeline.add(detections, now)
        self._recorder.add(detections, now)
        self._snapshots.add(image, detections)
        # A frame stands for the time since the one before, however irregular they come.
        passed = min(1.0, max(0.0, now - self._last))
        self.heat.add(detections.xyxy, passed)
        if result.motion is not None:
            self._counts.moving += passed * result.motion.moving
            self._end_motion(self._motion.add(result.motion, result.frame))
        if result.activities is not None:
            self.activity_events += self._activity.add(result.activities, detections, result.frame)
        self._last = now
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._end(self._recorder.take_finished(now - self._gone_after))

    def finish(self) -> dict[str, Any]:
        """End what still goes on, and return the statistics as JSON values."""
        self._end_motion(self._motion.finish())
        self.activity_events += self._activity.finish()
        self._end(self._recorder.finish())
        self._hand_over()
        return self._statistics()

    def _end_motion(self, events: list[MotionEvent]) -> None:
        for event in events:
            jpeg = encode_jpeg(event.picture, 82) if event.picture is not None else None
            self.motion.append(EndedMotion(replace(event, picture=None), jpeg))

    def _end(self, trajectories: list[Trajectory]) -> None:
        width, height = self._size
        for trajectory in trajectories:
            figures = describe_trajectory(
                trajectory, width=width, height=height, metres_per_pixel=self._metres
            )
            self._timeline.add_trajectory(trajectory)
            counted = self._counts.classes[trajectory.class_name]
            counted.tracks += 1
            counted.dwell += figures.dwell
            snapshot = self._snapshots.take(trajectory.track_id)
            points = self._points + len(trajectory.times)
            if self._ended and (len(self._ended) >= _MOST_TRACKS or points > _MOST_POINTS):
                self._hand_over()
            self._ended.append(EndedTrack(trajectory, figures, snapshot))
            self._points += len(trajectory.times)

    def _hand_over(self) -> None:
        if self._ended:
            ended, self._ended, self._points = self._ended, [], 0
            self._on_tracks(ended)

    def _statistics(self) -> dict[str, Any]:
        most = self._timeline.most_at_once
        activities: dict[str, float] = defaultdict(float)
        for event in self.activity_events:
            if event.kind == "activity":
                activities[event.label] += event.end - event.start
        return {
            "frames": self._counts.frames,
            "frames_detected": self._counts.detected,
            "tracks": sum(counted.tracks for counted in self._counts.classes.values()),
            "classes": {
                name: {
                    "tracks": counted.tracks,
                    "mean_dwell": round(counted.dwell / counted.tracks, 2),
                    "most_at_once": most.get(name, 0),
                }
                for name, counted in sorted(self._counts.classes.items())
            },
            "motion": {
                "events": len(self.motion),
                "seconds": round(self._counts.moving, 2),
            },
            "activities": {
                label: round(seconds, 2) for label, seconds in sorted(activities.items())
            },
            "timeline": self._timeline.summary(),
        }
