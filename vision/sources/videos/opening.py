"""The way in: judge a video, or open it for its frames."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.sources.videos.info import (
    DEFAULT_LIMITS,
    GIB,
    VideoError,
    VideoInfo,
    VideoLimits,
    VideoSource,
)
from vision.sources.videos.isolated import IsolatedSource

DECODER_MEMORY: Final = 2 * GIB
DECODER_TIMEOUT: Final = 30.0  # seconds


def inspect_video(
    path: Path,
    limits: VideoLimits = DEFAULT_LIMITS,
    *,
    memory: int = DECODER_MEMORY,
    timeout: float = DECODER_TIMEOUT,
) -> tuple[VideoInfo, NDArray[np.uint8]]:
    """Judge a video by its content, in a child process.

    Args:
        path: A local file.
        limits: What is accepted.
        memory: Bytes of address space for the child.
        timeout: Seconds that opening the file, and its first frame, may take.

    Returns:
        What is known about it, and its first good frame: (H, W, 3) uint8 BGR, turned for display.

    Raises:
        VideoError: The file is no video, or not one that may be decoded.
    """
    with open_video(path, limits=limits, memory=memory, timeout=timeout) as source:
        for frame in source:
            return source.info, frame.image
    raise VideoError("damaged_video", "The video holds no frames.")


def open_video(
    path: Path,
    *,
    limits: VideoLimits = DEFAULT_LIMITS,
    source_id: str = "",
    isolated: bool = True,
    recorded_at: datetime | None = None,
    memory: int = DECODER_MEMORY,
    timeout: float = DECODER_TIMEOUT,
) -> VideoSource:
    """Open a video for its frames.

    Args:
        path: A local file; nothing else is ever opened.
        limits: What is accepted.
        source_id: Goes into every frame.
        isolated: Parse and decode in a child process. False is for files that are trusted.
        recorded_at: Wall clock of the first frame; now, when it is not known.
        memory: Bytes of address space for the child.
        timeout: Seconds that opening the file, and each frame, may take in the child.

    Raises:
        VideoError: The file may not be decoded, or decoding failed.
    """
    start = recorded_at or datetime.now(UTC)
    if isolated:
        return IsolatedSource(
            path,
            limits=limits,
            source_id=source_id,
            recorded_at=start,
            memory=memory,
            timeout=timeout,
        )
    # Only here does libav enter the calling process.
    from vision.sources.videos.local import LocalSource

    return LocalSource(path, limits=limits, source_id=source_id, recorded_at=start)
