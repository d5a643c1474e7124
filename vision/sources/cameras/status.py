"""How a capture is doing, kept up to date as things happen."""

import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from vision.sources.cameras.connection import Arrived, Opened
from vision.sources.cameras.errors import REFUSALS, CameraError

CaptureState = Literal["connecting", "live", "lost", "refused"]


@dataclass(frozen=True, slots=True)
class CaptureStatus:
    """How a capture is doing.

    Attributes:
        state: ``refused`` means that a person has to change something; it is tried again, seldom.
        code: Why it is lost or refused, a code of ``CameraError``; else empty.
        message: The same as a sentence; else empty.
        since: Since when it is in this state.
        codec: Its usual name; empty until known.
        width: Pixels of the newest picture; 0 until known.
        height: Pixels of the newest picture; 0 until known.
        rate: Frames per second as the source declares; 0.0 where it does not.
        fps: Frames per second that came in the last seconds.
        received: Frames that came so far.
        dropped: Frames replaced by a newer one before anybody took them. Those left out to keep to
            the asked rate do not count.
        newest: ``time.monotonic()`` at which the newest picture was decoded.
        attempts: Connections tried since the camera was last live.
        epoch: Of the newest picture.
    """

    state: CaptureState
    code: str
    message: str
    since: datetime
    codec: str
    width: int
    height: int
    rate: float
    fps: float
    received: int
    dropped: int
    newest: float | None
    attempts: int
    epoch: int


class Record:
    """Counts what a capture meets. Not safe between threads: whoever owns it has a lock.

    Args:
        rate_window: Seconds over which frames per second are counted.
    """

    def __init__(self, rate_window: float) -> None:
        self._window = rate_window
        self._state: CaptureState = "connecting"
        self._since = datetime.now(UTC)
        self._code = self._message = ""
        self._stream = Opened("", 0.0)
        self._newest: Arrived | None = None
        self._live_since: float | None = None
        self._counted: deque[tuple[float, int]] = deque()
        self._received = self._dropped = self._attempts = self._epoch = 0
        self._received_before = self._dropped_before = 0
        self._index = -1
        self._is_new = True

    def tries(self) -> None:
        """A connection is tried."""
        self._attempts += 1
        self._is_new = True
        self._received_before, self._dropped_before = self._received, self._dropped
        self._counted.clear()

    def opened(self, stream: Opened) -> None:
        """A stream is open; its pictures follow."""
        self._stream = stream

    def came(self, arrived: Arrived, *, replaced: bool) -> tuple[int, int]:
        """A picture came, maybe instead of one that nobody took.

        Returns:
            Its epoch and its index.
        """
        if self._is_new or _is_another(self._newest, arrived):
            self._epoch += 1
        if self._state != "live":
            self._set("live")
        if self._is_new:
            self._live_since = arrived.at
        self._is_new, self._attempts = False, 0
        self._newest = arrived
        self._index += 1
        self._received = self._received_before + arrived.received
        # What is replaced here counts on; what the child counts starts anew with each.
        self._dropped_before += replaced
        self._dropped = self._dropped_before + arrived.dropped
        self._count(arrived.at)
        return self._epoch, self._index

    def lost(self, error: CameraError) -> float:
        """A connection has failed; return the seconds for which pictures had come."""
        lived = 0.0 if self._live_since is None else time.monotonic() - self._live_since
        self._live_since = None
        self._set("refused" if error.code in REFUSALS else "lost", error)
        return lived

    def status(self) -> CaptureStatus:
        """Return it all."""
        newest = self._newest
        return CaptureStatus(
            state=self._state,
            code=self._code,
            message=self._message,
            since=self._since,
            codec=self._stream.codec,
            width=newest.width if newest else 0,
            height=newest.height if newest else 0,
            rate=self._stream.rate,
            fps=self._fps(),
            received=self._received,
            dropped=self._dropped,
            newest=newest.at if newest else None,
            attempts=self._attempts,
            epoch=self._epoch,
        )

    def _set(self, state: CaptureState, error: CameraError | None = None) -> None:
        if state != self._state:
            self._state, self._since = state, datetime.now(UTC)
        self._code, self._message = (error.code, error.message) if error else ("", "")

    def _count(self, at: float) -> None:
        self._counted.append((at, self._received))
        while at - self._counted[0][0] > self._window:
            self._counted.popleft()

    def _fps(self) -> float:
        if self._state != "live" or len(self._counted) < 2:
            return 0.0
        (start, before), (end, after) = self._counted[0], self._counted[-1]
        if time.monotonic() - end > self._window or end <= start:
            return 0.0
        return (after - before) / (end - start)


def _is_another(before: Arrived | None, now: Arrived) -> bool:
    """Tell whether a picture does not go on from the one before."""
    return before is None or (
        (before.width, before.height, before.lap) != (now.width, now.height, now.lap)
    )
