"""The life of an analysis: asked for, and asked for again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import transaction

from common.jobs.queues import LONG_QUEUE
from common.models import Upload
from common.uploads.services import delete_upload
from common.uploads.videos import hide_thumbnail, store_video
from detector.models import DetectionSession
from detector.services.options import DetectionOptions
from detector.services.sessions import Work, create_session, repeat_session
from video_analysis.models import VideoAnalysis
from video_analysis.services.hiding import hides, refuse_unhiding
from video_analysis.services.options import TASKS, VideoOptions
from video_analysis.services.recognising.uploads import refuse_recognition

if TYPE_CHECKING:
    from vision.sources.videos import VideoInfo

JOB_KIND = "video_analysis.analyse"
VIDEO_WORK = Work(DetectionSession.Kind.VIDEO, JOB_KIND, LONG_QUEUE)
OF_THE_FILE = ("container", "codec", "width", "height", "duration", "rate", "frame_count")


def queue_video(
    *,
    owner: Any,
    chunks: Iterable[bytes],
    file_name: str,
    options: VideoOptions,
    name: str = "",
    source: str = DetectionSession.Source.BROWSER,
) -> DetectionSession:
    """Store a video and queue its analysis; both or neither.

    Raises:
        UploadRejected: The file is no video that is taken, or the disk is full.
    """
    refuse_recognition(options.tasks)
    upload, info = store_video(
        owner=owner, chunks=chunks, name=file_name, hide=bool(hides(options.styles))
    )
    try:
        with transaction.atomic():
            session = create_session(
                owner=owner,
                upload=upload,
                options=options.detection,
                name=name,
                source=source,
                work=VIDEO_WORK,
            )
            VideoAnalysis.objects.create(session=session, **_facts(upload, info), **_asked(options))
    except BaseException:
        delete_upload(upload=upload)
        raise
    return session


def rerun_video(
    *, session: DetectionSession, owner: Any, options: VideoOptions
) -> DetectionSession:
    """Analyse the same video with other options, as a new session.

    Where they hide people or faces, the thumbnail shows nobody from now on; all analyses of a
    video share it.

    Raises:
        DetectorError: ``not_found`` when the session is deleted, or ``owner`` may not reach it any
            more; ``people_hidden`` when it would show others whom the file's owner has hidden.
        SessionConflictError: ``picture_removed`` when the video was older than files are kept.
        UploadRejected: The thumbnail cannot be stored.
    """
    before: VideoAnalysis = session.video
    refuse_recognition(options.tasks)
    refuse_unhiding(session, owner, options)
    with transaction.atomic():
        again = repeat_session(
            session=session, owner=owner, options=options.detection, work=VIDEO_WORK
        )
        facts = {name: getattr(before, name) for name in (*OF_THE_FILE, "has_audio")}
        VideoAnalysis.objects.create(session=again, **facts, **_asked(options))
        if hides(options.styles):
            hide_thumbnail(upload=again.upload)
    return again


def options_of(session: DetectionSession) -> VideoOptions:
    """The options that a stored analysis was made with; judged when they are used again."""
    video: VideoAnalysis = session.video
    return VideoOptions(
        detection=DetectionOptions(
            task="segment" if session.task == "segment" else "detect",
            model=session.requested_model,
            confidence=session.confidence,
            iou=session.iou,
            classes=tuple(session.classes),
        ),
        tasks=tuple(task for task in TASKS if getattr(video, task)),
        tracker=video.tracker,
        every=video.every,
        between=video.between,
        styles=tuple(video.styles),
        motion_method=video.motion_method,
        minimum_area=video.minimum_area,
        gate=video.gate,
        pixels_per_metre=video.pixels_per_metre,
    )


def options_as_data(options: VideoOptions) -> dict[str, Any]:
    """Options in the form that `parse_video_options` reads."""
    detection = options.detection
    return {
        "model": detection.model,
        "confidence": detection.confidence,
        "iou": detection.iou,
        "classes": list(detection.classes),
        "tasks": list(options.tasks),
        "styles": list(options.styles) or ["none"],
        **{name: getattr(options, name) for name in _PLAIN},
    }


_PLAIN = (
    *("tracker", "every", "between", "motion_method", "minimum_area", "gate"),
    "pixels_per_metre",
)


def _asked(options: VideoOptions) -> dict[str, Any]:
    return {
        **{task: task in options.tasks for task in TASKS},
        **{name: getattr(options, name) for name in _PLAIN},
        "styles": list(options.styles),
    }


def _facts(upload: Upload, info: VideoInfo) -> dict[str, Any]:
    return {
        "container": info.container,
        "codec": info.codec,
        "width": upload.width,
        "height": upload.height,
        "duration": info.duration,
        "rate": info.rate,
        "frame_count": info.frames,
        "has_audio": info.has_audio,
    }
