"""One connection to a camera: a child process, and what it says, believed where it can be true."""

import math
import os
import re
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vision.sources.cameras.address import AddressRules, CameraAddress, Credentials
from vision.sources.cameras.errors import CAMERA_ERRORS, CameraError
from vision.sources.cameras.secrets import hides
from vision.sources.cameras.slots import SLOTS, PictureSlots, create_slots, fits
from vision.sources.videos.info import GIB, VideoError
from vision.sources.videos.process import Child, Message

OPENING: Final = 20.0  # seconds until a stream is open; its own limits come first
FIRST_PICTURE: Final = 12.0  # seconds; cameras start only with the next complete picture
SILENCE: Final = 5.0  # seconds without a picture after which a stream is lost

_CHILD: Final = "vision.sources.cameras.child"
_MEMORY: Final = int(1.5 * GIB)  # of address space, the interpreter's own 0.5 GiB included
_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")
_LONGEST_MESSAGE: Final = 500
_LONGEST_DECODING: Final = 60_000.0  # milliseconds
_MOST: Final = 1 << 53


@dataclass(frozen=True, slots=True)
class Opened:
    """What a stream says about itself."""

    codec: str
    rate: float


@dataclass(frozen=True, slots=True)
class Arrived:
    """A picture in a slot.

    Attributes:
        seconds: The source's own time of it, or None.
        at: ``time.monotonic()`` at which it was decoded.
        decode_ms: Milliseconds that took.
        lap: How often the source has started over.
        received: Frames that the connection brought so far.
        dropped: Frames that the child had no slot for so far.
    """

    slot: int
    width: int
    height: int
    seconds: float | None
    at: float
    decode_ms: float
    lap: int
    received: int
    dropped: int


class Connection:
    """Reads one camera in a child process until either gives up.

    Args:
        address: The camera.
        rules: What is accepted.
        credentials: What to answer with when it asks.
        fps: Pictures in a second that are wanted at most.
    """

    def __init__(
        self,
        address: CameraAddress,
        *,
        rules: AddressRules,
        credentials: Credentials | None,
        fps: float,
    ) -> None:
        self._credentials = credentials
        self._stage = ""
        self._held: set[int] = set()
        self._began = time.monotonic()
        self._last: Arrived | None = None
        memory = create_slots()
        try:
            self._slots = PictureSlots(memory)
            self._child = Child(_CHILD, inherited=(memory,))
        finally:
            os.close(memory)
        self._child.send(
            {
                "address": str(address),
                "credentials": _exposed(credentials),
                "rules": {
                    "folder": _text(rules.folder),
                    "allowed": rules.allowed,
                    "usb": rules.usb,
                    "certificates": _text(rules.certificates),
                },
                "fps": fps,
                "memory": _MEMORY,
                "slots": memory,
            }
        )

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def open(self, timeout: float) -> Opened:
        """Wait until the stream is open.

        Raises:
            CameraError: It cannot be opened, or not within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while "opened" not in (message := self._receive(deadline - time.monotonic())):
            self._stage = str(message.get("stage", ""))
        self._stage = "opened"
        opened = _fields(message["opened"])
        codec, rate = opened.get("codec"), _number(opened.get("rate"))
        if not isinstance(codec, str) or not _NAME.fullmatch(codec) or rate < 0:
            raise _nonsense()
        return Opened(codec, rate)

    def next(self, timeout: float) -> Arrived:
        """Wait for the next picture; its slot is held until ``free``.

        Raises:
            CameraError: None comes any more, or not within ``timeout`` seconds.
        """
        arrived = self._check(self._receive(timeout))
        self._stage = "live"
        self._held.add(arrived.slot)
        self._last = arrived
        return arrived

    def read(self, arrived: Arrived) -> NDArray[np.uint8]:
        """Return a copy of a held picture: (H, W, 3) uint8 BGR."""
        return self._slots.read(arrived.slot, arrived.width, arrived.height)

    def free(self, arrived: Arrived) -> None:
        """Give a picture's slot back."""
        self._held.discard(arrived.slot)
        self._child.send_bytes(bytes((arrived.slot,)))

    def kill(self) -> None:
        """End the child; may be called from any thread, also while another waits."""
        self._child.close()

    def close(self) -> None:
        """End the child and let go of the pictures; nobody may be reading one."""
        self.kill()
        self._slots.close()

    def _receive(self, timeout: float) -> Message:
        try:
            message = self._child.receive(timeout)
        except VideoError as error:
            raise self._failure(error.code) from None
        if "failed" in message:
            raise self._reported(_fields(message["failed"]))
        return message

    def _check(self, message: Message) -> Arrived:
        whole = {
            name: _whole(message.get(name))
            for name in ("slot", "width", "height", "lap", "received", "dropped")
        }
        seconds, now, at = message.get("seconds"), time.monotonic(), _number(message.get("at"))
        last, slot = self._last, whole["slot"]
        arrived = Arrived(
            **whole,
            seconds=None if seconds is None else _number(seconds),
            # The child's clock is ours: no picture is of the future, or older than the child.
            at=min(now, max(at, self._began if last is None else last.at)),
            decode_ms=min(max(0.0, _number(message.get("ms"))), _LONGEST_DECODING),
        )
        grows = last is None or (arrived.received > last.received and arrived.lap >= last.lap)
        if slot >= SLOTS or slot in self._held or not fits(arrived.width, arrived.height):
            raise _nonsense()
        if not grows or (last is not None and arrived.dropped < last.dropped):
            raise _nonsense()
        return arrived

    def _reported(self, failed: dict[str, Any]) -> CameraError:
        code, message = failed.get("code"), failed.get("message")
        if not isinstance(code, str) or code not in CAMERA_ERRORS or not isinstance(message, str):
            return _nonsense()
        if code == "decoder_memory":
            return _too_much_memory()
        if len(message) > _LONGEST_MESSAGE or not message.isprintable():
            return _nonsense()
        if not hides(message, self._credentials):
            return CameraError(code, "The camera gives no pictures.")
        return CameraError(code, message)

    def _failure(self, code: str) -> CameraError:
        if code == "decoder_memory":
            return _too_much_memory()
        if code != "decoder_timeout":
            return CameraError(
                "decoder_failed", "The process that reads the camera has failed; it starts again."
            )
        if self._stage in ("", "dialling"):
            return CameraError("no_answer", "Nobody answers at this address.")
        if self._stage == "live":
            return CameraError("silent", "The camera has stopped sending pictures.")
        return CameraError("silent", "The camera answers, but sends no pictures.")


def _exposed(credentials: Credentials | None) -> dict[str, str] | None:
    if credentials is None:
        return None
    return {"username": credentials.username, "password": credentials.password}


def _text(path: object) -> str | None:
    return None if path is None else str(path)


def _fields(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _nonsense()
    return value


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MOST:
        raise _nonsense()
    return value


def _number(value: object) -> float:
    if type(value) is int and abs(value) < _MOST:
        return float(value)
    if type(value) is not float or not math.isfinite(value):
        raise _nonsense()
    return value


def _nonsense() -> CameraError:
    return CameraError("decoder_failed", "The process that reads the camera answered nonsense.")


def _too_much_memory() -> CameraError:
    return CameraError(
        "decoder_memory", "Reading this camera needs more memory than is allowed. Make it smaller."
    )
