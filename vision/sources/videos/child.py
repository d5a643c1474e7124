"""The process that decodes one video for its parent: ``python -m vision.sources.videos.child``.

It gets its orders on stdin, answers in lines of JSON, and puts pictures into the shared memory
whose descriptor it inherits. It ends by itself when its parent is gone.
"""

import sys
from dataclasses import asdict
from pathlib import Path

from vision.errors import VisionError
from vision.sources.videos.confinement import allow_more_work, confine
from vision.sources.videos.decoding import VideoDecoder
from vision.sources.videos.info import VideoLimits, out_of_memory
from vision.sources.videos.process import Message, Orders, ParentGoneError
from vision.sources.videos.ring import FrameRing

_FRAMES_PER_ALLOWANCE = 32
_STDERR_BYTES = 1024 * 1024


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
    except VisionError as error:
        orders.send({"error": {"code": error.code, "message": error.message}})
    except MemoryError:
        refusal = out_of_memory()
        orders.send({"error": {"code": refusal.code, "message": refusal.message}})


def _serve(orders: Orders, order: Message) -> None:
    decoder = VideoDecoder(Path(order["path"]), VideoLimits(**order["limits"]))
    info = decoder.info
    orders.send({"info": asdict(info), "skipped": decoder.skipped})
    slots = orders.receive()["slots"]
    ring = FrameRing(order["ring"], width=info.width, height=info.height, slots=slots)
    free = list(range(slots))
    for index, picture in enumerate(decoder):
        if index % _FRAMES_PER_ALLOWANCE == 0:
            allow_more_work()
        # The parent gives slots back as bytes; with none free the child waits here.
        if not free:
            free.extend(orders.receive_bytes(slots))
        slot = free.pop()
        ring.write(slot, picture.image)
        orders.send({"slot": slot, "timestamp": picture.timestamp, "skipped": decoder.skipped})
    orders.send(
        {
            "done": True,
            "end": decoder.end,
            "skipped": decoder.skipped,
            "truncated": decoder.truncated,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
