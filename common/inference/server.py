"""The worker's side: threads that take pictures, look at them and answer.

They are threads of their own beside those of the jobs: an interactive picture never waits for a
job to end, only for the network to fall free, and the engine's queue lets it go first there. A
thread takes a picture when it is free to decode it, so pictures that wait stay in Redis, where the
next free worker finds them. What several threads bring at once the engine computes together.
"""

import contextlib
import logging
import sys
import threading
import time

import supervision as sv
from django.conf import settings

from common.inference.engine import get_engine, is_warm, start_warm_up
from common.inference.errors import InferenceUnavailable, queue_unavailable
from common.inference.local import find_objects, look_for_faces, paint
from common.inference.messages import (
    FaceQuery,
    Painted,
    Reply,
    Request,
    StyleQuery,
    pack_error,
    pack_reply,
    unpack_request,
)
from common.inference.queue import InferenceQueue, Taken, get_queue
from common.inference.workers import SIGN_SECONDS, WorkerSign, describe_models, give_sign
from common.jobs.identity import process_name
from common.uploads.services import decoded_picture
from vision.errors import VisionError
from vision.sources.pictures import make_thumbnail
from vision.structures import Priority

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
WARM_SECONDS = 0.05
SWITCH_SECONDS = 0.001
"""A job's thread that computes in Python gives the interpreter to a waiting one after so long. By
default it is five times that, each time that a thread which answers comes back from Redis, from
the decoder or from the engine."""


class InferenceServer:
    """Answers pictures from the queue with this process's engine.

    Args:
        queue: Where pictures come from.
        threads: Pictures that are worked on at once.
    """

    def __init__(self, queue: InferenceQueue, *, threads: int) -> None:
        self.answered = 0
        self._queue = queue
        self._name = process_name()
        self._over = threading.Event()
        self._gone = threading.Event()
        self._away = threading.Event()
        self._threads = [
            threading.Thread(target=self._serve, name=f"inference-{number}", daemon=True)
            for number in range(threads)
        ]
        self._signs = threading.Thread(target=self._give_signs, name="inference-sign", daemon=True)

    def start(self) -> None:
        """Begin to take pictures."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self._signs.start()
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Take no more pictures, and answer those that have been taken.

        Returns:
            Whether every thread ended in time.
        """
        self._over.set()
        until = time.monotonic() + timeout
        with contextlib.suppress(InferenceUnavailable):
            self._queue.wake(self._name, len(self._threads))
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._gone.set()  # not before the last answer: a worker without a sign counts as dead
        self._signs.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in (self._signs, *self._threads))

    def _serve(self) -> None:
        # Whoever is not ready leaves pictures to those who are.
        while not is_warm() and not self._over.wait(WARM_SECONDS):
            pass
        while not self._over.is_set():
            try:
                taken = self._queue.take(self._name)
                if taken is not None:
                    self._answer(taken)
                self._away.clear()
            except InferenceUnavailable as error:
                self._wait_for_redis(error)
            except Exception:
                logger.exception("A picture from the queue was not answered")

    def _answer(self, taken: Taken) -> None:
        message = answer_request(taken.message)
        self._queue.answer(
            taken.name, message, seconds=float(settings.SIGHTLINE_INFERENCE_WAIT_SECONDS)
        )
        self.answered += 1

    def _wait_for_redis(self, error: InferenceUnavailable) -> None:
        if not self._away.is_set():  # said once, not by every thread
            self._away.set()
            logger.warning("Redis is away, no pictures are taken: %s", error.__cause__)
        self._over.wait(RETRY_SECONDS)

    def _give_signs(self) -> None:
        while True:
            try:
                give_sign(self._queue, self._sign())
            except InferenceUnavailable:
                pass  # the other threads say so
            except Exception:
                logger.exception("The worker's sign could not be given")
            if self._gone.wait(SIGN_SECONDS):
                break
        try:
            self._queue.take_leave(self._name)
        except InferenceUnavailable:
            logger.info("Redis is away; this worker's sign runs out by itself")

    def _sign(self) -> WorkerSign:
        return WorkerSign(
            name=self._name,
            threads=len(self._threads),
            answered=self.answered,
            models=describe_models(get_engine()),
        )


def answer_request(message: bytes) -> bytes:
    """Return the answer to a packed request; whatever goes wrong becomes an answer, too."""
    began = time.perf_counter()
    try:
        return pack_reply(_look(unpack_request(message), began))
    except VisionError as error:
        return pack_error(error)
    except ValueError as error:
        logger.warning("A request could not be read: %s", error)
        return pack_error(VisionError("bad_request", "The worker could not read the request."))
    except Exception:
        logger.exception("A picture could not be looked at")
        return pack_error(VisionError("inference_failed", "The worker failed at this picture."))


def _look(request: Request, began: float) -> Reply:
    # The limits are judged again: what stands in Redis need not have come from our own pages.
    with decoded_picture(request.data) as picture:
        decode_ms = _milliseconds_since(began)
        query = request.query
        detections = sv.Detections.empty()
        crops: tuple[bytes, ...] = ()
        painted: Painted | None = None
        if isinstance(query, FaceQuery):
            detections, crops = look_for_faces(picture, query, priority=Priority.INTERACTIVE)
        elif isinstance(query, StyleQuery):
            painted = paint(picture, query, priority=Priority.INTERACTIVE)
        else:
            (detections,) = find_objects([picture], query, priority=Priority.INTERACTIVE)
        thumbnail = make_thumbnail(picture) if request.thumbnail else None
    return Reply(detections, decode_ms, _milliseconds_since(began), thumbnail, crops, painted)


def _milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000.0


_server: InferenceServer | None = None
_lock = threading.Lock()


def start_server(threads: int | None = None) -> InferenceServer:
    """Answer pictures from the queue in this process, until `stop_server`.

    Returns at once; pictures are taken as soon as the default model is loaded, or could not be.

    Args:
        threads: Pictures that are worked on at once; by default what keeps the engine busy.

    Raises:
        InferenceUnavailable: ``queue_unavailable``: no ``REDIS_URL`` is set. (While a server is
            away, the threads wait for it.)
    """
    global _server
    with _lock:
        if _server is None:
            if not settings.REDIS_URL:
                raise queue_unavailable()
            count = threads or settings.SIGHTLINE_INFERENCE_THREADS or get_engine().capacity + 2
            _server = InferenceServer(get_queue(settings.REDIS_URL), threads=count)
            _server.start()
            start_warm_up()
        return _server


def stop_server(timeout: float = 10.0) -> bool:
    """Take no more pictures and answer those that were taken; call before `close_engine`.

    Returns:
        Whether every thread ended in time; True when there is no server.
    """
    global _server
    with _lock:
        server, _server = _server, None
    return server is None or server.stop(timeout)
