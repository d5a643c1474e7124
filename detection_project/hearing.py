"""Whether messages reach this worker: it sends itself one every few seconds.

After a reset of Redis a Celery worker can be up, connected, and deaf for ever. A worker that has
sent itself messages for a minute and heard none of them, although a thread was free to take them,
starts itself anew.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection

from common.jobs import presence, runner
from common.jobs.bells import AWAY
from common.jobs.identity import process_name
from common.jobs.tasks import heartbeat

logger = logging.getLogger(__name__)

DEAF_SECONDS = 60.0
EXPIRES_SECONDS = 30.0


class Heartbeat:
    """Sends this process heartbeats through the broker, and notices when none arrives.

    Attributes:
        on_deaf: Called, once, when the process hears nothing any more.
    """

    def __init__(self, on_deaf: Callable[[], None] | None = None) -> None:
        self.on_deaf = on_deaf
        self._unanswered_since: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Send one now and go on."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._over.set()

    def send(self) -> bool:
        """Send one; return whether the broker took it."""
        name = process_name()
        try:
            heartbeat.apply_async(
                args=(name,),
                queue=presence.direct_queue(name),
                priority=0,
                expires=EXPIRES_SECONDS,
                retry=False,
            )
        except AWAY as error:
            logger.warning("The broker is away: %s", error)
            return False
        return True

    def is_deaf(self, *, sent: bool) -> bool:
        """Judge after each message whether this process should have heard one by now.

        Args:
            sent: Whether the broker took the message: when it is away, silence proves nothing.
        """
        now = time.monotonic()
        busy = runner.count_working() >= presence.worker_threads()
        if not sent or busy:
            self._unanswered_since = None
        elif self._unanswered_since is None or presence.last_heard() > self._unanswered_since:
            self._unanswered_since = now
        return self._unanswered_since is not None and now - self._unanswered_since > DEAF_SECONDS

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                if self.is_deaf(sent=self.send()) and self.on_deaf is not None:
                    logger.error("No message reaches this worker any more; it starts anew.")
                    self.on_deaf()
                    return
            except Exception:
                logger.exception("A heartbeat was not sent")
            finally:
                connection.close()
            self._over.wait(settings.SIGHTLINE_HEARTBEAT_SECONDS)


def start_anew() -> None:
    """Replace this process by a new one of the same command: same number, same terminal."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
