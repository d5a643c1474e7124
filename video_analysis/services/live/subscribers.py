"""Where results go. Composition roots pass in who wants to hear of every one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from video_analysis.services.live.changes import Change
from video_analysis.services.live.pictures import PicturePublisher
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
