"""Painting in a fast style: with this process's engine or by the workers, in one function."""

import time
from dataclasses import dataclass

from common.inference.local import paint
from common.inference.messages import Painted, StyleQuery
from common.inference.remote import ask_workers
from common.inference.where import needs_engine
from common.uploads.errors import UploadRejected
from common.uploads.services import decoded_picture, picture_limits
from vision.errors import PictureError, VisionError
from vision.sources.pictures import inspect_picture
from vision.structures import Priority
from vision.weights.style_cards import get_style_card


@dataclass(frozen=True)
class FastPicture:
    """A picture in a fast style.

    Attributes:
        jpeg: The file.
        width: Its pixels.
        height: Its pixels.
        model: Name of the card of what painted it.
        worked_ms: Milliseconds from the file to the answer, decoding and the way to a worker
            included.
    """

    jpeg: bytes
    width: int
    height: int
    model: str
    worked_ms: float


def paint_fast(data: bytes, query: StyleQuery, *, here: bool | None = None) -> FastPicture:
    """Paint a picture file in a fast style.

    Both ways judge the file by its header before anything is decoded, and give the same.

    Args:
        data: The file as it came.
        query: Which style, and how.
        here: Whether this process's engine paints; by default as the installation is set up.
            Jobs, which run where an engine is, say True; others' pictures go before theirs.

    Raises:
        ModelError: ``unknown_model``, ``bad_model_file`` or ``out_of_memory``.
        UploadRejected: The file is no picture, damaged, too small, or larger than is accepted.
        InferenceUnavailable: No worker can answer just now.
        WeightsError: The network cannot be had.
        VisionError: The engine cannot answer.
    """
    began = time.perf_counter()
    get_style_card(query.network)
    try:
        inspect_picture(data, picture_limits())
        if needs_engine() if here is None else here:
            with decoded_picture(data) as picture:
                priority = Priority.BATCH if here else Priority.INTERACTIVE
                made = paint(picture, query, priority=priority)
        else:
            made = _ask(data, query)
    except PictureError as error:
        raise UploadRejected(error.code, error.message) from error
    worked_ms = (time.perf_counter() - began) * 1000.0
    return FastPicture(made.jpeg, made.width, made.height, made.model, worked_ms)


def _ask(data: bytes, query: StyleQuery) -> Painted:
    reply, _ = ask_workers(data, query).wait()
    if reply.painted is None:
        raise VisionError("bad_answer", "The worker's answer could not be read.")
    return reply.painted
