"""The process that reads one camera: ``python -m vision.sources.cameras.child``.

It gets its orders on stdin, credentials among them, tells in lines of JSON what it does, and puts
pictures into the shared memory whose descriptor it inherits. It ends as soon as its parent does.
"""

import os
import sys
import threading
import time
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vision.errors import VisionError
from vision.sources.cameras.address import parse_address
from vision.sources.cameras.errors import CAMERA_ERRORS
from vision.sources.cameras.feeds import Arrival, Feed, check_size
from vision.sources.cameras.hosts import AddressRules
from vision.sources.cameras.opening import open_feed
from vision.sources.cameras.pacing import Pacer
from vision.sources.cameras.secrets import Credentials
from vision.sources.cameras.slots import SLOTS, PictureSlots
from vision.sources.videos.confinement import allow_more_work, confine
from vision.sources.videos.pixels import FrameConverter, display_size
from vision.sources.videos.process import Message, Orders, ParentGoneError

_FRAMES_PER_ALLOWANCE: Final = 32
_STDERR_BYTES: Final = 1024 * 1024


def main() -> int:
    """Serve one parent, once."""
    orders = Orders()
    try:
        order = orders.receive()
        confine(memory=order["memory"], file_bytes=_STDERR_BYTES)
        _answer(orders, order)
    except ParentGoneError:
        return 1
    return 0


def _answer(orders: Orders, order: Message) -> None:
    try:
        _serve(orders, order)
    except VisionError as error:  # of a camera, or of a looping file that has changed
        code = error.code if error.code in CAMERA_ERRORS else "broken"
        orders.send({"failed": {"code": code, "message": error.message}})
    except MemoryError:
        orders.send({"failed": {"code": "decoder_memory", "message": ""}})


def _serve(orders: Orders, order: Message) -> None:
    address, _ = parse_address(order["address"])
    given = order["credentials"]
    credentials = Credentials(**given) if given else None
    # Opening may hang in many places; the end of the parent is noticed in all of them.
    delivery = Delivery(orders, order["slots"], order["fps"])

    def stage(name: str) -> None:
        orders.send({"stage": name})

    with open_feed(address, _rules(order["rules"]), credentials, order["fps"], stage) as feed:
        orders.send({"opened": {"codec": feed.codec, "rate": feed.rate}})
        for arrival in feed.arrivals(delivery.pacer):
            delivery.take(feed, arrival)


def _rules(order: dict[str, Any]) -> AddressRules:
    paths = {
        name: None if order[name] is None else Path(order[name])
        for name in ("folder", "certificates")
    }
    return AddressRules(allowed=tuple(order["allowed"]), usb=order["usb"], **paths)


class Delivery:
    """Puts wanted pictures into free slots.

    Args:
        orders: The connection to the parent, which gives slots back over it.
        memory: Descriptor of the shared memory.
        fps: Pictures in a second that are wanted at most.
    """

    def __init__(self, orders: Orders, memory: int, fps: float) -> None:
        self.pacer = Pacer(fps)
        self._orders = orders
        self._slots = PictureSlots(memory)
        self._free = deque(range(SLOTS))
        self._received = 0
        self._dropped = 0
        self._shape: tuple[int, int, Fraction] | None = None
        self._converter: FrameConverter | None = None
        threading.Thread(target=self._listen, name="freed-slots", daemon=True).start()

    def take(self, feed: Feed, arrival: Arrival) -> None:
        """Pass a picture on, unless it is not wanted or the parent is busy."""
        now = time.monotonic()
        if self._received % _FRAMES_PER_ALLOWANCE == 0:
            allow_more_work()
        self._received += 1
        if arrival.frame is None or not self.pacer.is_due(now):
            return
        if not self._free:
            self._dropped += 1
            return
        self.pacer.took(now)
        began = time.perf_counter()
        image = self._convert(feed, arrival)
        slot = self._free.popleft()
        self._slots.write(slot, image)
        self._orders.send(
            {
                "slot": slot,
                "width": image.shape[1],
                "height": image.shape[0],
                "seconds": arrival.seconds,
                "at": now,
                "ms": arrival.decode_ms + (time.perf_counter() - began) * 1000,
                "lap": arrival.lap,
                "received": self._received,
                "dropped": self._dropped,
            }
        )

    def _convert(self, feed: Feed, arrival: Arrival) -> NDArray[np.uint8]:
        frame = arrival.frame
        assert frame is not None
        shape = (frame.width, frame.height, feed.aspect)
        if self._converter is None or shape != self._shape:
            check_size(frame.width, frame.height)
            check_size(*display_size(*shape))
            self._shape, self._converter = shape, FrameConverter(feed.aspect)
        return self._converter.convert(frame)

    def _listen(self) -> None:
        """Collect the slots that the parent gives back; without a parent there is no work left."""
        try:
            while True:
                self._free.extend(self._orders.receive_bytes(SLOTS))
        except (ParentGoneError, OSError):
            os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
