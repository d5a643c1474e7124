"""One camera: its source, its scene, its figures."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from django.utils import timezone

from video_analysis.services.live.changes import Change, StateRow
from video_analysis.services.live.figures import Figures, FrameTimes
from video_analysis.services.live.looking import Ask, query_of
from video_analysis.services.live.pictures import Shot
from video_analysis.services.live.scene import Scene
from video_analysis.services.live.setups import CameraSetup
from video_analysis.services.live.sources import OpenSource, RefusedSource
from video_analysis.services.live.subscribers import Outlets, SceneFollower
from vision.analytics.watcher import SceneEvent
from vision.engine import Engine
from vision.errors import VisionError
from vision.pipeline.pipeline import Looked
from vision.pipeline.results import FrameResult
from vision.sources.cameras import CaptureStatus, LiveFrame

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0  # after the engine could not answer
STALE_SECONDS = 10.0
"""Without a frame for so long, nobody knows whether what went on still does."""
COMPLAIN_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Work:
    """A frame on its way through a turn."""

    live: LiveFrame
    scene: Scene
    ask: Ask
    began: float
    prepared: float


class CameraAnalyst:
    """Looks at one camera. Turns come from worker threads, one at a time.

    Args:
        setup: The camera.
        open_source: Opens its source.
        on_frame: Called, in a thread of the source, when there is a new frame.
        outlets: Where results go.
    """

    def __init__(
        self,
        setup: CameraSetup,
        *,
        open_source: OpenSource,
        on_frame: Callable[[], None],
        outlets: Outlets,
    ) -> None:
        self.id = setup.id
        self.stopped = False
        self._setup = setup
        self._open_source = open_source
        self._on_frame = on_frame
        self._outlets = outlets
        self._figures = Figures()
        self._source_lock = threading.Lock()
        self._source = open_source(setup, on_frame)
        self._opened = setup.source
        self._generation = 0
        self._scene: Scene | None = None
        self._cut: tuple[int, ...] = ()
        self._error: VisionError | None = setup.error
        self._error_since = timezone.now()
        self._pause_until = 0.0
        self._complain_at = 0.0
        self._seen_at = time.monotonic()

    # ------------------------------------------------------------ from the service's threads
    @property
    def setup(self) -> CameraSetup:
        """The newest configuration."""
        return self._setup

    def start(self) -> None:
        """Connect."""
        self._source.start()

    def reconfigure(self, setup: CameraSetup) -> None:
        """Take another configuration on with the next frame; connect anew only where it must."""
        before, self._setup = self._setup, setup
        self._set_error(setup.error)
        self._pause_until = 0.0
        if setup.source != before.source:
            threading.Thread(target=self._reopen, name=f"reopen-{self.id}", daemon=True).start()

    def is_stale(self) -> bool:
        """Tell whether a scene is open of which nothing has been seen for a while."""
        quiet = time.monotonic() - self._seen_at
        return self._scene is not None and quiet > max(STALE_SECONDS, 3 / self._setup.source.fps)

    def close_source(self) -> None:
        """Disconnect; no frame counts any more."""
        self.stopped = True
        with self._source_lock:
            self._source.close()

    def end(self) -> list[Change]:
        """End all that goes on; to be called when there are no turns any more."""
        scene, self._scene = self._scene, None
        if scene is None:
            return []
        self._tell_followers(lambda follower: follower.on_scene_end(self.id))
        return scene.finish()

    def state(self) -> StateRow:
        """Return how the camera goes; called by one thread."""
        status = self._source.status()
        figures = self._figures.read(status)
        error = self._error
        state, code, reason, since = status.state, status.code, status.message, status.since
        if error is not None and state == "live":
            code, reason = error.code, error.message
            if self._setup.error is not None:
                state, since = "refused", self._error_since
        return StateRow(
            self.id,
            {
                "state": state,
                "since": since,
                "code": code[:64],
                "reason": reason[:300],
                "codec": status.codec[:32],
                "width": status.width,
                "height": status.height,
                "figures": figures,
                "updated_at": timezone.now(),
            },
        )

    def status(self) -> CaptureStatus:
        """Return how the source goes."""
        return self._source.status()

    def _reopen(self) -> None:
        with self._source_lock:
            setup = self._setup  # the newest: others may have come while this one waited
            if self.stopped or setup.source == self._opened:
                return
            self._opened = setup.source
            self._source.close()  # first: some devices can be opened only once
            try:
                source = self._open_source(setup, self._on_frame)
                self._generation += 1
                self._source = source
                source.start()
            except Exception:
                logger.exception("Camera %d could not be opened anew", self.id)
                self._source = RefusedSource(
                    "internal_error", "The camera could not be opened anew; the log has more."
                )

    # ------------------------------------------------------------ from worker threads
    def begin(self, engine: Engine) -> Work | None:
        """Take the newest frame, and look for motion in it; None when there is nothing to do."""
        generation, live = self._generation, self._source.take()
        began = time.monotonic()
        setup = self._setup
        if live is None:
            self._end_if_stale()
            return None
        if self.stopped or setup.error is not None or began < self._pause_until:
            self._end_if_stale()
            return None
        frame = live.frame
        cut = (generation, live.epoch, frame.width, frame.height)
        scene = self._scene_for(setup, cut, live, engine)
        ask = Ask(scene.prepare(live), query_of(setup.config))
        return Work(live, scene, ask, began, time.monotonic())

    def finish(self, work: Work, looked: Looked, seen: float) -> None:
        """Follow the objects, and tell of what has happened.

        Args:
            work: As it was begun.
            looked: What the networks have found.
            seen: Monotonic seconds at which they had.
        """
        if self.stopped or work.scene is not self._scene:
            return
        self._set_error(None)
        result = work.scene.follow(looked)
        self._seen_at = followed = time.monotonic()
        events, changes = work.scene.watch(result)
        if changes:
            self._outlets.write(changes)
        self._tell(result, events)
        self._note(work, result, seen, followed)

    def fail(self, error: VisionError) -> None:
        """Note that the engine could not answer; it is asked again after a moment."""
        self._set_error(error)
        self._pause_until = time.monotonic() + PAUSE_SECONDS

    def skip(self, error: VisionError) -> None:
        """Let the newest frame go by: there is no engine to look at it."""
        self._source.take()
        self._set_error(self._setup.error or error)
        self._end_if_stale()

    def stumble(self) -> None:
        """Begin anew after an error that nobody has foreseen; called where it is handled."""
        self._complain("A frame could not be analysed")
        try:
            self._outlets.write(self.end())
        except Exception:
            logger.exception("The scene of camera %d could not be ended", self.id)

    def _end_if_stale(self) -> None:
        if self.is_stale():
            self._outlets.write(self.end())
            self._figures.forget_scene()

    def _scene_for(
        self, setup: CameraSetup, cut: tuple[int, ...], live: LiveFrame, engine: Engine
    ) -> Scene:
        scene = self._scene
        if scene is not None and cut == self._cut:
            if scene.setup is setup:
                return scene
            adopted, ended = scene.adopt(setup)
            self._outlets.write(ended)
            if adopted:
                self._introduce(scene)
                return scene
        self._outlets.write(self.end())
        self._figures.forget_scene()
        self._scene = scene = Scene(setup, engine, live.frame)
        self._cut = cut
        self._introduce(scene)
        return scene

    def _introduce(self, scene: Scene) -> None:
        setup, track_id = scene.setup, scene.track_id
        self._tell_followers(lambda follower: follower.on_scene(self.id, setup, track_id))

    def _tell_followers(self, tell: Callable[[SceneFollower], None]) -> None:
        for subscriber in self._outlets.subscribers:
            if isinstance(subscriber, SceneFollower):
                try:
                    tell(subscriber)
                except Exception:
                    self._complain(f"{type(subscriber).__name__} failed")

    def _tell(self, result: FrameResult, events: Sequence[SceneEvent]) -> None:
        for subscriber in self._outlets.subscribers:
            try:
                subscriber.on_result(self.id, result, events)
            except Exception:
                self._complain(f"{type(subscriber).__name__} failed")

    def _complain(self, what: str) -> None:
        """Log an error that is being handled, once a minute: there are ten frames a second."""
        now = time.monotonic()
        if now >= self._complain_at:
            self._complain_at = now + COMPLAIN_SECONDS
            logger.exception("%s, at camera %d", what, self.id)

    def _note(self, work: Work, result: FrameResult, seen: float, followed: float) -> None:
        done = time.monotonic()
        live, gated = work.live, not result.detected
        marks = (live.captured, work.began, work.prepared, seen, followed, done)
        parts = [(after - before) * 1000.0 for before, after in pairwise(marks)]
        wait, gate, detect, track, events = parts
        total = (done - live.captured) * 1000.0
        stages = (live.decode_ms, wait, gate, detect, track, events, total)
        occupancy = work.scene.occupancy
        times = FrameTimes(done, gated, stages)
        self._figures.add(times, result.detections, occupancy, result.answered)
        self._figures.misses_faces = work.scene.misses_faces
        if not self._outlets.pictures.is_wanted(self.id):
            return
        self._outlets.pictures.publish(
            Shot(
                camera_id=self.id,
                frame=result.frame,
                epoch=live.epoch,
                captured=live.captured,
                detections=result.detections,
                hide=partial(work.scene.to_hide, result),
                occupancy=occupancy,
                gated=gated,
                stages=stages,
                figures=self._figures,
            )
        )

    def _set_error(self, error: VisionError | None) -> None:
        if error is not None and self._error is None:
            self._error_since = timezone.now()
        self._error = error
