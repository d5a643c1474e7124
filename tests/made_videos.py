"""Small videos, and finished analyses of them, made without running a model."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from django.core.files.base import ContentFile
from django.db import transaction
from numpy.typing import NDArray

from common.jobs.queues import LONG_QUEUE
from common.models import Job, Upload
from common.storage.work import work_folder
from common.uploads.derived import store_derived
from detector.models import DetectionSession
from video_analysis.models import VideoAnalysis
from video_analysis.services.analyses import JOB_KIND
from video_analysis.services.files import file_ids
from video_analysis.services.storing import ResultWriter
from vision.activity import ActivityEvent
from vision.analytics.heat import HeatMap
from vision.analytics.timeline import Timeline
from vision.analytics.trajectories import describe_trajectory
from vision.encoding.images import encode_jpeg, encode_png
from vision.motion import MotionEvent
from vision.pipeline.collect import EndedMotion, EndedTrack
from vision.pipeline.video import VideoSummary
from vision.structures.trajectories import Trajectory

WIDTH, HEIGHT, RATE = 160, 120, 10
CLASSES = ((0, "person"), (2, "car"), (16, "dog"))


def make_clip(
    path: Path, *, seconds: float = 2.0, width: int = WIDTH, height: int = HEIGHT, rate: int = RATE
) -> Path:
    """Write a clip of a bright square that walks over a grey floor: H.264 in MP4, faststart.

    Args:
        path: Where to, with the suffix ``.mp4``.
        seconds: How long it is.
        width: Pixels, even.
        height: Pixels, even.
        rate: Frames per second.
    """
    options = {"movflags": "faststart"}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(rate)}
        for index in range(round(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(_picture(index, width, height), format="bgr24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def make_trajectory(
    number: int, *, start: float, seconds: float, rate: float = RATE, size: tuple[int, int]
) -> Trajectory:
    """Return somebody's way over a picture of ``size``; the same number walks the same way."""
    width, height = size
    count = max(2, round(seconds * rate))
    phase = np.linspace(0.0, 1.0, count)
    lane = (number * 0.37) % 0.5
    left = width * (0.05 + 0.75 * (phase if number % 2 else 1 - phase))
    top = height * (0.1 + lane + 0.05 * np.sin(phase * math.tau * 2))
    boxes = np.column_stack((left, top, left + width * 0.12, top + height * 0.3))
    class_id, class_name = CLASSES[(number - 1) % len(CLASSES)]
    return Trajectory(
        track_id=number,
        class_id=class_id,
        class_name=class_name,
        times=start + np.arange(count) / rate,
        boxes=boxes.astype(np.float32),
        confidence=np.full(count, 0.5 + 0.4 * ((number * 7) % 10) / 10, np.float32),
        detected=np.arange(count) % 2 == 0,
    )


def make_video_session(
    owner: Any,
    *,
    name: str = "street.mp4",
    tracks: int = 3,
    seconds: float = 2.0,
    clip: Path | None = None,
    activity: bool = True,
    motion: bool = True,
    status: str = DetectionSession.Status.DONE,
    chunk: int = 200,
    annotated_clip: bool = False,
    **changes: Any,
) -> DetectionSession:
    """Store a video and a session over it as an analysis would leave them.

    Args:
        owner: Whose it is.
        name: Of the session and its file.
        tracks: How many; spread over ``seconds``, each some seconds long.
        seconds: How long the video is said to be; the file is as long, at most two seconds, unless
            ``clip`` is given.
        clip: A file to store instead.
        activity: Whether people were watched for what they do.
        motion: Whether motion was looked for.
        status: Of the session; what is not done has no result.
        chunk: Most tracks in one chunk.
        annotated_clip: Whether the annotated video is a clip of its own, and not the stored file.
        changes: Further fields of the session.
    """
    done = status == DetectionSession.Status.DONE
    with work_folder() as folder, transaction.atomic():
        path = clip or make_clip(folder / "clip.mp4", seconds=min(seconds, 2.0))
        upload = _upload(owner, path, name)
        session = DetectionSession(
            owner=owner,
            upload=upload,
            kind=DetectionSession.Kind.VIDEO,
            name=name,
            requested_model="yolov8n",
            **changes,
        )
        session.job = Job.objects.create(
            kind=JOB_KIND, owner=owner, state=status, queue=LONG_QUEUE, **_told(status)
        )
        if done:
            session.model, session.backend = "yolov8n", "openvino"
            session.device, session.precision = "cpu", "fp32"
        session.save(force_insert=True)
        video = _analysis(session, seconds, activity=activity, motion=motion)
        if done:
            drawn = make_clip(folder / "drawn.mp4", seconds=2.0) if annotated_clip else path
            _store_result(video, folder, drawn, tracks=tracks, chunk=chunk)
    return session


def _picture(index: int, width: int, height: int) -> NDArray[np.uint8]:
    image = np.full((height, width, 3), 96, np.uint8)
    image[:: max(2, height // 8)] = 80
    left = (4 * index) % max(1, width - width // 6)
    top, side = height // 3, width // 6
    image[top : top + side, left : left + side] = (40, 200, 240)
    return image


def _upload(owner: Any, path: Path, name: str) -> Upload:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        width, height = stream.width, stream.height
        image = next(container.decode(stream)).to_ndarray(format="bgr24")
    data = path.read_bytes()
    thumbnail = encode_jpeg(cv2.resize(image, (160, 120)), 80)
    upload = Upload(
        owner=owner,
        name=name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        thumbnail_size=len(thumbnail),
        media_type="video/mp4",
        width=width,
        height=height,
    )
    upload.file.save("video.mp4", ContentFile(data), save=False)
    upload.thumbnail.save("thumbnail.jpg", ContentFile(thumbnail), save=False)
    upload.save(force_insert=True)
    return upload


def _told(status: str) -> dict[str, Any]:
    match status:
        case DetectionSession.Status.RUNNING:
            return {"progress": 0.4, "message": "320 frames · 48.2 a second · 0:09 left"}
        case DetectionSession.Status.FAILED:
            return {"error_code": "decoder_failed", "error_message": "The video is damaged."}
        case DetectionSession.Status.DONE:
            return {"progress": 1.0}
        case _:
            return {}


def _analysis(
    session: DetectionSession, seconds: float, *, activity: bool, motion: bool
) -> VideoAnalysis:
    return VideoAnalysis.objects.create(
        session=session,
        tracking=True,
        motion=motion,
        activity=activity,
        styles=["boxes", "trails"],
        container="mp4",
        codec="h264",
        width=session.upload.width,
        height=session.upload.height,
        duration=seconds,
        rate=RATE,
        frame_count=round(seconds * RATE),
    )


def _store_result(
    video: VideoAnalysis, folder: Path, clip: Path, *, tracks: int, chunk: int
) -> None:
    trajectories = list(_trajectories(video, tracks))
    writer = ResultWriter(folder / "snapshots.bin")
    with writer:
        for at in range(0, len(trajectories), chunk):
            writer.add_tracks([_ended(video, item) for item in trajectories[at : at + chunk]])
        summary = _summary(video, trajectories)
        writer.add_events(summary)
    annotated = folder / "annotated.mp4"
    annotated.write_bytes(clip.read_bytes())
    (folder / "heat.png").write_bytes(encode_png(summary.heat))
    writer.store(video)
    session = video.session
    for field, file, media_type in (
        ("annotated", "annotated.mp4", "video/mp4"),
        ("snapshots", "snapshots.bin", "application/octet-stream"),
        ("heat", "heat.png", "image/png"),
    ):
        derived = store_derived(upload=session.upload, path=folder / file, media_type=media_type)
        derived.save(force_insert=True)
        setattr(video, field, derived)
    assert len(file_ids(video)) == 3
    video.statistics = summary.statistics
    video.frames_done = video.frame_count
    video.frames_per_second = 40.0
    video.save()
    session.object_count = writer.class_counts.total()
    session.class_counts = dict(writer.class_counts.most_common())
    session.timings_ms = {"total": 500}
    session.save()


def _trajectories(video: VideoAnalysis, tracks: int) -> Iterator[Trajectory]:
    length = min(20.0, max(1.0, video.duration * 0.7))
    room = max(0.0, video.duration - length)
    for number in range(1, tracks + 1):
        start = room * (number - 1) / max(1, tracks - 1)
        yield make_trajectory(number, start=start, seconds=length, size=(video.width, video.height))


def _ended(video: VideoAnalysis, trajectory: Trajectory) -> EndedTrack:
    figures = describe_trajectory(trajectory, width=video.width, height=video.height)
    picture = np.full((96, 48, 3), (trajectory.track_id * 53) % 200 + 40, np.uint8)
    return EndedTrack(trajectory, figures, encode_jpeg(picture, 80))


def _summary(video: VideoAnalysis, trajectories: list[Trajectory]) -> VideoSummary:
    end = video.duration
    moved = MotionEvent(
        start=0.2,
        end=min(1.4, end),
        peak_share=0.12,
        peak_time=0.6,
        peak_area=np.array((10, 20, 60, 70), np.float32),
        picture=None,
    )
    motion = [EndedMotion(moved, encode_jpeg(_picture(6, 64, 48), 80))]
    people = [item.track_id for item in trajectories if item.class_name == "person"][:2]
    activities = [
        ActivityEvent("activity", "walking", (number,), 0.1, min(1.2, end), 0.82, "1.1 bh/s")
        for number in people
    ]
    if people:
        activities.append(
            ActivityEvent("group", "meeting", tuple(people), 0.5, min(1.5, end), 0.7, "close by")
        )
    heat = HeatMap(video.width, video.height)
    for item in trajectories[:50]:
        heat.add(item.boxes)
    return VideoSummary(
        info=None,  # type: ignore[arg-type]  # nothing that is stored comes from it
        statistics=_statistics(video, trajectories),
        motion=motion if video.motion else [],
        activities=activities if video.activity else [],
        heat=heat.picture(),
        model={"model": "yolov8n", "backend": "openvino", "device": "cpu", "precision": "fp32"},
    )


def _statistics(video: VideoAnalysis, trajectories: list[Trajectory]) -> dict[str, Any]:
    timeline = Timeline()
    for item in trajectories:
        timeline.add_trajectory(item)
    charts = timeline.summary()
    steps = len(charts["confidence"])
    names = sorted({item.class_name for item in trajectories})
    return {
        "frames": video.frame_count,
        "frames_detected": video.frame_count,
        "tracks": len(trajectories),
        "classes": {
            name: {
                "tracks": sum(item.class_name == name for item in trajectories),
                "mean_dwell": 1.3,
                "most_at_once": 1,
            }
            for name in names
        },
        "motion": {"events": 1, "seconds": 1.2} if video.motion else {"events": 0, "seconds": 0.0},
        "activities": {"walking": 1.1} if video.activity else {},
        "timeline": {
            **charts,
            "classes": {name: [1.0] * steps for name in names},
            "confidence": [0.7] * steps,
        },
        "duration": video.duration,
        "seconds_worked": 0.5,
        "frames_per_second": 40.0,
        "frames_skipped": 0,
        "truncated": False,
    }
