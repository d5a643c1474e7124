"""The work on one video: analysed frame by frame, stored in short transactions at the end."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from django.db import (
    Error,
    IntegrityError,
    connection,
    transaction,
)
from django.utils import timezone

from common.inference import get_engine
from common.jobs.context import JobContext
from common.jobs.errors import JobFailed
from common.jobs.insisting import insist
from common.models import DerivedFile
from common.previews import Preview, is_watched, write_preview
from common.storage.disk import disk_space
from common.storage.work import work_folder
from common.uploads.derived import drop_derived, store_derived
from common.uploads.errors import PictureRemoved
from common.uploads.services import FULL, require_picture
from common.uploads.videos import local_file, video_limits
from detector.errors import OptionsError
from detector.models import DetectionSession
from recognition.errors import GoneError
from video_analysis.models import VideoAnalysis
from video_analysis.services.analyses import options_as_data, options_of
from video_analysis.services.files import file_ids
from video_analysis.services.hiding import hides
from video_analysis.services.options import VideoOptions, parse_video_options
from video_analysis.services.people_data import FORGOTTEN
from video_analysis.services.recognising.asking import forget_reviews
from video_analysis.services.recognising.storing import RefusedError
from video_analysis.services.recognising.videos import Decided, VideoFaces, make_video_faces
from video_analysis.services.storing import ResultWriter
from vision.drawing.styles import DRAWN
from vision.encoding.images import encode_jpeg, encode_png
from vision.pipeline.config import PipelineConfig
from vision.pipeline.progress import Progress
from vision.pipeline.video import VideoSummary, VideoTask, analyse_video
from vision.structures import Priority

logger = logging.getLogger(__name__)
T = TypeVar("T")

PREVIEW_SECONDS = 0.12
NOTE_SECONDS = 1.0
JUDGE_SECONDS = 60.0
ANNOTATED, SNAPSHOTS, HEAT = "annotated.mp4", "snapshots.bin", "heat.png"
SHOWING = ("annotated", "snapshots")
"""Files in which people are seen; a heat map shows nobody."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What an analysis has found, on its way into the database."""

    summary: VideoSummary
    writer: ResultWriter
    faces: VideoFaces


def run_analysis_job(context: JobContext) -> None:
    """Analyse the video of the session whose job this is.

    Running it twice leaves one result. An attempt that has lost its job, or is cancelled, leaves
    nothing behind.

    Raises:
        JobFailed: The video is gone, its options are not known any more, or the disk is full.
        VisionError: It cannot be decoded, or the engine cannot answer.
    """
    rows = DetectionSession.objects.select_related("upload", "video")
    session = rows.filter(job_id=context.job.pk).first()
    if session is None:  # deleted meanwhile
        return
    options = _judged(session)
    context.checkpoint(0.0, "Opening the video")
    with work_folder() as folder, _file_of(session) as path:
        writer = ResultWriter(folder / SNAPSHOTS)
        watcher = _Watcher(context, session)
        engine = get_engine()
        faces = make_video_faces(
            engine,
            recognise="faces" in options.tasks,
            hiding=hides(options.styles),
        )
        with writer:
            summary = analyse_video(
                path,
                make_task(options),
                engine=engine,
                target=folder / ANNOTATED,
                on_tracks=writer.add_tracks,
                on_progress=watcher.see,
                on_wait=context.checkpoint,
                cleared=faces.cleared,
                on_result=faces.see,
            )
            writer.add_events(summary)
        (folder / HEAT).write_bytes(encode_png(summary.heat))
        context.checkpoint(0.99, "Saving")
        insist(context, faces.decide)
        _store(context, session, Result(summary, writer, faces), folder)


def make_task(options: VideoOptions) -> VideoTask:
    """What the engine's pipeline is to do."""
    detection = options.detection
    return VideoTask(
        config=PipelineConfig(
            detect=bool({"tracking", "activity", "faces"} & set(options.tasks)),
            model=detection.model,
            confidence=detection.confidence,
            iou=detection.iou,
            classes=detection.class_ids,
            class_names=detection.classes,
            masks="masks" in options.styles,
            tracker=options.tracker,
            every=options.every,
            between=options.between,
            motion=options.motion_method if "motion" in options.tasks else None,
            minimum_area=options.minimum_area,
            gate=options.gate,
            hide_people="blur" in options.styles,
            hide_faces="every" if {"faces", "faces-consented"} & set(options.styles) else "",
            activity="activity" in options.tasks,
            priority=Priority.BATCH,
        ),
        styles=tuple(style for style in options.styles if style in DRAWN),
        pixels_per_metre=options.pixels_per_metre,
        limits=video_limits(),
    )


def _judged(session: DetectionSession) -> VideoOptions:
    try:
        return parse_video_options(options_as_data(options_of(session)))
    except OptionsError as error:
        raise JobFailed(error.code, error.message) from error


@contextmanager
def _file_of(session: DetectionSession) -> Iterator[Path]:
    try:
        with local_file(require_picture(session.upload)) as path:
            yield path
    except PictureRemoved as error:
        raise JobFailed(error.code, error.message) from error
    except FileNotFoundError as error:
        raise JobFailed("video_missing", "The stored video is gone.") from error
    except OSError as error:
        if error.errno in FULL:
            raise _disk_full() from error
        raise JobFailed("video_unreadable", f"The video could not be worked on: {error}") from error


def _disk_full() -> JobFailed:
    return JobFailed("disk_full", "The disk of the server is full; nothing was stored.")


class _Watcher:
    """Looks after every frame whether to go on, and shows how far the work is."""

    def __init__(self, context: JobContext, session: DetectionSession) -> None:
        self._context = context
        self._rows = VideoAnalysis.objects.filter(pk=session.pk)
        self._name = str(session.pk)
        self._began = time.monotonic()
        self._shown = 0.0
        self._noted = 0.0
        # An attempt before this one may have come some way.
        self._rows.update(frames_done=0, frames_per_second=0.0, seconds_left=None)

    def see(self, progress: Progress) -> None:
        """Take note of a frame that is done."""
        # The end is said by whoever stores the result.
        self._context.checkpoint(min(progress.share, 0.98), sentence(progress))
        now = time.monotonic()
        if now - self._shown >= PREVIEW_SECONDS and is_watched(self._name):
            self._shown = now
            write_preview(self._name, Preview(progress.frames, encode_jpeg(progress.image, 80)))
        if now - self._noted >= NOTE_SECONDS:
            self._noted = now
            self._note(progress)

    def _note(self, progress: Progress) -> None:
        if disk_space().is_low:
            raise _disk_full()
        self._judge(progress)
        try:
            self._write(progress)
        except Error as error:  # the next second is another try
            logger.warning("The progress of %s was not noted: %s", self._context.job, error)
            connection.close()

    def _write(self, progress: Progress) -> None:
        self._rows.update(
            frames_done=progress.frames,
            frames_per_second=round(progress.frames_per_second, 2),
            seconds_left=progress.seconds_left and round(progress.seconds_left, 1),
        )

    def _judge(self, progress: Progress) -> None:
        """End what could not be finished in time after a minute, not after a day."""
        worked = time.monotonic() - self._began
        left = progress.seconds_left
        if worked < JUDGE_SECONDS or left is None or worked + left < self._context.time_limit:
            return
        hours = round((worked + left) / 3600)
        limit = round(self._context.time_limit / 3600)
        raise JobFailed(
            "too_much_work",
            f"At this speed it would take {hours} hours, and {limit} are allowed. Have the "
            "detector look at fewer frames, or choose a smaller model.",
        )


def sentence(progress: Progress) -> str:
    """What a person is told while the work goes on."""
    words = [f"{progress.frames:,} frames"]
    if progress.frames_per_second >= 0.1:
        words.append(f"{progress.frames_per_second:.3g} a second")
    if progress.seconds_left is not None:
        words.append(f"{_span(progress.seconds_left)} left")
    return " · ".join(words)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _store(
    context: JobContext,
    session: DetectionSession,
    result: Result,
    folder: Path,
) -> None:
    """Put files and rows in the place of what an earlier attempt may have left."""
    kept: dict[str, DerivedFile] = {}
    try:
        for field, name, media_type in (
            ("annotated", ANNOTATED, "video/mp4"),
            ("snapshots", SNAPSHOTS, "application/octet-stream"),
            ("heat", HEAT, "image/png"),
        ):
            kept[field] = insist(
                context,
                lambda path=folder / name, kind=media_type: store_derived(
                    upload=session.upload, path=path, media_type=kind
                ),
            )
        stored = insist(context, lambda: _store_rows(context, session, result, kept))
    except BaseException as error:
        for derived in kept.values():
            drop_derived(derived)
        if not isinstance(error, _LostError):
            raise
    else:
        for field in kept.keys() - stored.keys():
            drop_derived(kept[field])
        for doubt in result.faces.doubts:
            insist(context, partial(_ask, context, session, result.faces, doubt))


def _ask(context: JobContext, session: DetectionSession, faces: VideoFaces, doubt: Decided) -> None:
    """Have people say who somebody is, unless another attempt does."""
    try:
        with transaction.atomic():
            if context.still_mine():
                faces.ask(session.video, doubt)
    except (RefusedError, GoneError, IntegrityError):
        return  # somebody was erased meanwhile, or the video, or it was written already


def _store_rows(
    context: JobContext,
    session: DetectionSession,
    result: Result,
    kept: Mapping[str, DerivedFile],
) -> Mapping[str, DerivedFile]:
    """Store what was found; return the files that are of it."""
    with transaction.atomic():
        if not context.still_mine():
            raise _LostError
        # People before all that is theirs, as everybody does who works on them.
        if not result.faces.hold():
            kept = {field: derived for field, derived in kept.items() if field not in SHOWING}
        # Rows and files in one transaction: what is never committed is swept as an orphan.
        for derived in kept.values():
            derived.save(force_insert=True)
        _replace(session, result, kept)
    return kept


class _LostError(Exception):
    """Another attempt owns the job: this one's result is thrown away."""


def _replace(
    session: DetectionSession,
    result: Result,
    kept: Mapping[str, DerivedFile],
) -> None:
    video: VideoAnalysis = VideoAnalysis.objects.get(pk=session.pk)
    DerivedFile.objects.filter(pk__in=file_ids(video)).delete()
    video.chunks.all().delete()
    video.events.all().delete()
    forget_reviews(video.sightings.all())
    video.sightings.all().delete()
    result.writer.store(video)
    result.faces.store(video)
    figures = result.summary.statistics
    video.duration = figures["duration"]
    video.frame_count = video.frames_done = figures["frames"]
    video.frames_per_second = figures["frames_per_second"]
    video.seconds_left = 0.0
    video.statistics = figures
    for field in (*SHOWING, "heat"):
        setattr(video, field, kept.get(field))
    if not kept.keys() >= set(SHOWING):
        # Somebody was to be forgotten, or does not agree any more, while it was analysed.
        video.statistics = {**figures, FORGOTTEN: timezone.now().isoformat()}
    video.save()
    _fill_session(session, result.summary, result.writer.class_counts)


def _fill_session(session: DetectionSession, summary: VideoSummary, counts: Counter[str]) -> None:
    who: Mapping[str, Any] = summary.model
    session.model = who.get("model", "")
    reason = who.get("reason", "")
    session.notice = (
        f"{session.model} answered instead of {session.requested_model}: {reason}"[:300]
        if reason
        else ""
    )
    session.backend = who.get("backend", "")
    session.device = who.get("device", "")
    session.precision = who.get("precision", "")
    session.object_count = counts.total()
    session.class_counts = dict(counts.most_common())
    session.timings_ms = {"total": round(summary.statistics["seconds_worked"] * 1000)}
    session.finished_at = timezone.now()
    # Only what an analysis makes: the name may have been changed while it ran.
    session.save(
        update_fields=[
            *("model", "notice", "backend", "device", "precision"),
            *("object_count", "class_counts", "timings_ms", "finished_at"),
        ]
    )
