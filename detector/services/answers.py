"""Detection in the request: uploaded files in, one answer per file out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings

from common.models import Upload
from common.uploads.errors import UploadRejected
from common.uploads.services import delete_upload, picture_limits, store_picture
from detector.services.detection import (
    Picture,
    RunInfo,
    describe_run,
    detect_pictures,
    record_session,
)
from detector.services.options import DetectionOptions
from vision.errors import PictureError
from vision.sources.pictures import decode_picture

if TYPE_CHECKING:
    from vision import Detections

# So many decoded pictures are held at once: enough for the engine to batch, little memory.
CHUNK = 8


class IncomingFile(Protocol):
    """What is needed of a file in a request."""

    name: str | None
    size: int | None

    def read(self) -> bytes: ...


@dataclass(frozen=True)
class Answer:
    """What was found in one picture.

    Attributes:
        name: File name as sent.
        image: The decoded picture, HxWx3 uint8 BGR.
        timings_ms: Milliseconds: decode, preprocess, queue, inference, postprocess, total.
        session: Id of the stored session, or None when nothing was kept.
    """

    name: str
    image: Picture
    detections: Detections
    run: RunInfo
    timings_ms: dict[str, float]
    session: str | None


@dataclass(frozen=True)
class Refusal:
    """Why one picture has no answer."""

    name: str
    error: UploadRejected


@dataclass(frozen=True)
class _Decoded:
    name: str
    data: bytes
    image: Picture
    decode_ms: float


def answer_files(
    files: Sequence[IncomingFile], *, options: DetectionOptions, owner: Any = None
) -> Iterator[Answer | Refusal]:
    """Find objects in files, in their order; a file that is refused stops none of the others.

    Args:
        files: The files; each is read once.
        options: What to look for.
        owner: Whose sessions the results become; None keeps nothing.

    Raises:
        VisionError: The engine cannot answer.
    """
    for start in range(0, len(files), CHUNK):
        read = [_decode(file) for file in files[start : start + CHUNK]]
        pictures = [item for item in read if isinstance(item, _Decoded)]
        found = iter(detect_pictures([item.image for item in pictures], options=options))
        for item in read:
            if isinstance(item, Refusal):
                yield item
            else:
                yield _answer(item, next(found), options, owner)


def _decode(file: IncomingFile) -> _Decoded | Refusal:
    name = file.name or ""
    began = time.perf_counter()
    try:
        if (file.size or 0) > settings.SIGHTLINE_MAX_UPLOAD_BYTES:
            raise UploadRejected("file_too_large", "The file is larger than is accepted.")
        data = file.read()
        image = decode_picture(data, picture_limits())
    except PictureError as error:
        return Refusal(name, UploadRejected(error.code, error.message))
    except UploadRejected as error:
        return Refusal(name, error)
    return _Decoded(name, data, image, (time.perf_counter() - began) * 1000.0)


def _answer(
    item: _Decoded, detections: Detections, options: DetectionOptions, owner: Any
) -> Answer | Refusal:
    run = describe_run(detections, requested=options.model)
    timings = {"decode": round(item.decode_ms, 2), **run.timings_ms}
    timings["total"] = round(timings.get("total", 0.0) + item.decode_ms, 2)
    session = None
    if owner is not None:
        try:
            session = _keep(item, detections, run, options, owner, timings)
        except UploadRejected as error:
            return Refusal(item.name, error)
    return Answer(item.name, item.image, detections, run, timings, session)


def _keep(
    item: _Decoded,
    detections: Detections,
    run: RunInfo,
    options: DetectionOptions,
    owner: Any,
    timings: dict[str, float],
) -> str:
    upload: Upload = store_picture(owner=owner, data=item.data, name=item.name, image=item.image)
    try:
        session = record_session(
            owner=owner,
            upload=upload,
            options=options,
            detections=detections,
            run=run,
            timings_ms=timings,
        )
    except BaseException:
        delete_upload(upload=upload)
        raise
    return str(session.pk)
