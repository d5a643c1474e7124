"""What is remembered of a camera's scene from one cut to the next."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence

from video_analysis.services.live.changes import Change
from video_analysis.services.live.events import EventMapper, begins
from video_analysis.services.live.paths import TrackPaths
from video_analysis.services.live.pictures import SIZES, unrecognisable
from video_analysis.services.live.setups import CameraSetup
from video_analysis.services.recognising.clearing import cleared_tracks
from vision.analytics.watcher import SceneEvent, SceneWatcher
from vision.encoding.scaled import encode_scaled
from vision.engine import Engine
from vision.pipeline.pipeline import Looked, Pipeline, Prepared
from vision.pipeline.results import FrameResult, Places
from vision.sources.cameras import LiveFrame
from vision.structures import Frame

logger = logging.getLogger(__name__)


class Scene:
    """Pipeline, watcher and paths of one camera; used by one thread at a time.

    Args:
        setup: The camera.
        engine: Finds the objects.
        first: The first frame; all others have its size.

    Raises:
        VisionError: The setup asks for what there is not, or a zone or line is none.
    """

    def __init__(self, setup: CameraSetup, engine: Engine, first: Frame) -> None:
        self.setup = setup
        self._last = first
        self._captured = time.monotonic()
        self._pipeline = Pipeline(engine, setup.config, rate=setup.source.fps)
        # Numbers of tracks begin anew with every scene: those of the one before say nothing.
        self._not_cleared = cleared_tracks(setup.id)
        self._over = False
        patience = self._pipeline.patience
        self._paths = TrackPaths(
            setup.id, width=first.width, height=first.height, patience=patience
        )
        self._watcher = self._make_watcher(setup)
        self._mapper = EventMapper(setup, self._paths.id_of)

    @property
    def occupancy(self) -> dict[str | None, int]:
        """Objects by key of their zone; None is the whole picture."""
        return self._watcher.occupancy

    def track_id(self, number: int) -> uuid.UUID:
        """Return the id of a track's row, also before there is one."""
        return self._paths.id_of(number)

    def adopt(self, setup: CameraSetup) -> tuple[bool, list[Change]]:
        """Take another configuration on, if tracks can go on under it.

        Returns:
            Whether it was taken on, and what ended by it.

        Raises:
            VisionError: A zone or line is none.
        """
        if setup.config != self.setup.config or setup.source.fps != self.setup.source.fps:
            return False, []
        if setup.regions == self.setup.regions:
            self.setup = setup
            self._mapper.rename(setup)
            return True, []
        watcher = self._make_watcher(setup)  # first: it may refuse
        ended = self._changes(self._watcher.finish())
        self.setup, self._watcher = setup, watcher
        self._mapper = EventMapper(setup, self._paths.id_of)
        return True, ended

    def prepare(self, live: LiveFrame) -> Prepared:
        """Look for motion in the next frame."""
        self._last, self._captured = live.frame, live.captured
        return self._pipeline.prepare([live.frame])

    def follow(self, looked: Looked) -> FrameResult:
        """Carry the tracks through the frame."""
        (result,) = self._pipeline.follow(looked)
        return result

    def watch(self, result: FrameResult) -> tuple[list[SceneEvent], list[Change]]:
        """Return what has happened in the frame, and what is to be written of it."""
        events = self._watcher.update(result.detections, result.frame)
        changes: list[Change] = []
        if events:
            jpeg = self._picture(result) if any(begins(event) for event in events) else None
            changes += self._changes(events, jpeg)
        changes += self._paths.add(result.detections, result.frame)
        return events, changes

    def to_hide(self, result: FrameResult) -> Places | None:
        """Return what is to be hidden of a frame before it is shown; from any thread."""
        # What is cleared of a camera is by number, and those of another scene once this is over.
        if not self.setup.faces.clears or self._over:
            return self._pipeline.to_hide(result)
        cleared = cleared_tracks(self.setup.id)
        self._not_cleared &= cleared
        return self._pipeline.to_hide(result, cleared - self._not_cleared)

    @property
    def misses_faces(self) -> bool:
        """Whether faces are to be hidden, and nothing could look for them the last time."""
        return self._pipeline.misses_faces

    def finish(self) -> list[Change]:
        """End all that goes on, and show nobody's face any more; return what is to be written."""
        self._over = True
        changes = self._changes(self._watcher.finish())
        return [*changes, *self._paths.finish()]

    def _make_watcher(self, setup: CameraSetup) -> SceneWatcher:
        return SceneWatcher(setup.zones, setup.lines, patience=self._pipeline.patience)

    def _changes(self, events: Sequence[SceneEvent], jpeg: bytes | None = None) -> list[Change]:
        return [*self._mapper.changes(events, self._last, noticed=self._captured, jpeg=jpeg)]

    def _picture(self, result: FrameResult) -> bytes:
        longest, quality = SIZES["large"]
        image = unrecognisable(result.frame.image, self.to_hide(result))
        return encode_scaled(image, longest=longest, quality=quality)
