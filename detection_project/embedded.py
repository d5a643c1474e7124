"""The parts of an embedded Sightline that live beside the web server: worker and sweeper.

One process is web server, Celery worker and (later) camera runner. The worker runs in a thread,
takes its messages from a broker in memory, and shares the engine with the requests.
"""

import logging
import threading
import time

from celery.worker import WorkController
from celery.worker import state as worker_state
from django.conf import settings
from django.db import DatabaseError, connection

from common.inference import close_engine
from common.jobs import runner
from common.jobs.services import sweep_jobs
from common.jobs.tasks import heartbeat
from detection_project.celery import app

logger = logging.getLogger(__name__)


class EmbeddedWorker:
    """A Celery worker in a thread of this process.

    Args:
        threads: How many jobs run at once; detection itself is batched by the engine.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.ready = threading.Event()
        self._controller = WorkController(
            app=app,
            pool_cls="threads",
            concurrency=threads or settings.SIGHTLINE_WORKER_THREADS,
            queues=settings.SIGHTLINE_QUEUES,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            ready_callback=lambda consumer: self.ready.set(),
        )
        self._thread = threading.Thread(
            target=self._controller.start, name="celery-worker", daemon=True
        )

    def start(self) -> None:
        """Begin to take messages."""
        runner.allow_start()
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Take no more messages and wait for running jobs to give theirs back.

        Returns:
            Whether everything ended in time; if not, the leases of what still runs are ended.
        """
        runner.request_stop()
        worker_state.should_stop = 0
        # The worker's loop looks at that once per turn, and each turn waits up to two seconds for
        # a message: so give it some. What is left of them harms nobody.
        for _ in range(3):
            heartbeat.apply_async(queue="default")
        until = time.monotonic() + timeout
        while runner.running_contexts() and time.monotonic() < until:
            time.sleep(0.02)
        clean = not runner.release_leases()
        if clean:
            self._thread.join(max(0.1, until - time.monotonic()) + 3.0)
        worker_state.should_stop = None
        return clean and not self._thread.is_alive()


class Sweeper:
    """Picks up lost jobs at the start and every few seconds, and asks the worker for a sign."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-sweeper", daemon=True)

    def start(self) -> None:
        """Sweep now and go on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop and wait for a sweep that is under way."""
        self._over.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        starting = True
        try:
            while True:
                try:
                    sweep_jobs(starting=starting)
                    starting = False
                    heartbeat.apply_async(queue="default")
                except DatabaseError as error:
                    logger.warning("Lost jobs could not be looked for: %s", error)
                except Exception:
                    logger.exception("Looking for lost jobs failed")
                finally:
                    connection.close()
                if self._over.wait(settings.SIGHTLINE_SWEEP_SECONDS):
                    return
        finally:
            connection.close()


class Embedded:
    """Worker, sweeper and engine of one process, started and stopped together."""

    def __init__(self) -> None:
        self.worker = EmbeddedWorker()
        self.sweeper = Sweeper()

    def start(self) -> None:
        """Start worker and sweeper; returns at once."""
        self.worker.start()
        self.sweeper.start()

    def request_stop(self) -> None:
        """Have running jobs give theirs back, without waiting: a head start for `stop`."""
        runner.request_stop()

    def stop(self) -> bool:
        """Stop everything; return whether no thread of ours is left working."""
        self.sweeper.stop()
        clean = self.worker.stop()
        if clean:
            close_engine()
        return clean
