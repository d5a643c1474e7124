"""Finding objects in pictures and keeping what was found.

Nothing here holds a transaction while the engine works: results are written in one short
transaction afterwards.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from common.inference import Query, find_objects
from common.jobs.context import JobContext
from common.jobs.errors import JobFailed
from common.models import Upload
from common.uploads.errors import PictureRemoved
from common.uploads.services import decoded_picture, read_upload, require_picture
from detector.errors import OptionsError
from detector.models import DetectedObject, DetectionSession
from detector.services.events import publish_session_done
from detector.services.options import DetectionOptions, parse_options
from detector.services.sessions import new_session
from vision.encoding.records import ObjectRecord, records_from_detections
from vision.structures import Priority

if TYPE_CHECKING:
    from vision import Detections

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class RunInfo:
    """Who answered and how long it took.

    Attributes:
        model: Name of the model that answered.
        notice: Why another model answered than the one asked for; empty when it did not.
        timings_ms: Milliseconds per step: preprocess, queue, inference, postprocess, total.
    """

    model: str
    backend: str
    device: str
    precision: str
    notice: str
    timings_ms: Mapping[str, float]


def detect_pictures(
    images: Sequence[Picture],
    *,
    options: DetectionOptions,
    priority: Priority = Priority.INTERACTIVE,
) -> list[Detections]:
    """Find objects in pictures (HxWx3 uint8 BGR), strongest first in each.

    Masks come only with the task ``segment``, whatever model is used.

    Raises:
        VisionError: The engine cannot answer.
    """
    found = find_objects(images, make_query(options), priority=priority)
    return [tidy(detections, options) for detections in found]


def make_query(options: DetectionOptions) -> Query:
    """What the engine is asked for."""
    return Query(
        model=options.model,
        confidence=options.confidence,
        iou=options.iou,
        classes=options.class_ids,
        masks=options.task == "segment",
    )


def describe_run(detections: Detections, *, requested: str) -> RunInfo:
    """Who answered, from what the engine noted on the result."""
    noted = detections.metadata
    model = str(noted.get("model", requested))
    notice = ""
    if model != requested:
        reason = str(noted.get("reason", ""))
        notice = f"{model} answered instead of {requested}: {reason}" if reason else model
    return RunInfo(
        model=model,
        backend=str(noted.get("backend", "")),
        device=str(noted.get("device", "")),
        precision=str(noted.get("precision", "")),
        notice=notice[:300],
        timings_ms={
            name: round(float(value), 2) for name, value in noted.get("timings_ms", {}).items()
        },
    )


def record_session(
    *,
    owner: Any,
    upload: Upload,
    options: DetectionOptions,
    detections: Detections,
    run: RunInfo | None = None,
    timings_ms: Mapping[str, float] | None = None,
    name: str = "",
    source: str = DetectionSession.Source.API,
    kind: str = DetectionSession.Kind.IMAGE,
) -> DetectionSession:
    """Store the result of a detection that is already made, as a finished session.

    Args:
        owner: Whose session it becomes.
        upload: The picture.
        options: What was looked for.
        detections: What was found.
        run: Who answered; read from ``detections`` when the caller has not done so.
        timings_ms: Milliseconds per step; those of ``run`` by default.
        name: The upload's name by default.
        source: A value of ``DetectionSession.Source``.
        kind: One of ``DetectionSession.PICTURES``.
    """
    session = new_session(owner=owner, upload=upload, options=options, name=name, source=source)
    session.kind = kind
    records = records_from_detections(detections)
    run = run or describe_run(detections, requested=options.model)
    with transaction.atomic():
        _fill(session, records, run, timings_ms)
        session.save(force_insert=True)
        _insert_objects(session, records)
        publish_session_done(session)
    return session


def run_session_job(context: JobContext) -> None:
    """Find the objects of the session whose job this is.

    Running it twice leaves one result. An attempt that has lost its job writes nothing.

    Raises:
        JobFailed: The picture is gone or cannot be read.
        VisionError: It cannot be decoded any more, or the engine cannot answer.
    """
    session = (
        DetectionSession.objects.select_related("upload").filter(job_id=context.job.pk).first()
    )
    if session is None:  # deleted meanwhile
        return
    options = options_of(session)

    context.checkpoint(0.05, "Reading the picture")
    data = _read_picture(session)
    began = time.perf_counter()
    with decoded_picture(data) as picture:
        decode_ms = (time.perf_counter() - began) * 1000.0
        context.checkpoint(0.3, "Finding objects")
        (detections,) = detect_pictures([picture], options=options, priority=Priority.BATCH)

    context.checkpoint(0.9, "Saving")
    run = describe_run(detections, requested=options.model)
    timings = {"decode": round(decode_ms, 2), **run.timings_ms}
    timings["total"] = round(timings.get("total", 0.0) + decode_ms, 2)
    _save_result(context, session, records_from_detections(detections), run, timings)


def _read_picture(session: DetectionSession) -> bytes:
    try:
        return read_upload(upload=require_picture(session.upload))
    except PictureRemoved as error:
        raise JobFailed(error.code, error.message) from error
    except FileNotFoundError as error:
        raise JobFailed("picture_missing", "The stored picture is gone.") from error
    except OSError as error:
        raise JobFailed("picture_unreadable", "The stored picture cannot be read.") from error


def options_of(session: DetectionSession) -> DetectionOptions:
    """The options that a stored session was made with, judged again.

    Raises:
        JobFailed: Its model or classes are not known any more.
    """
    try:
        return parse_options(
            task=session.task,
            model=session.requested_model,
            confidence=session.confidence,
            iou=session.iou,
            classes=session.classes,
        )
    except OptionsError as error:
        raise JobFailed(error.code, error.message) from error


def _save_result(
    context: JobContext,
    session: DetectionSession,
    records: Sequence[ObjectRecord],
    run: RunInfo,
    timings_ms: Mapping[str, float],
) -> None:
    with transaction.atomic():
        if not context.still_mine():
            return
        session.detected_objects.all().delete()
        _insert_objects(session, records)
        _fill(session, records, run, timings_ms)
        # Only what a detection makes: the name may have been changed while it ran.
        session.save(
            update_fields=[
                *("model", "notice", "backend", "device", "precision"),
                *("object_count", "class_counts", "timings_ms", "finished_at"),
            ]
        )


def _fill(
    session: DetectionSession,
    records: Sequence[ObjectRecord],
    run: RunInfo,
    timings_ms: Mapping[str, float] | None,
) -> None:
    session.model = run.model
    session.notice = run.notice
    session.backend = run.backend
    session.device = run.device
    session.precision = run.precision
    session.object_count = len(records)
    session.class_counts = dict(Counter(record.class_name for record in records).most_common())
    session.timings_ms = dict(timings_ms if timings_ms is not None else run.timings_ms)
    session.finished_at = timezone.now()


def _insert_objects(session: DetectionSession, records: Sequence[ObjectRecord]) -> None:
    DetectedObject.objects.bulk_create(
        [
            DetectedObject(
                session=session,
                index=index,
                class_id=record.class_id,
                class_name=record.class_name,
                confidence=record.confidence,
                x=record.x,
                y=record.y,
                width=record.width,
                height=record.height,
                mask=record.mask,
            )
            for index, record in enumerate(records)
        ],
        batch_size=500,
    )


def tidy(detections: Detections, options: DetectionOptions) -> Detections:
    """Found objects as they are shown: of the classes asked for, strongest first."""
    metadata = detections.metadata
    if options.classes and metadata.get("model") != options.model:
        # The fallback numbers its classes its own way; only names mean the same.
        named = np.isin(detections.data.get("class_name", ()), options.classes)
        detections = _select(detections, named) if len(detections) else detections
    confidence = detections.confidence
    if confidence is not None and np.any(np.diff(confidence) > 0):
        detections = _select(detections, np.argsort(-confidence, kind="stable"))
    detections.metadata = metadata
    return detections


def _select(detections: Detections, rows: NDArray[Any]) -> Detections:
    return cast("Detections", detections[rows])
