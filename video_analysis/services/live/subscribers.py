"""Where results go. Composition roots pass in who wants to hear of every one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from uuid import UUID

from video_analysis.services.live.changes import Change
from video_analysis.services.live.pictures import PicturePublisher
from video_analysis.services.live.setups import CameraSetup
from vision.analytics.watcher import SceneEvent
from vision.pipeline.results import FrameResult


class Subscriber(Protocol):
    """Hears of the frames of all cameras of this process."""

    def on_result(self, camera_id: int, result: FrameResult, events: Sequence[SceneEvent]) -> None:
        """Take one frame's result.

        Called in the thread that looks at the camera, frame by frame in order; several cameras
        call at once. Whatever it raises is logged and goes no further. The frame's picture is
        shared: it must not be changed.
        """
        ...


TrackId = Callable[[int], UUID]
"""Returns the id of a track's row by the tracker's number; only in the thread that looks."""


@runtime_checkable
class SceneFollower(Subscriber, Protocol):
    """Hears also how cameras are set up, and when what was followed there is over."""

    def on_scene(self, camera_id: int, setup: CameraSetup, track_id: TrackId) -> None:
        """Take how a camera is set up; before its first frame, and again when that changes.

        Tracks go on only while ``track_id`` stays the same function of the same object.
        """
        ...

    def on_scene_end(self, camera_id: int) -> None:
        """All tracks of a camera are over."""
        ...

    def on_stop(self, timeout: float) -> bool:
        """Write what is known, as the runner ends; return whether that was done in time."""
        ...


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where results go.

    Attributes:
        write: Takes what is to be written.
        pictures: Shows frames to those who watch.
        subscribers: Hear of every result.
    """

    write: Callable[[Iterable[Change]], None]
    pictures: PicturePublisher
    subscribers: Sequence[Subscriber] = ()
