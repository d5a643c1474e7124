"""The threads that look at frames: few of them, each with whatever camera is next."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable

from video_analysis.services.live.analyst import CameraAnalyst, Work
from video_analysis.services.live.looking import look_together
from video_analysis.services.live.scheduling import Scheduler
from vision.engine import Engine
from vision.errors import VisionError
from vision.pipeline.pipeline import Looked

logger = logging.getLogger(__name__)

SWITCH_SECONDS = 0.001
"""As in `common.inference.server`: who comes back from the engine gets the interpreter soon."""
MOST_TOGETHER = 16
ENGINE_PAUSE_SECONDS = 5.0  # after the engine could not be made
THREADS_TOGETHER = 2  # one prepares what the other's call will be followed by


class WorkerPool:
    """Threads that take cameras' frames through the engine.

    On a processor a thread takes one frame at a time, and so many threads as keep the engine busy
    go side by side. A GPU takes the frames of all cameras that have one in one call.

    Args:
        scheduler: Says whose turn it is.
        get_engine: Makes the engine at the first frame.
    """

    def __init__(
        self, scheduler: Scheduler[CameraAnalyst], get_engine: Callable[[], Engine]
    ) -> None:
        self._scheduler = scheduler
        self._get_engine = get_engine
        self._threads: list[threading.Thread] = []
        self._engine_error: VisionError | None = None
        self._engine_again_at = 0.0
        self._capacity = 0  # not known before the first answer
        self._together = 0

    def ensure(self, cameras: int) -> None:
        """Have as many threads as so many cameras need; called by one thread."""
        if not self._threads and cameras:
            sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        allowed = THREADS_TOGETHER if self._together > 1 else self._capacity + 1
        while len(self._threads) < min(allowed, cameras):
            number = len(self._threads)
            thread = threading.Thread(target=self._run, name=f"live-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout: float) -> bool:
        """Take no more frames; return whether every thread ended in time."""
        self._scheduler.stop()
        until = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while analysts := self._scheduler.take(self._together or 1):
            try:
                self._turn(analysts)
            except Exception:
                logger.exception("Frames could not be looked at")
            finally:
                self._scheduler.give_back(analysts)

    def _turn(self, analysts: list[CameraAnalyst]) -> None:
        engine = self._engine()
        if isinstance(engine, VisionError):  # the settings ask for one that cannot be had
            for analyst in analysts:
                analyst.skip(engine)
            return
        works = [
            (analyst, work) for analyst in analysts if (work := _begin(analyst, engine)) is not None
        ]
        if not works:
            return
        config = works[0][0].setup.config
        answers = look_together(engine, [work.ask for _, work in works], config)
        seen = time.monotonic()
        for (analyst, work), answer in zip(works, answers, strict=True):
            _finish(analyst, work, answer, seen)
        if not self._together and any(isinstance(one, Looked) and one.found for one in answers):
            # Now that a model has answered, it is known where it runs.
            on_gpu = any(info.device != "cpu" for info in engine.loaded())
            self._together = min(MOST_TOGETHER, engine.capacity) if on_gpu else 1
            self._capacity = engine.capacity

    def _engine(self) -> Engine | VisionError:
        """Return the engine, or why there is none; it is not tried with every frame."""
        if self._engine_error is not None and time.monotonic() < self._engine_again_at:
            return self._engine_error
        try:
            engine = self._get_engine()
        except VisionError as error:
            self._engine_again_at = time.monotonic() + ENGINE_PAUSE_SECONDS
            self._engine_error = error
            return error
        self._engine_error = None
        return engine


def _finish(analyst: CameraAnalyst, work: Work, answer: Looked | Exception, seen: float) -> None:
    try:
        if isinstance(answer, Exception):
            raise answer
        analyst.finish(work, answer, seen)
    except VisionError as error:
        analyst.fail(error)
    except Exception:
        analyst.stumble()


def _begin(analyst: CameraAnalyst, engine: Engine) -> Work | None:
    try:
        return analyst.begin(engine)
    except VisionError as error:
        analyst.fail(error)
    except Exception:
        analyst.stumble()
    return None
