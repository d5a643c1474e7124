"""A whole video file: from the file to its tracks, events, figures and the annotated video."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.activity import UNSURE, ActivityEvent
from vision.drawing.video import FrameDrawer
from vision.encoding.video import VideoWriter, finish_video
from vision.engine import Engine
from vision.pipeline.collect import Collector, EndedMotion, OnTracks
from vision.pipeline.config import PipelineConfig
from vision.pipeline.pipeline import Pipeline
from vision.pipeline.progress import Progress, SpeedMeter
from vision.pipeline.results import FrameResult
from vision.pipeline.run import run_pipeline
from vision.sources.videos import VideoInfo, VideoLimits, VideoSource, open_video

__all__ = ["Progress", "VideoSummary", "VideoTask", "analyse_source", "analyse_video"]


OnProgress = Callable[[Progress], None]
OnWait = Callable[[], None]
Cleared = Callable[[], Collection[int]]
OnResult = Callable[[FrameResult], None]


@dataclass(frozen=True, slots=True)
class VideoTask:
    """What to do with a video.

    Attributes:
        config: What to look for.
        styles: What to draw, of `vision.drawing.styles.DRAWN`.
        pixels_per_metre: Scale of the scene, where it is known.
        limits: What is accepted.
        isolated: Whether the file is decoded in a child with limits; False only for a file that
            is trusted.
    """

    config: PipelineConfig
    styles: Collection[str] = ("boxes", "trails")
    pixels_per_metre: float | None = None
    limits: VideoLimits = field(default_factory=VideoLimits)
    isolated: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class VideoSummary:
    """What a video shows as a whole.

    Attributes:
        info: What its header says.
        statistics: JSON values, with the frames and seconds that there really were.
        motion: When something moved.
        activities: What people did, alone and together.
        heat: (h, w, 4) uint8 BGRA, where objects have been.
        model: What answered, with ``backend``, ``device``, ``precision``, ``reason``.
    """

    info: VideoInfo
    statistics: dict[str, Any]
    motion: list[EndedMotion]
    activities: list[ActivityEvent]
    heat: NDArray[np.uint8]
    model: dict[str, str]


def analyse_video(
    path: Path,
    task: VideoTask,
    *,
    engine: Engine,
    target: Path | None = None,
    on_tracks: OnTracks = lambda tracks: None,
    on_progress: OnProgress = lambda progress: None,
    on_wait: OnWait = lambda: None,
    cleared: Cleared = frozenset,
    on_result: OnResult = lambda result: None,
) -> VideoSummary:
    """Analyse a video file.

    Args:
        path: The file.
        task: What to do with it.
        engine: Finds the objects.
        target: Where to write the annotated video (MP4); None writes none.
        on_tracks: Gets tracks as they end.
        on_progress: Called after every frame; what it raises ends the work, and no file is left.
        on_wait: Called now and then while the sound is joined to the pictures; likewise.
        cleared: Called for every frame where faces are hidden: the ids of tracks whose faces may
            be shown from then on.
        on_result: Called with every frame before anything is hidden or drawn in it; it must not
            be changed or kept.

    Raises:
        VideoError: The file is no video that is accepted, or not one frame of it can be read.
        VisionError: The engine cannot answer.
    """
    with open_video(path, limits=task.limits, isolated=task.isolated) as source:
        return analyse_source(
            source,
            task,
            engine=engine,
            original=path,
            target=target,
            on_tracks=on_tracks,
            on_progress=on_progress,
            on_wait=on_wait,
            cleared=cleared,
            on_result=on_result,
        )


def analyse_source(
    source: VideoSource,
    task: VideoTask,
    *,
    engine: Engine,
    original: Path | None = None,
    target: Path | None = None,
    on_tracks: OnTracks = lambda tracks: None,
    on_progress: OnProgress = lambda progress: None,
    on_wait: OnWait = lambda: None,
    cleared: Cleared = frozenset,
    on_result: OnResult = lambda result: None,
) -> VideoSummary:
    """Analyse the frames of any source that ends; see `analyse_video`.

    Args:
        original: The file whose sound the annotated video gets; None leaves it silent.
    """
    run = _Run(source, task, engine, target, on_tracks, on_progress, on_wait, cleared, on_result)
    return run.finish(original)


class _Run:
    """One video on its way; owns what is written."""

    def __init__(
        self,
        source: VideoSource,
        task: VideoTask,
        engine: Engine,
        target: Path | None,
        on_tracks: OnTracks,
        on_progress: OnProgress,
        on_wait: OnWait,
        cleared: Cleared,
        on_result: OnResult,
    ) -> None:
        info = source.info
        self._source = source
        self._target = target
        self._on_progress = on_progress
        self._on_wait = on_wait
        self._cleared = cleared
        self._on_result = on_result
        self._unseen = 0
        self._draws_motion = task.config.motion is not None
        self._pipeline = Pipeline(engine, task.config, rate=info.rate)
        self._drawer = FrameDrawer(task.styles, width=info.width, height=info.height)
        self._collector = Collector(
            width=info.width,
            height=info.height,
            pixels_per_metre=task.pixels_per_metre,
            on_tracks=on_tracks,
            patience=self._pipeline.patience,
            # Pictures of motion are taken before anybody is made unrecognisable.
            motion_pictures=not task.config.needs_people,
        )
        self._part = target.with_name(f"{target.name}.part.mp4") if target is not None else None
        self._writer = (
            VideoWriter(self._part, width=info.width, height=info.height, rate=info.rate)
            if self._part is not None
            else None
        )
        self._sound: bool | None = None
        self._labels: dict[int, str] = {}
        self._model: dict[str, str] = {}
        self._speed = SpeedMeter(info)

    def finish(self, original: Path | None) -> VideoSummary:
        """Take every frame through, and put the annotated video in its place."""
        try:
            for result in run_pipeline(self._source, self._pipeline):
                self._take(result)
            statistics = self._collector.finish()
            if self._writer is not None and self._part is not None and self._target is not None:
                self._writer.close(self._source.end)
                self._sound = finish_video(
                    self._part, original, self._target, on_wait=self._on_wait
                )
        except BaseException:
            if self._writer is not None:
                self._writer.abort()
            raise
        finally:
            if self._part is not None:
                self._part.unlink(missing_ok=True)
        return VideoSummary(
            info=self._source.info,
            statistics={
                **statistics,
                **self._speed.figures(),
                "duration": round(self._source.end, 3),
                **self._faults(),
                # Only where there are any: most videos hide no faces.
                **({"faces_unseen": self._unseen} if self._unseen else {}),
            },
            motion=self._collector.motion,
            activities=self._collector.activity_events,
            heat=self._collector.heat.picture(),
            model=self._model,
        )

    def _take(self, result: FrameResult) -> None:
        frame, detections = result.frame, result.detections
        self._on_result(result)
        hidden = self._pipeline.to_hide(result, self._cleared())
        if hidden is not None:
            hidden.blur(frame.image)
        self._unseen += self._pipeline.misses_faces
        self._collector.add(result, frame.image)
        for state in result.activities or ():
            self._labels[state.track_id] = "" if state.label == UNSURE else state.label
        self._drawer.draw(
            frame.image,
            detections,
            timestamp=frame.timestamp,
            activities=self._labels,
            motion=result.motion if self._draws_motion else None,
        )
        if self._writer is not None:
            self._writer.write(frame.image, frame.timestamp)
        if result.answered and not self._model:
            self._model = dict(result.answered)
        self._on_progress(self._speed.add(frame.timestamp, frame.image))

    def _faults(self) -> dict[str, Any]:
        return {
            "frames_skipped": self._source.skipped,
            "truncated": self._source.truncated,
            "sound_dropped": self._sound is False,
        }
