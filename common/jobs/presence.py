"""Which worker processes are there, and how this one proves that it is alive.

A process can be up and deaf. So a worker sends itself a message through the broker, and only the
task at the other end writes `Worker.last_sign_at`. A worker all of whose threads are busy cannot
hear the message; then the leases that it renews are the sign.
"""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import Error
from django.db.models import Q
from django.utils import timezone

from common.jobs.identity import HOST, process_name
from common.jobs.workers import Worker, collect_info

logger = logging.getLogger(__name__)

GONE_SECONDS = 600.0  # without a sign for so long, a worker is shown as gone
SWEEP_KEY = "common.jobs.sweep"
FORGOTTEN_AFTER = timedelta(days=1)
WRITE_SECONDS = 2.0  # at most one sign of a process is written in so long


class Presence:
    """What this process knows of its own row; thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: list[str] | None = None
        self._threads = 0
        self._written = 0.0
        self._heard = 0.0

    @property
    def threads(self) -> int:
        """How many jobs this process may work on at once; 0 when it is no worker."""
        return self._threads if self._queues is not None else 0

    @property
    def heard(self) -> float:
        """When a message last came through, on the monotonic clock; 0 for never."""
        return self._heard

    def begin(self, *, queues: Sequence[str], threads: int) -> None:
        """Make the row of this process."""
        with self._lock:
            self._queues, self._threads = list(queues), threads
            self._written = self._heard = 0.0
        try:
            _write_row(list(queues), started=True)
        except Error as error:
            logger.warning("This worker is not listed yet: %s", error)

    def end(self) -> None:
        """Note that this process has stopped."""
        with self._lock:
            self._queues = None
        try:
            Worker.objects.filter(pk=process_name()).update(stopped_at=timezone.now())
        except Error as error:
            logger.warning("The end of this worker was not noted: %s", error)

    def sign(self, *, heard: bool) -> None:
        """Write that this process is alive; cheap when it has just done so."""
        now = time.monotonic()
        with self._lock:
            if self._queues is None:
                return
            queues = self._queues
            if heard:
                self._heard = now
            if now - self._written < WRITE_SECONDS:
                return
            self._written = now
        try:
            _write_row(queues)
        except Error as error:
            logger.warning("A sign of life was not written: %s", error)


_presence = Presence()
begin, end = _presence.begin, _presence.end


def note_sign(worker: str) -> None:
    """Take a heartbeat that came through the broker; one for another process proves nothing."""
    if worker in ("", process_name()):
        _presence.sign(heard=True)


def note_work(running: int) -> None:
    """Take the renewal of a lease as a sign, when no thread is free to hear a heartbeat."""
    if running >= _presence.threads > 0:
        _presence.sign(heard=False)


def last_heard() -> float:
    """Return when this process last heard the broker, on the monotonic clock; 0 for never."""
    return _presence.heard


def worker_threads() -> int:
    """Return how many jobs this process may work on at once."""
    return _presence.threads


def direct_queue(name: str) -> str:
    """Return the queue that only this worker listens to."""
    return f"worker.{name}"


def note_sweep() -> None:
    """Note that lost jobs have just been looked for."""
    cache.set(SWEEP_KEY, time.time(), timeout=None)


def seconds_since_sweep() -> float | None:
    """Return how long ago lost jobs were looked for, or None when nobody knows."""
    swept = cache.get(SWEEP_KEY)
    return None if swept is None else max(0.0, time.time() - float(swept))


def forget_gone_workers() -> int:
    """Delete the rows of workers that stopped or fell silent a day ago; return how many."""
    long_ago = timezone.now() - FORGOTTEN_AFTER
    silent = Q(last_sign_at__lt=long_ago) | Q(last_sign_at=None, started_at__lt=long_ago)
    deleted, _ = Worker.objects.filter(Q(stopped_at__lt=long_ago) | silent).delete()
    return deleted


def _write_row(queues: list[str], *, started: bool = False) -> None:
    now = timezone.now()
    values = {"info": {"version": settings.SPECTACULAR_SETTINGS["VERSION"], **collect_info()}}
    if started:
        fresh = {"host": HOST, "queues": queues, "started_at": now}
        Worker.objects.update_or_create(
            pk=process_name(),
            defaults={**fresh, **values, "last_sign_at": None, "stopped_at": None},
        )
        return
    signed = {**values, "last_sign_at": now}
    if not Worker.objects.filter(pk=process_name()).update(**signed):
        Worker.objects.create(pk=process_name(), host=HOST, queues=queues, **signed)
