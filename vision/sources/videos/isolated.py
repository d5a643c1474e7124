"""Frames decoded in a child process, which may crash, hang or be killed without harm."""

import os
import threading
import weakref
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from vision.sources.videos.answers import AnswerChecker
from vision.sources.videos.info import VideoError, VideoInfo, VideoLimits
from vision.sources.videos.limits import end_of
from vision.sources.videos.process import Child, Message
from vision.sources.videos.ring import FrameRing, count_slots, create_memory, fix_size, ring_bytes
from vision.sources.videos.signatures import sniff_file
from vision.structures import Frame

_CHILD: Final = "vision.sources.videos.child"


class IsolatedSource:
    """A ``VideoSource`` whose file is parsed and decoded in a confined child process.

    Args:
        path: A local file.
        limits: What is accepted; checked there, and again on what comes from there.
        source_id: Goes into every frame.
        recorded_at: Wall clock of the first frame.
        memory: Bytes of address space for the child, apart from the shared pictures.
        timeout: Seconds that opening the file, and each frame, may take.

    Raises:
        VideoError: The file may not be decoded, or the child failed.
    """

    def __init__(
        self,
        path: Path,
        *,
        limits: VideoLimits,
        source_id: str,
        recorded_at: datetime,
        memory: int,
        timeout: float,
    ) -> None:
        self.skipped = 0
        self.truncated = False
        self.end = 0.0
        # Its container follows from the signature alone, which is no parsing.
        self._checker = AnswerChecker(sniff_file(path, limits), limits)
        self._limits = limits
        self._timeout = timeout
        self._source_id = source_id
        self._recorded_at = recorded_at
        self._stopped = threading.Event()
        self._reading = False
        shared = create_memory()
        try:
            self._child = Child(_CHILD, inherited=(shared,))
            # A source that is forgotten takes its child along.
            self._finalizer = weakref.finalize(self, self._child.close)
            self.info, self._ring = self._open(path, memory, shared)
        except BaseException:
            self._abandon()
            raise
        finally:
            os.close(shared)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        self._reading = True
        try:
            while (message := self._next_message()) is not None:
                yield self._receive(message, index)
                index += 1
        finally:
            self._reading = False
            self.close()

    def close(self) -> None:
        """Stop decoding and free everything; may be called twice, and from another thread."""
        self._stopped.set()
        self._finalizer()
        if not self._reading:  # else whoever reads lets go of the pictures
            self._ring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self, path: Path, memory: int, shared: int) -> tuple[VideoInfo, FrameRing]:
        self._child.send(
            {
                "path": str(path.absolute()),
                "limits": asdict(self._limits),
                "memory": memory + _largest_ring(self._limits),
                "ring": shared,
            }
        )
        message = self._child.receive(self._timeout)
        info = self._checker.info(message)
        self.skipped = self._checker.skipped(message)
        slots = count_slots(info.width, info.height)
        fix_size(shared, ring_bytes(info.width, info.height, slots))
        ring = FrameRing(shared, width=info.width, height=info.height, slots=slots)
        self._child.send({"slots": slots})
        return info, ring

    def _next_message(self) -> Message | None:
        if self._stopped.is_set():
            return None
        try:
            message = self._child.receive(self._timeout)
        except VideoError:
            if self._stopped.is_set():  # closed by another thread while this one waited
                return None
            raise
        self.skipped = self._checker.skipped(message)
        if "done" in message:
            self.truncated = self._checker.truncated(message)
            self.end = self._checker.end(message, self.info)
            return None
        return message

    def _receive(self, message: Message, index: int) -> Frame:
        slot = self._checker.slot(message, self._ring.slots)
        timestamp = self._checker.timestamp(message)
        self.end = end_of(timestamp, 0.0, self.info, self._limits)
        image = self._ring.read(slot)
        self._child.send_bytes(bytes((slot,)))
        return Frame(
            image=image,
            index=index,
            timestamp=timestamp,
            wall_clock=self._recorded_at + timedelta(seconds=timestamp),
            source_id=self._source_id,
        )

    def _abandon(self) -> None:
        finalizer = getattr(self, "_finalizer", None)
        if finalizer is not None:
            finalizer()


def _largest_ring(limits: VideoLimits) -> int:
    """Return the bytes of the largest ring that can come; the child maps it too."""
    return max(64 * 1024 * 1024, ring_bytes(1, limits.max_pixels, 2))
