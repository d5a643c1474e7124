"""Detection in the request: uploaded files in, one answer per file out."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings

from common.models import Upload
from common.uploads.errors import UploadRejected
from common.uploads.memory import budget
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
from vision.sources.pictures import decode_picture, inspect_picture

if TYPE_CHECKING:
    from vision import Detections

# So many decoded pictures of one request are held at once: enough for the engine to batch, little
# memory. A picture of more pixels than this goes alone.
CHUNK = 8
CHUNK_PIXELS = 32_000_000


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
class _Read:
    name: str
    data: bytes
    pixels: int
    read_ms: float


@dataclass(frozen=True)
class _Decoded:
    name: str
    data: bytes
    image: Picture
    decode_ms: float


def answer_files(
    files: Sequence[IncomingFile], *, options: DetectionOptions, owner: Any = None
) -> Generator[Answer | Refusal, None, None]:
    """Find objects in files, in their order; a file that is refused stops none of the others.

    Args:
        files: The files; each is read once.
        options: What to look for.
        owner: Whose sessions the results become; None keeps nothing.

    Raises:
        VisionError: The engine cannot answer.
    """
    for chunk in _chunks(files):
        with budget.hold(sum(_pixels(item) for item in chunk)):
            yield from _answer_chunk(chunk, options, owner)


def _chunks(files: Sequence[IncomingFile]) -> Iterator[list[_Read | Refusal]]:
    """Read the files, as many at a time as may be decoded together."""
    chunk: list[_Read | Refusal] = []
    pixels = 0
    for file in files:
        item = _read(file)
        pixels += _pixels(item)
        if chunk and (len(chunk) == CHUNK or pixels > CHUNK_PIXELS):
            yield chunk
            chunk, pixels = [], _pixels(item)
        chunk.append(item)
    yield chunk


def _pixels(item: _Read | Refusal) -> int:
    return item.pixels if isinstance(item, _Read) else 0


def _answer_chunk(
    chunk: list[_Read | Refusal], options: DetectionOptions, owner: Any
) -> Iterator[Answer | Refusal]:
    items = [_decode(item) if isinstance(item, _Read) else item for item in chunk]
    pictures = [item.image for item in items if isinstance(item, _Decoded)]
    found = iter(detect_pictures(pictures, options=options))
    for item in items:
        if isinstance(item, Refusal):
            yield item
        else:
            yield _answer(item, next(found), options, owner)


def _read(file: IncomingFile) -> _Read | Refusal:
    name = file.name or ""
    began = time.perf_counter()
    try:
        if (file.size or 0) > settings.SIGHTLINE_MAX_UPLOAD_BYTES:
            raise UploadRejected("file_too_large", "The file is larger than is accepted.")
        data = file.read()
        info = inspect_picture(data, picture_limits())
    except PictureError as error:
        return Refusal(name, UploadRejected(error.code, error.message))
    except UploadRejected as error:
        return Refusal(name, error)
    return _Read(name, data, info.width * info.height, _milliseconds_since(began))


def _decode(item: _Read) -> _Decoded | Refusal:
    began = time.perf_counter()
    try:
        image = decode_picture(item.data, picture_limits())
    except PictureError as error:
        return Refusal(item.name, UploadRejected(error.code, error.message))
    return _Decoded(item.name, item.data, image, item.read_ms + _milliseconds_since(began))


def _milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000.0


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
