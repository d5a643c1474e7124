"""The roles of Sightline as threads: worker, sweeper, heartbeat, camera runner.

Embedded, one process has them all beside its web server; distributed, each is the only one of a
process of its own. The worker takes its messages from a broker in memory or from Redis, and in
either case shares the process's one engine among its threads.
"""

import logging
import threading
import time
from collections.abc import Sequence

from celery.worker import WorkController
from celery.worker import state as worker_state
from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection
from kombu import Exchange, Queue

from common.inference import close_engine, start_server, stop_server
from common.jobs import presence, runner
from common.jobs.identity import process_name
from common.jobs.presence import direct_queue
from common.jobs.services import sweep_jobs
from common.storage.services import cleanup_if_due
from detection_project.celery import app
from detection_project.hearing import Heartbeat
from detector.analytics.tasks import refresh_regularly
from recognition.services.retaining import forget_in_time_if_due
from video_analysis.retail.services import close_visits_if_due
from video_analysis.services.live import CameraService, Subscriber
from video_analysis.services.live.retention import remove_old_if_due
from video_analysis.services.recognising.watcher import FaceWatcher

logger = logging.getLogger(__name__)

SUBSCRIBERS: Sequence[Subscriber] = (FaceWatcher(),)
"""What hears of every frame of every camera of this process."""
CAMERA_SECONDS = 5.0
DIRECT_QUEUE_SECONDS = 300.0  # the queue of a worker that is gone disappears


class EmbeddedWorker:
    """A Celery worker in a thread of this process.

    Args:
        threads: How many jobs run at once; detection itself is batched by the engine.
        queues: What it listens to beside its own direct queue.
    """

    def __init__(self, threads: int | None = None, queues: Sequence[str] = ()) -> None:
        self.ready = threading.Event()
        self.threads = threads or settings.SIGHTLINE_WORKER_THREADS
        self.queues = list(queues or settings.SIGHTLINE_QUEUES)
        self.heartbeat = Heartbeat()
        self._controller = WorkController(
            app=app,
            pool_cls="threads",
            concurrency=self.threads,
            queues=[*self.queues, _declare_direct_queue()],
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
        presence.begin(queues=self.queues, threads=self.threads)
        self._thread.start()
        self.heartbeat.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Take no more messages and wait for running jobs to give theirs back.

        Returns:
            Whether everything ended in time; if not, the leases of what still runs are ended.
        """
        runner.request_stop()
        worker_state.should_stop = 0
        self.heartbeat.stop()
        if not settings.REDIS_URL:
            # The worker's loop looks at that once per turn, and with a broker in memory each turn
            # waits up to two seconds for a message: so give it some. What is left harms nobody.
            for _ in range(3):
                self.heartbeat.send()
        until = time.monotonic() + timeout
        while runner.running_contexts() and time.monotonic() < until:
            time.sleep(0.02)
        clean = not runner.release_leases()
        if clean:
            self._thread.join(max(0.1, until - time.monotonic()) + 3.0)
        worker_state.should_stop = None
        presence.end()
        return clean and not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """Whether the thread that takes messages runs."""
        return self._thread.is_alive()


def _declare_direct_queue() -> str:
    """Make the queue of this process known to the worker that will listen to it."""
    name = direct_queue(process_name())
    expires = DIRECT_QUEUE_SECONDS
    app.amqp.queues.add(Queue(name, Exchange(name), routing_key=name, expires=expires))
    return name


class Sweeper:
    """Picks up lost jobs at the start and every few seconds."""

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
        while True:
            try:
                sweep_jobs(starting=starting)
                starting = False
                self._look_after()
            except Error as error:
                logger.warning("Lost jobs could not be looked for: %s", error)
            except Exception:
                logger.exception("Looking for lost jobs failed")
            finally:
                connection.close()
            if self._over.wait(settings.SIGHTLINE_SWEEP_SECONDS):
                return

    def _look_after(self) -> None:
        """Do what is due beside lost jobs; one thing that fails does not hold up the others.

        Raises:
            Error: The database is away, for all of them.
        """
        failed = False
        for step in (
            presence.forget_gone_workers,
            cleanup_if_due,
            refresh_regularly,
            remove_old_if_due,
            forget_in_time_if_due,
            close_visits_if_due,
        ):
            try:
                step()
            except (InterfaceError, OperationalError):
                raise
            except Exception:
                logger.exception("%s failed", getattr(step, "__name__", "A step of the sweeper"))
                failed = True
        if not failed:
            presence.note_sweep()


class Embedded:
    """Worker, sweeper, cameras and engine of one process, started and stopped together."""

    def __init__(self) -> None:
        self.worker = EmbeddedWorker()
        self.sweeper = Sweeper()
        wanted = settings.SIGHTLINE_RUN_CAMERAS
        self.cameras = CameraService(subscribers=SUBSCRIBERS) if wanted else None

    def start(self) -> None:
        """Start worker, sweeper and camera runner; returns at once."""
        self.worker.start()
        self.sweeper.start()
        if self.cameras is not None:
            self.cameras.start()
        if settings.REDIS_URL:  # other web processes may ask this one
            start_server()

    def request_stop(self) -> None:
        """Have running jobs give theirs back, without waiting: a head start for `stop`."""
        runner.request_stop()
        if self.cameras is not None:
            self.cameras.request_stop()

    def stop(self) -> bool:
        """Stop everything; return whether no thread of ours is left working."""
        self.request_stop()
        self.sweeper.stop()
        clean = self.worker.stop()
        if self.cameras is not None:
            clean = self.cameras.stop(CAMERA_SECONDS) and clean
        clean = stop_server(2.0) and clean
        if clean:
            close_engine()
        return clean
