"""Files in, found objects out: by this process's engine, or by the workers.

Both ways judge a file by its header here, before anything is decoded, and give the same. With
workers the picture is decoded there; this process decodes it only if it is to be drawn.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from common.inference import Question, ask_workers
from common.uploads.errors import UploadRejected
from common.uploads.memory import budget
from common.uploads.services import decoded_picture, picture_limits
from detector.services.detection import Picture, detect_pictures, make_query, tidy
from detector.services.options import DetectionOptions
from vision.errors import PictureError, VisionError
from vision.sources.pictures import decode_picture, inspect_picture

if TYPE_CHECKING:
    from vision import Detections

# So many pictures of one request are decoded, or with the workers, at once: enough for an engine
# to batch, little memory. A picture of more pixels than this goes alone.
CHUNK = 8
CHUNK_PIXELS = 32_000_000


class IncomingFile(Protocol):
    """What is needed of a file in a request."""

    name: str | None
    size: int | None

    def read(self) -> bytes: ...


@dataclass(frozen=True)
class Sent:
    """A file that is a picture, as far as its header tells.

    Attributes:
        name: File name as sent.
        read_ms: Milliseconds that reading and judging it took.
    """

    name: str
    data: bytes
    width: int
    height: int
    read_ms: float

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


@dataclass(frozen=True)
class Found:
    """What was found in one picture.

    Attributes:
        detections: Strongest first; ``metadata`` tells who answered and how long each step took.
        decode_ms: Milliseconds from reading the file to its pixels.
        queue_ms: Milliseconds on the way to a worker and back.
        image: The decoded picture, where this process has decoded it.
        thumbnail: A small JPEG, where a worker was asked for one.
    """

    sent: Sent
    detections: Detections
    decode_ms: float
    queue_ms: float = 0.0
    image: Picture | None = None
    thumbnail: bytes | None = None

    @contextmanager
    def open(self) -> Iterator[Picture]:
        """The decoded picture, HxWx3 uint8 BGR, for as long as the block lasts."""
        if self.image is not None:
            yield self.image
            return
        with decoded_picture(self.sent.data) as image:
            yield image


@dataclass(frozen=True)
class Refusal:
    """Why one picture has no answer."""

    name: str
    error: UploadRejected | VisionError


def find_here(
    files: Sequence[IncomingFile], options: DetectionOptions
) -> Generator[Found | Refusal, None, None]:
    """Find objects with this process's engine, some pictures at a time, in their order.

    Raises:
        VisionError: The engine cannot answer.
    """
    for chunk in _chunks(files):
        with budget.hold(sum(item.pixels for item in chunk if isinstance(item, Sent))):
            yield from _find_chunk(chunk, options)


def find_by_workers(
    files: Sequence[IncomingFile], options: DetectionOptions, *, thumbnails: bool
) -> Generator[Found | Refusal, None, None]:
    """Find objects by asking the workers, some questions at a time, in the files' order.

    Args:
        files: The files; each is read once.
        options: What to look for.
        thumbnails: Whether the pictures will be kept.

    Raises:
        InferenceUnavailable: No worker can answer just now.
        VisionError: The worker's engine cannot answer.
    """
    query = make_query(options)
    open_questions: deque[tuple[Sent | Refusal, Question | None]] = deque()
    try:
        for file in files:
            item = _read(file)
            question = None
            if isinstance(item, Sent):
                question = ask_workers(item.data, query, thumbnail=thumbnails)
            open_questions.append((item, question))
            if len(open_questions) == CHUNK:
                yield _await(*open_questions.popleft(), options)
        while open_questions:
            yield _await(*open_questions.popleft(), options)
    finally:
        for _, question in open_questions:
            if question is not None:
                question.withdraw()


def _chunks(files: Sequence[IncomingFile]) -> Iterator[list[Sent | Refusal]]:
    """Read the files, as many at a time as may be decoded together."""
    chunk: list[Sent | Refusal] = []
    pixels = 0
    for file in files:
        item = _read(file)
        more = item.pixels if isinstance(item, Sent) else 0
        pixels += more
        if chunk and (len(chunk) == CHUNK or pixels > CHUNK_PIXELS):
            yield chunk
            chunk, pixels = [], more
        chunk.append(item)
    yield chunk


def _find_chunk(
    chunk: list[Sent | Refusal], options: DetectionOptions
) -> Iterator[Found | Refusal]:
    items = [_decode(item) if isinstance(item, Sent) else item for item in chunk]
    pictures = [item[1] for item in items if not isinstance(item, Refusal)]
    found = iter(detect_pictures(pictures, options=options))
    for item in items:
        if isinstance(item, Refusal):
            yield item
        else:
            sent, image, decode_ms = item
            yield Found(sent, next(found), decode_ms, image=image)


def _read(file: IncomingFile) -> Sent | Refusal:
    name = file.name or ""
    began = time.perf_counter()
    try:
        if (file.size or 0) > settings.SIGHTLINE_MAX_UPLOAD_BYTES:
            raise UploadRejected("file_too_large", "The file is larger than is accepted.")
        data = file.read()
        info = inspect_picture(data, picture_limits())
    except PictureError as error:
        return _refuse(name, error)
    except UploadRejected as error:
        return Refusal(name, error)
    return Sent(name, data, info.width, info.height, _milliseconds_since(began))


def _decode(item: Sent) -> tuple[Sent, Picture, float] | Refusal:
    began = time.perf_counter()
    try:
        image = decode_picture(item.data, picture_limits())
    except PictureError as error:
        return _refuse(item.name, error)
    return item, image, item.read_ms + _milliseconds_since(began)


def _await(
    item: Sent | Refusal, question: Question | None, options: DetectionOptions
) -> Found | Refusal:
    if isinstance(item, Refusal) or question is None:
        assert isinstance(item, Refusal)
        return item
    try:
        reply, took_ms = question.wait()
    except PictureError as error:  # sound by its header, damaged further on
        return _refuse(item.name, error)
    return Found(
        item,
        tidy(reply.detections, options),
        item.read_ms + reply.decode_ms,
        queue_ms=max(0.0, took_ms - reply.worked_ms),
        thumbnail=reply.thumbnail,
    )


def _refuse(name: str, error: PictureError) -> Refusal:
    return Refusal(name, UploadRejected(error.code, error.message))


def _milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000.0
