"""Makes a written video ready for the browser, with the original's sound, in a child process."""

import os
from pathlib import Path
from typing import Any, Final

from vision.sources.videos.info import GIB, VideoError
from vision.sources.videos.process import Child

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
) -> None:
    """Write a video that plays before it has arrived, with the sound of its original.

    The pictures are copied as they are. Sound is copied where MP4 can carry it to every browser
    (AAC, MP3) and made AAC otherwise; it is shifted by the time of the original's first good
    frame, where ``open_video`` starts its clock, and ends with the pictures. Where the sound breaks
    off so does the copy; where none of it can be read the video is silent.

    Args:
        written: A file of ``VideoWriter``.
        original: The file that the pictures came from, or None for no sound.
        target: Where to write; appears only when it is complete. May be ``written`` itself.
        memory: Bytes of address space for the child.
        timeout: Seconds that it may take.

    Raises:
        VideoError: ``written`` cannot be read, or the child failed.
        OSError: The target cannot be written, e.g. because the disk is full.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        try:
            _run(written, original, partial, memory, timeout)
        except VideoError:
            if original is None:
                raise
            # A hostile sound track may take the child down; the pictures are still good.
            _run(written, None, partial, memory, timeout)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _run(written: Path, original: Path | None, target: Path, memory: int, timeout: float) -> None:
    child = Child(_CHILD)
    try:
        child.send(
            {
                "written": str(written.absolute()),
                "original": None if original is None else str(original.absolute()),
                "target": str(target.absolute()),
                "memory": memory,
            }
        )
        _check(child.receive(timeout), target)
    finally:
        child.close()


def _check(answer: dict[str, Any], target: Path) -> None:
    if answer.get("done") is True:
        return
    number = answer.get("os_error")
    if isinstance(number, int):
        raise OSError(number, os.strerror(number), str(target))
    raise VideoError("decoder_failed", "The process that finishes the video answered nonsense.")
