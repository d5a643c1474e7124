"""Who wants to hear of every result; composition roots pass them in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

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
