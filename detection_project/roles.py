"""The roles as processes: what they need before they start, and how they end."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error, connection

from common.inference import close_engine, start_server, start_warm_up, stop_server
from detection_project.celery import app
from detection_project.embedded import SUBSCRIBERS, EmbeddedWorker, Sweeper
from detection_project.hearing import start_anew
from detection_project.setup import is_migrated
from detection_project.tuning import keep_freed_memory
from video_analysis.services.live import CameraService
from vision.errors import VisionError

MIGRATION_SECONDS = 120.0
STOP_SECONDS = 6.0
BROKER_SECONDS = 5.0
POLL_SECONDS = 1.0
INFERENCE_QUEUE = "inference"

Say = Callable[[str], None]


def require_redis(role: str) -> None:
    """Refuse to start one role of many without the server that connects them.

    Raises:
        CommandError: There is no REDIS_URL.
    """
    if not settings.REDIS_URL:
        raise CommandError(
            f"`{role}` is one of several processes, and they meet in Redis: set REDIS_URL, e.g. "
            "redis://localhost:6379/0. `manage.py serve` is all of them in one process."
        )


def wait_for_database(say: Say, *, seconds: float = MIGRATION_SECONDS) -> None:
    """Wait until a web process, or `manage.py setup`, has prepared the database.

    Raises:
        CommandError: It was not ready in time.
    """
    until = time.monotonic() + seconds
    told = False
    while not _is_prepared():
        if time.monotonic() > until:
            raise CommandError(
                f"The database was not ready within {seconds:.0f} seconds; "
                "`manage.py setup` prepares it."
            )
        if not told:
            say("Waiting until the database is prepared by `web` or `setup`.")
            told = True
        time.sleep(POLL_SECONDS)


def _is_prepared() -> bool:
    try:
        return is_migrated()
    except Error:
        return False
    finally:
        connection.close()


class Signals:
    """SIGINT and SIGTERM ask for the end, a second one ends at once; SIGHUP asks for a new start.

    Made in the main thread.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.again = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._start_again)

    def wait(self) -> None:
        """Wait for the first one."""
        # With a timeout: a wait without one is not left for a signal on every system.
        while not self.asked.wait(POLL_SECONDS):
            pass

    def start_again(self) -> None:
        """Ask for a new start, from any thread."""
        self.again = True
        self.asked.set()

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self.asked.is_set():
            leave(1)
        self.asked.set()

    def _start_again(self, number: int, frame: FrameType | None) -> None:
        self.start_again()


def run_worker(*, say: Say, queues: Sequence[str], threads: int | None) -> None:
    """Work on jobs until a signal; then give back what is not done, within seconds.

    Raises:
        CommandError: The settings ask for an engine that this machine cannot have.
    """
    keep_freed_memory()
    # Nobody waits for this process's messages: on a busy machine a second is soon over, and a
    # connection that is given up for it has to be made again.
    app.conf.broker_transport_options = {
        **app.conf.broker_transport_options,
        "socket_timeout": BROKER_SECONDS,
    }
    signals = Signals()
    worker = EmbeddedWorker(threads=threads, queues=queues)
    worker.heartbeat.on_deaf = signals.start_again
    answers = INFERENCE_QUEUE in worker.queues
    if answers:
        _start_engine()
    worker.start()
    say(f"Worker    {worker.threads} jobs at once from {', '.join(worker.queues)}")
    signals.wait()
    clean = stop_worker(worker, answers=answers)
    if signals.again:
        start_anew()
    if not clean:
        # The interpreter would wait for the stuck thread for ever; its lease is ended.
        leave(0)


def _start_engine() -> None:
    try:
        start_server()
    except VisionError as error:
        raise CommandError(f"The engine cannot start: {error.message}") from None
    start_warm_up()


def stop_worker(worker: EmbeddedWorker, *, answers: bool) -> bool:
    """Stop a worker and its engine; return whether no thread of it is left working."""
    clean = worker.stop(STOP_SECONDS)
    if answers:
        clean = stop_server(2.0) and clean
    if clean:
        close_engine()
    return clean


def run_cameras(*, say: Say) -> None:
    """Look at this process's share of the cameras until a signal; then give them back.

    The model is loaded with the first picture of a camera.
    """
    keep_freed_memory()
    signals = Signals()
    service = CameraService(subscribers=SUBSCRIBERS, always_signs=True)
    service.start()
    say("Cameras   this process looks at its share of those that are enabled")
    signals.wait()
    clean = service.stop(STOP_SECONDS)
    if clean:
        close_engine()
    if signals.again:
        start_anew()
    if not clean:
        # The leases of what did not end run out by themselves.
        leave(0)


def run_beat(*, say: Say) -> None:
    """Look for lost jobs every few seconds until a signal."""
    signals = Signals()
    sweeper = Sweeper()
    sweeper.start()
    say(f"Beat      looks for lost jobs every {settings.SIGHTLINE_SWEEP_SECONDS:.0f} seconds")
    signals.wait()
    sweeper.stop()
    if signals.again:
        start_anew()


def leave(code: int) -> None:
    """End this process now, whatever its threads do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
