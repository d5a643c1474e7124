"""The browser's own camera: one picture after the other, each answered with what is in it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from common.errors import ServiceError
from common.inference import needs_engine
from common.uploads.services import delete_upload, store_picture
from detector.models import DetectionSession
from detector.services.detection import RunInfo, describe_run, record_session
from detector.services.finding import Found, Refusal, find_by_workers, find_here
from detector.services.options import DetectionOptions
from vision.drawing.palette import class_color
from vision.errors import PictureError
from vision.sources.pictures import PictureLimits, inspect_picture
from vision.structures import Frame
from vision.tracking import create_tracker

if TYPE_CHECKING:
    from vision import Detections

MOST_BYTES: Final = 400 * 1024
LIMITS: Final = PictureLimits(max_bytes=MOST_BYTES, max_pixels=1920 * 1088, max_side=2048)
RATE: Final = 8.0  # pictures a second that a browser sends, about
UNNAMED: Final = "Webcam"


@dataclass(frozen=True)
class _Seen:
    """The newest picture, and what was found in it."""

    data: bytes
    found: Found
    run: RunInfo


@dataclass
class _File:
    """A picture of the socket, as the detection takes files of a request."""

    data: bytes
    name: str | None = UNNAMED

    @property
    def size(self) -> int | None:
        return len(self.data)

    def read(self) -> bytes:
        return self.data


class WebcamLook:
    """What is found in the pictures of one webcam; objects keep their numbers from one to the next.

    Used by one thread at a time.

    Args:
        options: What to look for.
    """

    def __init__(self, options: DetectionOptions) -> None:
        self._options = options
        self._tracker = create_tracker("bytetrack", rate=RATE)
        self._began = time.monotonic()
        self._index = 0
        self._seen: _Seen | None = None

    def look(self, data: bytes) -> dict[str, Any]:
        """Return what is in a JPEG, ready to be sent.

        Returns:
            ``width`` and ``height`` in pixels, ``objects`` as lists of number (None until it was
            seen twice), class, confidence, x, y, width and height (0..1 of the picture),
            ``colors`` of the classes, ``ms``, ``model`` and ``notice``.

        Raises:
            ServiceError: ``not_a_jpeg``, or why the picture is refused.
            VisionError: The engine cannot answer.
            InferenceUnavailable: No worker can.
        """
        began = time.perf_counter()
        _judge(data)
        found = self._find(data)
        run = describe_run(found.detections, requested=self._options.model)
        self._seen = _Seen(data, found, run)
        numbers = self._track(found)
        total = (time.perf_counter() - began) * 1000.0
        return {
            "width": found.sent.width,
            "height": found.sent.height,
            "objects": _objects(found, numbers),
            "colors": _colors(found),
            "ms": {
                "decode": round(found.decode_ms, 1),
                "detect": round(run.timings_ms.get("total", 0.0) + found.queue_ms, 1),
                "total": round(total, 1),
            },
            "model": run.model,
            "notice": run.notice,
        }

    def save(self, *, owner: Any, name: str = "") -> DetectionSession:
        """Keep the newest picture with what was found in it.

        Raises:
            ServiceError: ``nothing_to_save`` before the first picture; why it cannot be stored.
        """
        seen = self._seen
        if seen is None:
            raise ServiceError("nothing_to_save", "No picture has been looked at yet.", status=409)
        upload = store_picture(
            owner=owner, data=seen.data, name=f"{UNNAMED}.jpg", image=seen.found.image
        )
        try:
            return record_session(
                owner=owner,
                upload=upload,
                options=self._options,
                detections=seen.found.detections,
                run=seen.run,
                timings_ms={"decode": round(seen.found.decode_ms, 2), **seen.run.timings_ms},
                name=name or f"{UNNAMED} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
                source=DetectionSession.Source.BROWSER,
                kind=DetectionSession.Kind.WEBCAM,
            )
        except BaseException:
            delete_upload(upload=upload)
            raise

    def _find(self, data: bytes) -> Found:
        files = [_File(data)]
        if needs_engine():
            answers = find_here(files, self._options)
        else:
            answers = find_by_workers(files, self._options, thumbnails=False)
        with closing(answers):
            answer = next(answers)
        if isinstance(answer, Refusal):
            error = answer.error
            raise ServiceError(error.code, error.message)
        return answer

    def _track(self, found: Found) -> list[int | None]:
        """Return the number of each object; None for one that was never seen before."""
        detections: Detections = found.detections[np.arange(len(found.detections))]
        detections.mask = None
        detections.data = {**detections.data, "row": np.arange(len(detections))}
        # The tracker compares boxes; it needs the size of the picture, not the picture.
        picture = np.broadcast_to(np.uint8(0), (found.sent.height, found.sent.width, 3))
        at = time.monotonic() - self._began
        frame = Frame(picture, self._index, at, datetime.now(UTC), "webcam")
        self._index += 1
        tracked = self._tracker.update(detections, frame)
        numbers: list[int | None] = [None] * len(detections)
        if tracked.tracker_id is not None:
            for row, number in zip(tracked.data["row"], tracked.tracker_id, strict=True):
                numbers[int(row)] = int(number)
        return numbers


def _judge(data: bytes) -> None:
    """Refuse what is no JPEG of a webcam before anything is decoded."""
    try:
        info = inspect_picture(data, LIMITS)
    except PictureError as error:
        raise ServiceError(error.code, error.message) from error
    if info.format != "JPEG":
        raise ServiceError("not_a_jpeg", "Only JPEG pictures are taken here.")


def _colors(found: Found) -> dict[str, str]:
    detections = found.detections
    ids = detections.class_id if detections.class_id is not None else ()
    names = detections.data.get("class_name", ())
    return {str(name): class_color(int(number)) for name, number in zip(names, ids, strict=False)}


def _objects(found: Found, numbers: list[int | None]) -> list[list[Any]]:
    detections = found.detections
    width, height = found.sent.width, found.sent.height
    boxes = np.asarray(detections.xyxy, np.float64).reshape(-1, 4)
    boxes = boxes / np.array([width, height, width, height])
    confidence = detections.confidence if detections.confidence is not None else np.ones(len(boxes))
    names = detections.data.get("class_name", [""] * len(boxes))
    return [
        [
            number,
            str(name),
            round(float(score), 2),
            *(round(float(value), 4) for value in (x1, y1, x2 - x1, y2 - y1)),
        ]
        for number, name, score, (x1, y1, x2, y2) in zip(
            numbers, names, confidence, boxes, strict=True
        )
    ]
