"""Asking the workers: one question per picture, any number of them open at a time."""

import contextlib
import time

from django.conf import settings

from common.inference.errors import InferenceUnavailable, no_worker_answered
from common.inference.messages import AnyQuery, Reply, Request, pack_request, unpack_reply
from common.inference.queue import BLOCK_SECONDS, get_queue, new_name
from vision.errors import VisionError


def ask_workers(data: bytes, query: AnyQuery, *, thumbnail: bool = False) -> "Question":
    """Send a picture file to the workers and return at once.

    Args:
        data: The file as it was uploaded, judged by its header already.
        query: What to look for: objects, or faces; or how to paint it.
        thumbnail: Whether a small JPEG of the picture is wanted, too.

    Raises:
        InferenceUnavailable: ``queue_unavailable`` or ``busy``.
    """
    return Question(pack_request(Request(data, query, thumbnail)))


class Question:
    """A picture that was sent to the workers. Give it up with `withdraw` if it is not awaited.

    Args:
        message: A packed request; sent at once.
    """

    def __init__(self, message: bytes) -> None:
        self._queue = get_queue(settings.REDIS_URL)
        self._name = new_name()
        self._message = message
        self._began = time.monotonic()
        self._patience = float(settings.SIGHTLINE_INFERENCE_WAIT_SECONDS)
        self._offer()

    def wait(self) -> tuple[Reply, float]:
        """Return the answer, and the milliseconds since the question was sent.

        A question whose worker was killed is sent once more; the answer is the same, whoever
        gives it.

        Raises:
            InferenceUnavailable: ``no_worker_answered`` or ``queue_unavailable``.
            VisionError: What the worker says is wrong with the picture or the model.
        """
        message = self._receive()
        took = (time.monotonic() - self._began) * 1000.0
        try:
            return unpack_reply(message), took
        except ValueError as error:
            raise VisionError("bad_answer", "The worker's answer could not be read.") from error

    def withdraw(self) -> None:
        """Give the question up: if no worker has taken it yet, none will."""
        with contextlib.suppress(InferenceUnavailable):
            self._queue.withdraw(self._name, len(self._message))

    def _receive(self) -> bytes:
        repeated = False
        while (left := self._left()) > 0:
            message = self._queue.receive(self._name, seconds=min(left, BLOCK_SECONDS))
            if message is not None:
                return message
            if not repeated and self._queue.has_lost(self._name):
                self._offer()
                repeated = True
        self.withdraw()
        raise no_worker_answered(self._patience)

    def _offer(self) -> None:
        self._queue.offer(
            self._name,
            self._message,
            seconds=max(0.001, self._left()),
            most=settings.SIGHTLINE_INFERENCE_QUEUE,
            most_bytes=settings.SIGHTLINE_INFERENCE_QUEUE_BYTES,
        )

    def _left(self) -> float:
        return self._began + self._patience - time.monotonic()
