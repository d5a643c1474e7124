"""The cameras of one runner, and the threads that work for them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from video_analysis.services.live.analyst import CameraAnalyst
from video_analysis.services.live.changes import Change, Release, StateRow
from video_analysis.services.live.pictures import PicturePublisher
from video_analysis.services.live.scheduling import Scheduler
from video_analysis.services.live.setups import CameraSetup
from video_analysis.services.live.sources import OpenSource
from video_analysis.services.live.subscribers import Outlets, SceneFollower, Subscriber
from video_analysis.services.live.workers import WorkerPool
from video_analysis.services.live.writer import LiveWriter
from vision.engine import Engine

logger = logging.getLogger(__name__)

TURN_SECONDS = 30.0  # a turn may be loading a model
ReadStates = Callable[[], Sequence[StateRow]]
OnDone = Callable[[Sequence[Change]], None]


class Crew:
    """Begins, changes and ends the cameras of one runner; called by its one thread.

    Threads are made with the first camera. What takes time (disconnecting, the end of a turn)
    happens beside that thread, which has leases to renew.

    Args:
        subscribers: Hear of every result.
        open_source: Opens cameras.
        engine: Makes the engine.
        make_writer: Makes the writer from what it needs to know.
    """

    def __init__(
        self,
        *,
        subscribers: Sequence[Subscriber],
        open_source: OpenSource,
        engine: Callable[[], Engine],
        make_writer: Callable[[ReadStates, OnDone], LiveWriter],
    ) -> None:
        self._open_source = open_source
        self._scheduler: Scheduler[CameraAnalyst] = Scheduler()
        self._pool = WorkerPool(self._scheduler, engine)
        self._pictures = PicturePublisher()
        self._writer = make_writer(self._read_states, self._note_done)
        self._outlets = Outlets(self._writer.add, self._pictures, tuple(subscribers))
        self._lock = threading.Lock()
        self._analysts: dict[int, CameraAnalyst] = {}
        self._leaving: dict[int, threading.Thread] = {}
        self._released = threading.Condition(self._lock)
        self._running = False

    @property
    def cameras(self) -> list[int]:
        """Cameras that are looked at."""
        with self._lock:
            return sorted(self._analysts)

    @property
    def held(self) -> set[int]:
        """The same, and those that are still being ended."""
        with self._lock:
            return {*self._analysts, *self._leaving}

    @property
    def revisions(self) -> dict[int, int]:
        """The revision of each camera that is looked at."""
        with self._lock:
            return {number: one.setup.revision for number, one in self._analysts.items()}

    def write(self, changes: Iterable[Change]) -> None:
        """Have changes written."""
        self._writer.add(changes)

    def begin(self, setup: CameraSetup) -> None:
        """Look at a camera."""
        self._ensure_running()
        analyst = CameraAnalyst(
            setup,
            open_source=self._open_source,
            on_frame=partial(self._scheduler.note_frame, setup.id),
            outlets=self._outlets,
        )
        self._scheduler.add(analyst)
        self._pictures.add(setup.id)
        with self._lock:
            self._analysts[setup.id] = analyst
        analyst.start()

    def reconfigure(self, setup: CameraSetup) -> None:
        """Take another configuration of a camera on."""
        with self._lock:
            analyst = self._analysts.get(setup.id)
        if analyst is not None:
            analyst.reconfigure(setup)

    def retire(self, camera_id: int, *, release: bool) -> None:
        """Stop looking at a camera.

        Args:
            camera_id: One that is being ended already is left alone.
            release: Whether it is still ours, and is given back when all of it is written.
        """
        with self._lock:
            analyst = self._analysts.pop(camera_id, None)
            if analyst is None:
                return
            thread = threading.Thread(
                target=self._leave,
                args=(analyst, release),
                name=f"leave-{camera_id}",
                daemon=True,
            )
            self._leaving[camera_id] = thread
        analyst.stopped = True
        self._pictures.remove(camera_id)
        thread.start()

    def adjust(self) -> None:
        """Have as many threads as the cameras need, and end scenes that nobody sees any more."""
        if not self._running:
            return
        with self._lock:
            analysts = list(self._analysts.values())
        self._pool.ensure(len(analysts))
        for analyst in analysts:
            if analyst.is_stale():
                self._scheduler.note_frame(analyst.id)  # a turn without a frame ends it

    def stop(self, timeout: float) -> bool:
        """End all cameras, write what is left, and end the threads; return whether all ended."""
        until = time.monotonic() + timeout
        for camera in self.cameras:
            self.retire(camera, release=True)
        if not self._running:
            return True
        with self._released:
            clean = self._released.wait_for(lambda: not self._leaving, timeout * 0.7)
        left = max(0.5, until - time.monotonic())
        clean = self._pool.stop(left / 2) and clean
        for subscriber in self._outlets.subscribers:
            if isinstance(subscriber, SceneFollower):
                clean = subscriber.on_stop(max(0.5, until - time.monotonic())) and clean
        clean = self._pictures.stop(1.0) and clean
        return self._writer.stop(max(0.5, until - time.monotonic())) and clean

    def _ensure_running(self) -> None:
        if not self._running:
            self._running = True
            self._writer.start()
            self._pictures.start()

    def _leave(self, analyst: CameraAnalyst, release: bool) -> None:
        idle = False
        try:
            analyst.close_source()
            idle = self._scheduler.remove(analyst, TURN_SECONDS)
            if idle:
                self._writer.add(analyst.end())
        except Exception:
            logger.exception("Camera %d did not end properly", analyst.id)
        if not idle:
            logger.error("A turn of camera %d does not end", analyst.id)
        if release:
            self._writer.add([Release(analyst.id)])
        else:
            self._forget(analyst.id)

    def _note_done(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if isinstance(change, Release):
                self._forget(change.camera_id)

    def _forget(self, camera_id: int) -> None:
        with self._released:
            self._leaving.pop(camera_id, None)
            self._released.notify_all()

    def _read_states(self) -> list[StateRow]:
        with self._lock:
            analysts = list(self._analysts.values())
        rows = []
        for analyst in analysts:
            try:
                rows.append(analyst.state())
            except Exception:
                logger.exception("Nobody knows how camera %d goes", analyst.id)
        return rows
