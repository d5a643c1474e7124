"""A camera's newest picture, whatever the camera does."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.sources.cameras.address import AddressRules, CameraAddress, Credentials
from vision.sources.cameras.backoff import Backoff
from vision.sources.cameras.clock import LiveClock
from vision.sources.cameras.connection import (
    FIRST_PICTURE,
    OPENING,
    SILENCE,
    Arrived,
    Connection,
)
from vision.sources.cameras.errors import CameraError
from vision.sources.cameras.status import CaptureState, CaptureStatus, Record
from vision.structures import Frame

__all__ = ["Capture", "CaptureState", "CaptureStatus", "LiveFrame"]

logger = logging.getLogger(__name__)

_CLOSING: Final = 1.8  # seconds


@dataclass(frozen=True, slots=True, eq=False)
class LiveFrame:
    """A picture of a camera.

    Attributes:
        frame: Its ``timestamp`` is in seconds of the capture's own time line, strictly increasing
            over reconnects too; ``wall_clock`` is when it was captured.
        epoch: Grows with every reconnect, change of size and start-over of a looping file: whoever
            tracks starts anew.
        captured: ``time.monotonic()`` of the moment the picture was decoded.
        decode_ms: Milliseconds that decoding and converting took.
    """

    frame: Frame
    epoch: int
    captured: float
    decode_ms: float


class Capture:
    """Keeps a camera connected and its newest picture at hand, in a thread of its own.

    Whatever the camera does, and whatever becomes of the child process that reads it, it is tried
    again: after 0.5 s at first, up to 30 s where that does not help or a person has to act.

    Args:
        address: The camera.
        rules: What is accepted.
        credentials: What to answer with when it asks.
        source_id: Goes into every frame.
        fps: Pictures in a second that are wanted at most; above 0.
        on_frame: Called, in the capture's own thread, when a picture has come; it must be quick.
    """

    def __init__(
        self,
        address: CameraAddress,
        *,
        rules: AddressRules,
        credentials: Credentials | None = None,
        source_id: str,
        fps: float,
        on_frame: Callable[[], None] = lambda: None,
    ) -> None:
        if not fps > 0:
            raise ValueError("fps must be above 0")
        self._address = address
        self._rules = rules
        self._credentials = credentials
        self._source_id = source_id
        self._fps = fps
        self._on_frame = on_frame
        self._record = Record(rate_window=max(5.0, 2.5 / fps))
        self._clock = LiveClock()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._connection: Connection | None = None
        self._waiting: _Waiting | None = None
        self._thread = threading.Thread(target=self._run, name=f"capture-{source_id}", daemon=True)

    @property
    def pid(self) -> int | None:
        """Process id of the child that reads the camera; None between two connections."""
        connection = self._connection
        return None if connection is None else connection.pid

    def start(self) -> None:
        """Begin to connect; returns at once. May be called once."""
        self._thread.start()

    def close(self) -> None:
        """Stop for good and leave no process; may be called twice, from any thread."""
        self._stopped.set()
        with self._lock:
            connection, self._waiting = self._connection, None
        if connection is not None:
            connection.kill()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_CLOSING)

    def take(self) -> LiveFrame | None:
        """Return the newest picture if nobody has taken it; the image belongs to the caller."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            if waiting is None:
                return None
            if waiting.image is not None:
                image = waiting.image
            else:
                image = waiting.connection.read(waiting.arrived)
                waiting.connection.free(waiting.arrived)
        frame = Frame(
            image=image,
            index=waiting.index,
            timestamp=waiting.timestamp,
            wall_clock=waiting.wall_clock,
            source_id=self._source_id,
        )
        return LiveFrame(frame, waiting.epoch, waiting.arrived.at, waiting.arrived.decode_ms)

    def status(self) -> CaptureStatus:
        """Return how it is doing."""
        with self._lock:
            return self._record.status()

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopped.is_set():
            lived = 0.0
            try:
                self._watch()
            except CameraError as error:
                with self._lock:
                    lived = self._record.lost(error)
                pause = backoff.pause(error.code, lived)
            except Exception:  # no process left for a child, or a fault of ours: it is tried again
                logger.exception("camera %s cannot be read", self._source_id)
                with self._lock:
                    lived = self._record.lost(
                        CameraError("decoder_failed", "The camera cannot be read at the moment.")
                    )
                pause = backoff.pause("decoder_failed", lived)
            else:
                return
            self._stopped.wait(pause)

    def _watch(self) -> None:
        """Read one connection until it fails, or the capture is closed."""
        with self._lock:
            if self._stopped.is_set():
                return
            self._record.tries()
            connection = self._connection = Connection(
                self._address, rules=self._rules, credentials=self._credentials, fps=self._fps
            )
        try:
            self._read(connection)
        except CameraError:
            if not self._stopped.is_set():
                raise
        finally:
            self._let_go(connection)

    def _read(self, connection: Connection) -> None:
        opened = connection.open(OPENING)
        with self._lock:
            self._record.opened(opened)
            self._clock.restart()
        patience = FIRST_PICTURE
        while not self._stopped.is_set():
            arrived = connection.next(patience + 1 / self._fps)
            patience = SILENCE
            self._keep(connection, arrived)
            try:
                self._on_frame()
            except Exception:  # a fault of whoever listens must not end the capture
                logger.exception("who listens to camera %s has failed", self._source_id)

    def _keep(self, connection: Connection, arrived: Arrived) -> None:
        age = timedelta(seconds=time.monotonic() - arrived.at)
        wall_clock = datetime.now(UTC) - age
        with self._lock:
            replaced = self._waiting
            if replaced is not None and replaced.image is None:
                connection.free(replaced.arrived)
            epoch, index = self._record.came(arrived, replaced=replaced is not None)
            timestamp = self._clock.stamp(arrived.seconds, arrived.at)
            self._waiting = _Waiting(connection, arrived, epoch, index, timestamp, wall_clock)

    def _let_go(self, connection: Connection) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, None
            try:
                if waiting is not None and waiting.image is None and not self._stopped.is_set():
                    # Its slot goes with the connection; the last picture of a camera does not.
                    waiting = replace(waiting, image=connection.read(waiting.arrived))
                if not self._stopped.is_set():
                    self._waiting = waiting
            finally:
                self._connection = None
                connection.close()


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """The newest picture, in its slot; as ``image`` once its connection has ended."""

    connection: Connection
    arrived: Arrived
    epoch: int
    index: int
    timestamp: float
    wall_clock: datetime
    image: NDArray[np.uint8] | None = None
