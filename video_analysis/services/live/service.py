"""The camera runner of one process: takes its share of the cameras and looks at them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from django.db import Error, connection
from django.utils import timezone

from common.inference import get_engine
from common.jobs.identity import process_name
from video_analysis.services.live import leases
from video_analysis.services.live.changes import Change, ClosedEvents, StateRow
from video_analysis.services.live.crew import Crew
from video_analysis.services.live.leases import CameraLease, HeldLeases
from video_analysis.services.live.setups import read_setups
from video_analysis.services.live.sources import OpenSource, open_source
from video_analysis.services.live.subscribers import Subscriber
from video_analysis.services.live.writer import LiveWriter
from vision.engine import Engine

logger = logging.getLogger(__name__)

SYNC_SECONDS = 1.0
RENEW_SECONDS = 2.0
IDLE_SIGN_SECONDS = 10.0
AWAY_SECONDS = 300.0
"""So long cameras are looked at without a word from the database; then others may have them."""


class CameraService:
    """Looks at this process's share of the enabled cameras, from `start` to `stop`.

    While there are no cameras it asks the database once a second and does nothing else.

    Args:
        subscribers: Hear of every result.
        name: Of this runner; by default that of the process.
        always_signs: Whether it says that it is there also while there are no cameras.
        open_source: Opens cameras; replaced in tests.
        engine: Makes the engine when the first frame is there; replaced in tests.
    """

    def __init__(
        self,
        *,
        subscribers: Sequence[Subscriber] = (),
        name: str | None = None,
        always_signs: bool = False,
        open_source: OpenSource = open_source,
        engine: Callable[[], Engine] = get_engine,
    ) -> None:
        self.name = name or process_name()
        self._always_signs = always_signs
        self._leases = HeldLeases(self.name)
        self._crew = Crew(
            subscribers=subscribers,
            open_source=open_source,
            engine=engine,
            make_writer=self._make_writer,
        )
        self._started = timezone.now()
        self._over = threading.Event()
        self._clean = False
        self._runners = 1
        self._signed_at = self._renewed_at = self._heard_at = float("-inf")
        self._careful_until = float("-inf")
        self._patience = 8.0
        self._away = False
        self._thread = threading.Thread(target=self._run, name="live-cameras", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def request_stop(self) -> None:
        """Ask for the end without waiting for it: a head start for `stop`."""
        self._over.set()

    def stop(self, timeout: float = 8.0) -> bool:
        """End what goes on, write it, and give the cameras back.

        Returns:
            Whether everything ended and was written in time.
        """
        self._patience = timeout
        self._over.set()
        if self._thread.ident is None:  # it was never started
            return True
        self._thread.join(timeout + 2.0)
        return self._clean and not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    @property
    def cameras(self) -> list[int]:
        """The cameras that this runner looks at, by id."""
        return self._crew.cameras

    # ------------------------------------------------------------ the thread
    def _run(self) -> None:
        try:
            while not self._over.is_set():
                try:
                    self._sync()
                    self._note_back()
                except Error as error:
                    self._note_away(error)
                except Exception:
                    logger.exception("The cameras could not be looked after")
                self._over.wait(SYNC_SECONDS)
            self._clean = self._end()
        finally:
            connection.close()

    def _sync(self) -> None:
        """Take on what has changed."""
        cameras = leases.read_cameras()
        self._note_heard()
        self._sign(idle=not cameras)
        if not cameras and not self._crew.held:
            return
        self._drop_lost(cameras)
        self._renew()
        held = self._crew.held
        plan = leases.plan_leases(
            cameras,
            held,
            runner=self.name,
            runners=self._runners,
            careful=time.monotonic() < self._careful_until,
        )
        for camera in plan.give:
            self._crew.retire(camera, release=True)
        self._take(plan.claim)
        self._reconfigure(cameras)
        self._crew.adjust()

    def _note_heard(self) -> None:
        """Note that the database is there.

        After a silence the leases of all runners have run out, and the first of them to be back
        would take everybody's cameras: so each leaves them alone for the time of a lease.
        """
        now, lease = time.monotonic(), leases.lease_seconds()
        silent = self._heard_at > 0 and now - self._heard_at > lease / 2
        if self._away or silent:
            self._careful_until = now + lease
        self._heard_at = now

    def _sign(self, *, idle: bool) -> None:
        now = time.monotonic()
        if idle and not (self._always_signs or self._crew.held):
            self._runners = 1
            return
        if now - self._signed_at < (IDLE_SIGN_SECONDS if idle else RENEW_SECONDS):
            return
        leases.sign_runner(self.name, self._started)
        self._runners = len(leases.live_runners() | {self.name})
        self._signed_at = now

    def _drop_lost(self, cameras: Sequence[CameraLease]) -> None:
        mine = set(self._crew.cameras)
        for camera in cameras:
            if camera.id in mine and camera.runner != self.name:
                logger.warning("Camera %d is another runner's now", camera.id)
                self._crew.retire(camera.id, release=False)

    def _renew(self) -> None:
        now = time.monotonic()
        if now - self._renewed_at < RENEW_SECONDS:
            return
        for camera in self._leases.renew(self._crew.held):
            self._crew.retire(camera, release=False)
        self._renewed_at = now

    def _take(self, wanted: Sequence[CameraLease]) -> None:
        taken: dict[int, CameraLease] = {}
        for camera in wanted:
            began = time.monotonic()
            if leases.claim(camera, self.name):
                self._leases.note(camera.id, began)
                taken[camera.id] = camera
        if not taken:
            return
        setups = read_setups(taken)
        now = timezone.now()
        closings = [ClosedEvents(number, camera.seen or now) for number, camera in taken.items()]
        self._crew.write(closings)  # before anything new of these cameras
        for setup in setups.values():
            self._crew.begin(setup)

    def _reconfigure(self, cameras: Sequence[CameraLease]) -> None:
        known = self._crew.revisions
        changed = [
            camera.id
            for camera in cameras
            if known.get(camera.id, camera.revision) != camera.revision
        ]
        if changed:
            for setup in read_setups(changed).values():
                self._crew.reconfigure(setup)

    def _note_away(self, error: Error) -> None:
        if not self._away:
            self._away = True
            logger.warning("The database is away; cameras are looked at meanwhile: %s", error)
        connection.close()
        if time.monotonic() - self._heard_at > AWAY_SECONDS:
            for camera in self._crew.cameras:
                self._crew.retire(camera, release=False)

    def _note_back(self) -> None:
        if self._away:
            self._away = False
            logger.info("The database is back")

    def _end(self) -> bool:
        clean = self._crew.stop(self._patience)
        try:
            leases.remove_runner(self.name)
        except Error as error:
            logger.warning("The end of this camera runner was not noted: %s", error)
            return False
        return clean

    def _make_writer(
        self,
        read_states: Callable[[], Sequence[StateRow]],
        on_done: Callable[[Sequence[Change]], None],
    ) -> LiveWriter:
        return LiveWriter(
            runner=self.name,
            may_write=self._leases.was_held,
            read_states=read_states,
            on_done=on_done,
        )
