"""Makes a written video ready for the browser, with the original's sound, in a child process."""

import logging
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vision.sources.videos.info import GIB, VideoError
from vision.sources.videos.process import Child, Message

logger = logging.getLogger(__name__)

_CHILD: Final = "vision.encoding.video_muxing"
_TIMEOUT: Final = 900.0  # seconds; an hour of video takes one or two, its sound twenty
_MEMORY: Final = 2 * GIB


def finish_video(
    written: Path,
    original: Path | None,
    target: Path,
    *,
    memory: int = _MEMORY,
    timeout: float = _TIMEOUT,
    on_wait: Callable[[], None] = lambda: None,
) -> bool | None:
    """Write a video that plays before it has arrived, with the sound of its original.

    The pictures are copied as they are. Sound is copied where MP4 can carry it to every browser
    (AAC, MP3) and made AAC otherwise; it is shifted by the time of the original's first good
    frame, where ``open_video`` starts its clock, and ends with the pictures. Where the sound breaks
    off so does the copy; where it cannot be read, or joining it fails, the video is silent. When
    time runs out the target is ``written`` as it is, which plays too, but silently and only once
    it has arrived.

    Args:
        written: A file of ``VideoWriter``.
        original: The file that the pictures came from, or None for no sound.
        target: Where to write; appears only when it is complete. May be ``written`` itself.
        memory: Bytes of address space for the child.
        timeout: Seconds that it may take in all.
        on_wait: Called every 0.25 s; what it raises ends the child, removes what was written of
            the target, and is passed on.

    Returns:
        Whether the sound came along, at least up to where it breaks off; None when there was none,
        or when there is no original.

    Raises:
        VideoError: ``written`` cannot be read, or the child failed.
        OSError: The target cannot be written, e.g. because the disk is full.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    task = _Task(written, partial, memory, time.monotonic() + timeout, _Watch(on_wait))
    try:
        kept = task.run(original)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return kept


class _Watch:
    """Calls the caller back, and remembers whether that ended the work.

    So an error of the caller's is never taken for one of the child's.
    """

    def __init__(self, on_wait: Callable[[], None]) -> None:
        self._on_wait = on_wait
        self.ended = False

    def __call__(self) -> None:
        self.ended = True
        self._on_wait()
        self.ended = False


@dataclass(frozen=True, slots=True)
class _Task:
    """One video to finish; both ways of it share the time."""

    written: Path
    target: Path
    memory: int
    deadline: float
    watch: _Watch

    def run(self, original: Path | None) -> bool | None:
        """Write the target; return as ``finish_video``."""
        try:
            return self._join(original)
        except (VideoError, OSError) as error:
            if self.watch.ended:
                raise
            if isinstance(error, VideoError) and error.code == "decoder_timeout":
                self._give_as_it_is()
                return None if original is None else False
            if original is None:
                raise
            logger.warning("the sound is left out: %s", error)
        # A hostile sound track may take the child down, or may not fit on the disk; the pictures
        # are still good.
        self.run(None)
        return False

    def _join(self, original: Path | None) -> bool | None:
        child = Child(_CHILD)
        try:
            child.send(
                {
                    "written": str(self.written.absolute()),
                    "original": None if original is None else str(original.absolute()),
                    "target": str(self.target.absolute()),
                    "memory": self.memory,
                }
            )
            answer = child.receive(self.deadline - time.monotonic(), self.watch)
            return _check(answer, self.target)
        finally:
            child.close()

    def _give_as_it_is(self) -> None:
        logger.warning("finishing took too long: the video is left as it was written")
        self.target.unlink(missing_ok=True)
        try:
            self.target.hardlink_to(self.written)
        except OSError:  # a file system without links, or another one
            shutil.copyfile(self.written, self.target)


def _check(answer: Message, target: Path) -> bool | None:
    sound = answer.get("sound")
    if answer.get("done") is True and (sound is None or isinstance(sound, bool)):
        return sound
    number = answer.get("os_error")
    if type(number) is int and 0 < number < 1 << 16:
        raise OSError(number, os.strerror(number), str(target))
    raise VideoError("decoder_failed", "The process that finishes the video answered nonsense.")
