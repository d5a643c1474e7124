"""Detection in the request: uploaded files in, one answer per file out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.inference import InferenceUnavailable, needs_engine
from common.models import Upload
from common.uploads.errors import UploadRejected
from common.uploads.services import delete_upload, store_picture
from detector.services.detection import Picture, RunInfo, describe_run, record_session
from detector.services.finding import Found, IncomingFile, Refusal, find_by_workers, find_here
from detector.services.options import DetectionOptions
from vision.errors import VisionError

if TYPE_CHECKING:
    from vision import Detections

__all__ = ["Answer", "IncomingFile", "Refusal", "answer_files"]

ENGINE_ERRORS = (VisionError, InferenceUnavailable)


@dataclass(frozen=True)
class Answer:
    """What was found in one picture.

    Attributes:
        found: The picture and its objects.
        timings_ms: Milliseconds: decode, preprocess, queue, inference, postprocess, total.
        session: Id of the stored session, or None when nothing was kept.
    """

    found: Found
    run: RunInfo
    timings_ms: dict[str, float]
    session: str | None

    @property
    def name(self) -> str:
        """File name as sent."""
        return self.found.sent.name

    @property
    def width(self) -> int:
        """Pixels."""
        return self.found.sent.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self.found.sent.height

    @property
    def detections(self) -> Detections:
        """The objects, strongest first."""
        return self.found.detections

    def open_picture(self) -> AbstractContextManager[Picture]:
        """The decoded picture, HxWx3 uint8 BGR, for as long as the block lasts."""
        return self.found.open()


def answer_files(
    files: Sequence[IncomingFile],
    *,
    options: DetectionOptions,
    owner: Any = None,
    here: bool | None = None,
) -> Generator[Answer | Refusal, None, None]:
    """Find objects in files, in their order; a file that is refused stops none of the others.

    When the engine or the workers fail after something has been answered, and perhaps kept, what
    is left is refused with that error.

    Args:
        files: The files; each is read once.
        options: What to look for.
        owner: Whose sessions the results become; None keeps nothing.
        here: Whether this process's engine answers; by default as the installation is set up.

    Raises:
        VisionError: The engine cannot answer, and nothing has been answered yet.
        InferenceUnavailable: The same, of the workers.
    """
    if here is None:
        here = needs_engine()
    if here:
        found = find_here(files, options)
    else:
        found = find_by_workers(files, options, thumbnails=owner is not None)
    done, answered = 0, False
    with closing(found):  # what it holds of the memory is given back whatever happens
        try:
            for item in found:
                answer = item if isinstance(item, Refusal) else _answer(item, options, owner)
                done, answered = done + 1, answered or isinstance(answer, Answer)
                yield answer
        except ENGINE_ERRORS as error:
            if not answered:
                raise
            failure = error
        else:
            return
    for file in files[done:]:
        yield Refusal(file.name or "", failure)


def _answer(found: Found, options: DetectionOptions, owner: Any) -> Answer | Refusal:
    run = describe_run(found.detections, requested=options.model)
    timings = _timings(found, run)
    session = None
    if owner is not None:
        try:
            session = _keep(found, run, options, owner, timings)
        except UploadRejected as error:
            return Refusal(found.sent.name, error)
    return Answer(found, run, timings, session)


def _timings(found: Found, run: RunInfo) -> dict[str, float]:
    timings = {"decode": round(found.decode_ms, 2), **run.timings_ms}
    if found.queue_ms:
        timings["queue"] = round(timings.get("queue", 0.0) + found.queue_ms, 2)
    total = run.timings_ms.get("total", 0.0) + found.decode_ms + found.queue_ms
    timings["total"] = round(total, 2)
    return timings


def _keep(
    found: Found, run: RunInfo, options: DetectionOptions, owner: Any, timings: dict[str, float]
) -> str:
    upload: Upload = store_picture(
        owner=owner,
        data=found.sent.data,
        name=found.sent.name,
        image=found.image,
        thumbnail=found.thumbnail,
    )
    try:
        session = record_session(
            owner=owner,
            upload=upload,
            options=options,
            detections=found.detections,
            run=run,
            timings_ms=timings,
        )
    except BaseException:
        delete_upload(upload=upload)
        raise
    return str(session.pk)
