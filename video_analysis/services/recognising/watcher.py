"""What hears of the frames of all cameras and has the faces in some of them looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from common.inference import get_engine
from video_analysis.services.live.setups import CameraSetup
from video_analysis.services.live.subscribers import TrackId
from video_analysis.services.recognising.scenes import SceneFaces
from video_analysis.services.recognising.worker import FaceWorker
from video_analysis.services.recognising.writer import SightingWriter
from vision.analytics.watcher import SceneEvent
from vision.engine import Engine
from vision.pipeline.results import FrameResult


class FaceWatcher:
    """Follows the people before those cameras at which faces may be looked at.

    Its threads begin with the first such camera. For all other cameras a frame costs a look into
    a dictionary.

    Args:
        engine: Makes the engine; replaced in tests.
    """

    def __init__(self, engine: Callable[[], Engine] = get_engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._scenes: dict[int, SceneFaces] = {}
        self._threads: tuple[FaceWorker, SightingWriter] | None = None

    def on_scene(self, camera_id: int, setup: CameraSetup, track_id: TrackId) -> None:
        """Begin to follow a camera's people, go on under other rules, or stop."""
        scene = self._scenes.get(camera_id)
        if scene is not None and scene.track_id == track_id and scene.setup.faces == setup.faces:
            scene.setup = setup
            return
        self.on_scene_end(camera_id)
        if setup.faces.looks:
            scene = SceneFaces(setup, track_id)
            self._worker().follow(camera_id, scene)
            self._scenes[camera_id] = scene

    def on_result(self, camera_id: int, result: FrameResult, events: Sequence[SceneEvent]) -> None:
        """Take a frame; costs next to nothing."""
        scene = self._scenes.get(camera_id)
        if scene is None:
            return
        look, ended = scene.see(result)
        if ended:
            self._worker().end(scene, ended)
        if look is not None:
            self._worker().hand(look)

    def on_scene_end(self, camera_id: int) -> None:
        """End what was seen of a camera."""
        scene = self._scenes.pop(camera_id, None)
        if scene is not None:
            worker, ended = self._worker(), scene.finish()
            worker.leave(camera_id, scene)
            worker.end(scene, ended)

    def on_stop(self, timeout: float) -> bool:
        """Write what is known, and end the threads; the next camera makes new ones."""
        for camera_id in list(self._scenes):
            self.on_scene_end(camera_id)
        with self._lock:
            threads, self._threads = self._threads, None
        if threads is None:
            return True
        worker, writer = threads
        clean = worker.stop(timeout / 2)
        return writer.stop(timeout / 2) and clean

    def _worker(self) -> FaceWorker:
        with self._lock:
            if self._threads is None:
                writer = SightingWriter()
                worker = FaceWorker(self._engine, writer)
                writer.start()
                worker.start()
                self._threads = (worker, writer)
            return self._threads[0]
